# tokenize: text to ids and back, in every form; vocabularies; faults.

load common

# The ids alone, a document a line.
ids()
{
    grep -v '^#'
}

# A small text of every kind, bytes that are no UTF-8 among them.
mixed()
{
    printf 'one two\r\nthree\t caf\303\251 \377\376 \000 x\n\n\n  last'
}

@test "known ids: tiktoken's" {
    [ "$(echo 'Hello world' | tokenize | ids)" = "15496 995 198" ]
    [ "$(printf '<|endoftext|>' | tokenize | ids)" = "27 91 437 1659 5239 91 29" ]
    [ "$(printf 'a b' | tokenize -v bytes | ids)" = "97 32 98" ]
    echo 'Hello world' | tokenize | diff - <(printf '%s\n' '# vocab=gpt2 size=50257 eot=50256' \
        '15496 995 198' '# end documents=1 tokens=3')
}

@test "every byte comes back, with either vocabulary, at 1 and 3 threads" {
    head -c 300000 /dev/urandom >noise
    mixed >mixed
    : >empty
    cp "$ROOT/share/shakespeare/tinyshakespeare.txt" text
    for v in bytes gpt2; do
        for f in noise mixed empty text; do
            echo "$v $f"
            tokenize -v $v -j 1 $f >1.tokens
            tokenize -v $v -j 3 $f >3.tokens
            cmp 1.tokens 3.tokens
            tokenize --decode <1.tokens | cmp - $f
        done
    done
    tokenize noise mixed empty text | tokenize -d | cmp - <(cat noise mixed empty text)
}

@test "a line, or what NUL ends, is a document" {
    printf 'a\r\n\nb c\nlast' >lines
    tokenize -v bytes --lines lines | ids | diff - <(printf '97 13\n\n98 32 99\n108 97 115 116\n')
    tokenize --lines lines | tokenize -d --lines | cmp - <(cat lines; echo)
    tr '\n' '\0' <lines >nuls
    tokenize --nul nuls | tokenize -d --nul | cmp - <(cat nuls; printf '\0')
    tokenize -v bytes --nul nuls | ids | wc -l | grep -qx 4
}

@test "a file that is a document and its lines are the same words" {
    corpus 200000 >text
    tokenize -j 2 --lines text | ids | wc -l | grep -qx "$(wc -l <text)"
    tokenize -j 2 --lines text | tokenize -d --lines | cmp - text
}

@test "JSON lines: a named field, escapes and surrogate pairs" {
    cat >rows <<'END'
{"id": 1, "text": "tab\tquote\" \u00e9 \ud83d\ude00 \u0000 end"}

{"text": "", "text2": "no"}
{"more": {"text": "inner"}, "text": "outer"}
END
    tokenize --jsonl text rows | tokenize -d --nul >got
    printf 'tab\tquote" \303\251 \360\237\230\200 \000 end\000\000outer\000' | cmp - got
    tokenize --jsonl text rows | tokenize -d --jsonl text >again
    tokenize --jsonl text again | cmp - <(tokenize --jsonl text rows)
}

@test "pairs: a TAB in a line, or two files" {
    printf 'a b\tc\n\td\ne\t\n' >both
    cut -f 1 both >source
    cut -f 2 both >target
    tokenize -v bytes --pairs both | ids | diff - <(printf '97 32 98\t99\n\t100\n101\t\n')
    tokenize -v bytes --pairs source target | cmp - <(tokenize -v bytes --pairs both)
    tokenize --pairs both | tokenize -d --pairs | cmp - both
}

@test "zstd, gzip and xz, by their first bytes, from files and from a pipe" {
    corpus 300000 >text
    tokenize text >want
    zstd -q text -o packed.zst
    gzip -k text
    xz -k text
    cat packed.zst packed.zst >twice.zst
    cat text.gz text.gz >twice.gz
    cat text.xz text.xz >twice.xz
    for f in packed.zst text.gz text.xz; do
        echo $f
        tokenize $f | cmp - want
        tokenize <$f | cmp - want
        tokenize -d <(tokenize ${f/*./twice.}) | cmp - <(cat text text)
    done
}

@test "folders in the order of names, without dot files" {
    mkdir -p d/b d/.git
    printf 1 >d/z
    printf 2 >d/b/a
    printf 3 >d/B
    printf 4 >d/.hidden
    printf 5 >d/.git/x
    [ "$(tokenize d | tokenize -d)" = "321" ]
    [ "$(tokenize d/z d/b | tokenize -d)" = "12" ]
}

@test "long runs and long documents stay in bounded memory" {
    yes 'some words, and more of them' | head -c 60000000 >big
    ( address_space 400000; tokenize -j 2 big | tail -n 1 ) | grep -q 'documents=1 tokens='
    { head -c 3000000 /dev/zero | tr '\0' a; echo; } >run
    tokenize run | tokenize -d | cmp - run
}

@test "--learn: deterministic, the size asked for, loaded again" {
    corpus 300000 >text
    tokenize -j 1 --learn 1000 -o one text
    tokenize -j 3 --learn 1000 -o three text
    cmp one/vocab.json three/vocab.json
    cmp one/merges.txt three/merges.txt
    [ "$(wc -l <one/merges.txt)" -eq $((1000 - 257 + 1)) ]
    grep -q '"<|endoftext|>":999}' one/vocab.json
    tokenize -v one text >tokens
    grep -q '^# vocab=one size=1000 eot=999$' tokens
    tokenize -d <tokens | cmp - text
    mixed | tokenize -v one | tokenize -d | cmp - <(mixed)
}

@test "--learn: Hugging Face's merges" {
    # The first merges of BpeTrainer on this text, made by tests/golden/make_bpe_merges.py.
    tokenize --learn 2048 -o got "$ROOT/share/shakespeare/tinyshakespeare.txt"
    diff got/merges.txt "$ROOT/tests/golden/shakespeare-2048.merges"
}

@test "--learn on a text without enough pairs says so" {
    printf 'aaab' | tokenize --learn 1000 -o small 2>stderr.txt
    grep -q 'small has 260 ids, not 1000' stderr.txt
    [ "$(printf 'aaab' | tokenize -v small | ids)" = "258" ]
}

@test "--learn --subword: subword-nmt's codes, and fairseq's dictionary" {
    # Made by tests/golden/make_subword.py.
    local golden=$ROOT/tests/golden/subword
    tokenize --learn 600 --subword -o v "$golden/train.de" "$golden/train.en"
    cmp v/codes.txt "$golden/codes.txt"
    tokenize --pieces -v v "$golden/train.de" "$golden/train.en" | tr -s ' ' '\n' | grep . |
        LC_ALL=C sort | uniq -c | LC_ALL=C sort -k1,1nr -k2,2 | awk '{ print $2, $1 }' |
        cmp - v/vocab.txt
    cat "$golden/train.de" "$golden/train.en" | tokenize --learn 600 --subword -o again
    diff -r v again
}

@test "--pieces: subword-nmt's text" {
    local golden=$ROOT/tests/golden/subword
    tokenize --learn 600 --subword -o v "$golden/train.de" "$golden/train.en"
    for side in de en; do
        tokenize --pieces -v v "$golden/valid.$side" | cmp - "$golden/valid.bpe.$side"
    done
    # Blanks at the ends of a line stay, those between words are one; U+000B ends a line.
    printf '  the   file \n\n the\v  file' | tokenize --pieces -v v | sed 's/@@ //g' |
        cmp - <(printf '  the file \n\n the\v  file')
    fails 1 'x/codes.txt:2:' bash -c 'mkdir x; printf "#version: 0.2\na\n" >x/codes.txt
        : >x/vocab.txt; tokenize --pieces -v x'
    fails 2 'is not of sub-words' tokenize --pieces
    fails 2 'leave out' tokenize --pieces --lines -v v
    fails 2 'goes with --learn' tokenize --subword
}

@test "sub-words: ids are the dictionary's lines, and decode to the text" {
    local golden=$ROOT/tests/golden/subword
    tokenize --learn 600 --subword -o v "$golden/train.de" "$golden/train.en"
    tokenize -v v --pairs "$golden/train.de" "$golden/train.en" >tokens
    grep -q "^# vocab=v size=$(($(wc -l <v/vocab.txt) + 4)) eot=2\$" tokens
    tokenize --decode --pairs tokens |
        cmp - <(paste "$golden/train.de" "$golden/train.en" | tr -s ' ')
    # The same ids by hand: the line in the dictionary, and <s> <pad> </s> <unk> before them.
    ids <tokens | head -n 60 | cut -f 2 >got
    head -n 60 "$golden/train.en" | tokenize --pieces -v v |
        awk 'FNR == NR { id[$1] = FNR + 3; next }
             { for (i = 1; i <= NF; i++) printf "%d%s", id[$i], i < NF ? " " : "\n" }' \
            v/vocab.txt - | cmp - got
    [ "$(printf '\341\210\264' | tokenize -v v | ids)" = 3 ]
    # A long document in parts, at any number of threads.
    for _ in $(seq 40); do cat "$golden/train.de"; done >long
    tokenize -v v -j 1 long | cmp - <(tokenize -v v -j 3 long)
    tokenize -v v long | ids | tr ' ' '\n' | grep -c . | grep -qx \
        $((40 * $(tokenize -v v "$golden/train.de" | ids | wc -w)))
    shard --val-tail 0.1 -o set <tokens
    shard -c set | tokenize -d --pairs | cmp - <(tokenize -d --pairs tokens)
    cmp set/vocab/codes.txt v/codes.txt
    cmp set/vocab/vocab.txt v/vocab.txt
    for bad in 'the' 'the x' '' 'the 1 '; do
        cp v/vocab.txt keep
        echo "$bad" >>v/vocab.txt
        fails 1 'is not a unit and its count' tokenize -v v
        mv keep v/vocab.txt
    done
    echo 'the 1' >>v/vocab.txt
    fails 1 'is there twice' tokenize -v v
}

@test "a BERT's word pieces" {
    mkdir bert
    printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' '[MASK]' un '##aff' '##able' the . '[' ']' sep \
        >bert/vocab.txt
    echo 'Unaffable the. The XYZ [SEP]' | tokenize -v bert --lines >tokens
    [ "$(ids <tokens)" = "5 6 7 8 9 8 1 10 12 11" ]
    grep -q '^# vocab=bert size=13 eot=3$' tokens
    tokenize -d --lines tokens | grep -qx 'unaffable the . the \[UNK\] \[ sep \]'
    sed -i '1s/.*//' bert/vocab.txt     # a piece of no bytes is no reason to fail
    fails 1 'vocab.txt: no line [PAD]: is this a BERT vocabulary?' tokenize -v bert
    sed -i '6s/.*/[PAD]/' bert/vocab.txt
    [ "$(echo 'the .' | tokenize -v bert --lines | ids)" = "8 9" ]
    echo the >>bert/vocab.txt
    fails 1 "vocab.txt:14: the piece 'the' stands there twice" tokenize -v bert
}

@test "mistakes on the command line" {
    fails 2 'exclude each other' tokenize --lines --nul
    fails 2 'exclude each other' tokenize --decode --learn 300 -o x
    fails 2 '-o VOCAB' tokenize --learn 300
    fails 2 'is not an integer' tokenize --learn 5 -o x
    fails 2 'one file with a TAB' tokenize --pairs a b c
}

@test "what cannot be read is named" {
    fails 1 'nowhere: No such file' tokenize nowhere
    fails 1 'no-such-vocabulary' tokenize -v no-such-vocabulary
    fails 1 'there is no text' tokenize --learn 300 -o x
    mkdir here
    fails 1 'here: is there already' tokenize --learn 300 -o here
    printf '{"text": "a"}\n{"text": 1}\n' >rows
    fails 1 "rows:2: no text in a field 'text'" tokenize --jsonl text rows
    printf '{"text": "a"}\n{"text": "b}\n' >rows
    fails 1 'rows:2: column' tokenize --jsonl text rows
    printf 'a\tb\nc\n' >pairs
    fails 1 'pairs:2: no TAB' tokenize --pairs pairs
    printf 'a\nb\n' >two
    printf 'a\n' >one
    fails 1 'one: ends after 1 lines' tokenize --pairs two one
}

@test "packed data that is cut short or damaged" {
    corpus 300000 >text
    zstd -q --check text -o whole.zst
    gzip -c text >whole.gz
    xz -c text >whole.xz
    for kind in zst gz xz; do
        size=$(stat -c %s whole.$kind)
        head -c $((size / 2)) whole.$kind >cut.$kind
        fails 1 "cut.$kind: " tokenize cut.$kind
        grep -q 'cut short' stderr.txt
        cp whole.$kind bad.$kind
        printf '\377\377\377\377' | dd of=bad.$kind bs=1 seek=$((size / 2)) conv=notrunc status=none
        fails 1 "bad.$kind: " tokenize bad.$kind
        grep -q damaged stderr.txt
    done
}

@test "vocabulary files that are not what they should be" {
    corpus 20000 | tokenize --learn 300 -o good
    try() { fails 1 "$1" tokenize -v bad; }
    fresh() { rm -rf bad; cp -r good bad; }
    fresh; rm bad/merges.txt; try 'bad/merges.txt: No such file'
    fresh; echo '{' >bad/vocab.json; try 'bad/vocab.json:'
    fresh; echo '[]' >bad/vocab.json; try 'not an object'
    fresh; sed -i 's/"!":0/"!":1/' bad/vocab.json; try 'id of another token'
    fresh; sed -i 's/"!":0/"!":99999/' bad/vocab.json; try 'has no id from 0'
    fresh; sed -i 's/<|endoftext|>/zz/' bad/vocab.json; try 'has no <|endoftext|>'
    fresh; sed -i '3s/.*/one two three/' bad/merges.txt; try 'bad/merges.txt:3:'
    fresh; sed -i '4s/.*/qqq zzz/' bad/merges.txt; try 'not in the vocabulary'
}

@test "token text of another vocabulary is refused" {
    corpus 20000 | tokenize --learn 300 -o v
    echo text | tokenize -v v >tokens
    rm -r v
    corpus 20000 | tokenize --learn 310 -o v
    fails 1 'has 310 ids' tokenize --decode tokens
    echo text | tokenize >other
    cat other <(echo text | tokenize -v bytes) >mixed
    fails 1 'line' tokenize --decode mixed
}

@test "token text that was cut is an error" {
    corpus 20000 | tokenize >tokens
    head -n 2 tokens >cut
    fails 1 'cut' tokenize --decode cut
    head -c 5000 tokens >cut
    fails 1 'cut' tokenize --decode cut
}

@test "a full disk is an error, and leaves nothing" {
    corpus 300000 >text
    run bash -c 'tokenize text >/dev/full'
    [ "$status" -eq 1 ]
    [[ "$output" == *"No space left on device"* ]]
    run bash -c 'tokenize text | tokenize -d >/dev/full'
    [ "$status" -eq 1 ]
    [[ "$output" == *"No space left on device"* ]]
    ( ulimit -f 8; trap '' XFSZ; fails 1 'File too large' tokenize --learn 4000 -o v text )
    [ "$(ls -A | grep -c '^v$\|tmp')" -eq 0 ]
}

@test "-o writes a file, whole or not at all" {
    echo old >out
    fails 1 'nowhere' tokenize -o out nowhere
    grep -qx old out
    echo text | tokenize -o out
    tokenize -d out | grep -qx text
}
