# shard: token text into sets and back, splits, other programs' files, faults.

load common

# Token text of $1 documents with $2 ids each.
stream()
{
    awk -v d="$1" -v n="$2" 'BEGIN {
        print "# vocab=gpt2 size=50257 eot=50256"
        for (i = 0; i < d; i++) {
            for (j = 0; j < n; j++) {
                x = (x * 69069 + 1) % 4294967296
                printf "%s%d", (j ? " " : ""), int(x / 65536) % 50256
            }
            print ""
        }
        printf "# end documents=%d tokens=%d\n", d, d * n
    }'
}

documents()
{
    grep -v '^#'
}

# The value of a key of shard --info.
info()
{
    shard --info "$1" | awk -F '\t' -v key="$2" '$1 == key { print $2 }'
}

# Nothing published, nothing left beside it.
nothing_left()
{
    [ ! -e "$1" ] && [ -z "$(find . -maxdepth 1 -name '.*.tmp')" ]
}

@test "a stream comes back byte for byte" {
    stream 50 400 >tokens
    shard --split none -o set <tokens
    shard -c set | cmp - tokens
    [ "$(info set train-documents)" = 50 ] && [ "$(info set train-tokens)" = 20050 ]
    shard --verify set
}

@test "a document per line: none, one or a hundred thousand ids, and a stream put together by cat" {
    {
        echo "# vocab=gpt2 size=50257 eot=50256"
        echo
        echo 7
        seq 1 100000 | awk '{ printf "%s%d", (NR > 1 ? " " : ""), $1 % 50256 } END { print "" }'
        echo "# end documents=3 tokens=100001"
    } >tokens
    cat tokens tokens | shard --split none -o set
    shard -c set | documents | cmp - <(cat tokens tokens | documents)
    [ "$(info set train-documents)" = 6 ]
}

@test "the files are what zstd verifies, and hold little-endian ids" {
    stream 50 400 >tokens
    shard --split none -n 8000 -o set <tokens
    [ "$(info set train-shards)" = 3 ]
    for f in set/*.tok.zst; do zstd -q -t "$f"; done
    cat set/train-*.zst | zstd -d -c | od -An -v -w2 -tu2 | awk '{ print $1 }' >ids
    documents <tokens | sed 's/$/ 50256/' | tr ' ' '\n' | cmp - ids
    shard -c set | cmp - tokens
}

@test "ids of 32 bits where the vocabulary needs them" {
    mkdir big && echo '{}' >big/vocab.txt
    {
        echo "# vocab=big size=70000 eot=69999"
        seq 0 69998 | paste -sd ' '
        echo "# end documents=1 tokens=69999"
    } >tokens
    shard --split none -o set <tokens
    shard -c set | sed 's/vocab=set.vocab/vocab=big/' | cmp - tokens
    zstd -d -c set/train-00000.tok.zst | od -An -v -w4 -tu4 | awk '{ print $1 }' |
        cmp - <(seq 0 69999)
    cmp big/vocab.txt set/vocab/vocab.txt
}

@test "the same bytes at any number of threads" {
    stream 300 400 >tokens
    for j in 1 2 5; do
        shard -q -j $j -n 30000 --val-fraction 0.1 -o "set" <tokens
        rm set/manifest.json
        mv set "set$j"
    done
    for j in 2 5; do
        for f in "set$j"/*.zst; do
            cmp <(zstd -d -c "$f") <(zstd -d -c "set1/${f#*/}")
            [ "$(stat -c %s "$f")" = "$(stat -c %s "set1/${f#*/}")" ]
        done
    done
}

@test "documents are dealt by seed and number, each to one split" {
    stream 2000 5 >tokens
    shard --val-fraction 0.1 -s 3 -o a <tokens
    shard --val-fraction 0.1 -s 3 -o b <tokens
    shard --val-fraction 0.1 -s 4 -o c <tokens
    cmp <(shard -c --split val a) <(shard -c --split val b)
    run cmp -s <(shard -c --split val a) <(shard -c --split val c)
    [ "$status" -eq 1 ]
    cmp <(shard -c a | documents | sort) <(documents <tokens | sort)
    # 200 expected, standard deviation 13.4: five of them either way.
    n=$(info a val-documents)
    [ "$n" -gt 133 ] && [ "$n" -lt 267 ]
    # Order is kept inside a split.
    shard -c --split train a | documents >kept
    documents <tokens | grep -nxFf kept | cut -d : -f 1 | sort -nc
}

@test "a corpus too small for its fraction gets its end as val, and a line that says so" {
    stream 1 1000 >tokens
    shard -o set <tokens 2>why
    grep -q 'last tenth' why && [ "$(wc -l <why)" -eq 1 ]
    [ "$(info set val-tokens)" = 100 ] && [ "$(info set train-tokens)" = 901 ]
    shard --val-tail 0.25 -o tail <tokens 2>why
    [ ! -s why ] && [ "$(info tail val-tokens)" = 250 ]
    cmp <(shard -c tail | documents | paste -sd ' ') <(documents <tokens)
    shard --val-fraction 0 -o none <tokens
    [ "$(info none val-tokens)" = 0 ]
}

@test "--val-tail of many shards: those before the cut stay, no token and no byte is lost" {
    corpus 100000 >text
    tokenize -v bytes --lines text >tokens
    cut -c 1-30 text >short
    for input in tokens '--pairs short short'; do
        [ "$input" = tokens ] || tokenize -v bytes $input >tokens
        rm -rf tail none
        shard -n 4096 --val-tail 0.3 -o tail <tokens
        shard -n 4096 --split none -o none <tokens
        shard --verify tail
        # the cut may go through a document
        shard -c none | documents | paste -sd ' ' >all
        shard -c tail | documents | paste -sd ' ' | cmp - all
        [ "$(ls tail | grep -c '^train-0')" -gt 10 ]
        for n in train-tokens val-tokens train-bytes val-bytes; do echo "$n $(info tail $n)"; done
        [ $(($(info tail train-bytes) + $(info tail val-bytes))) -eq "$(info none train-bytes)" ]
    done
}

@test "nanoGPT's split: numpy's permutation, by the list that numpy gave" {
    {
        echo "# vocab=gpt2 size=50257 eot=50256"
        seq 0 20010
        echo "# end documents=20011 tokens=20011"
    } | shard --split nanogpt -o set
    [ "$(shard -c --split val set | documents | paste -sd ' ')" = \
        "8134 1505 15599 12584 5776 14253 17570 14121 2558 12911 7445" ]
    {
        echo "# vocab=gpt2 size=50257 eot=50256"
        seq 0 9
        echo "# end documents=10 tokens=10"
    } | shard --split nanogpt -o ten
    [ "$(shard -c --split val ten | documents)" = 8 ]
    [ "$(shard -c --split train ten | documents | paste -sd ' ')" = "3 0 9 5 6 2 7 4 1" ]
}

@test "--shuffle keeps every document and no order but the seed's" {
    stream 500 20 >tokens
    for s in 1 1 2; do
        shard --shuffle -s $s --split none -o "set" <tokens
        shard -c set >"out$s" && rm -r set
    done
    cmp <(documents <out1 | sort) <(documents <tokens | sort)
    run cmp -s out1 out2
    [ "$status" -eq 1 ]
    # Neighbours that stay neighbours: 1 expected.
    documents <tokens | awk '{ print $0 "\t" NR }' >numbered
    documents <out1 | awk -F '\t' 'NR == FNR { n[$1] = $2; next } n[$0] == last + 1 { k++ }
        { last = n[$0] } END { exit !(k < 10) }' numbered -
}

@test "pairs: two sides on a line, or two streams through paste" {
    echo "# vocab=gpt2 size=50257 eot=50256" | tee a >b
    for i in 1 2 3 4 5 6 7 8; do echo "$i $i" >>a; echo "10$i" >>b; done
    echo "" >>a; echo "9 9 9" >>b
    echo "# end documents=9 tokens=16" >>a
    echo "# end documents=9 tokens=11" >>b
    paste a b | shard --split none -o set
    shard -c set | documents | cmp - <(paste a b | documents)
    [ "$(info set kind)" = pairs ] && [ "$(info set train-documents)" = 9 ]
    [ "$(info set train-tokens)" = $((27 + 18)) ]
    paste a b | shard --val-tail 0.3 -o tail
    shard -c tail | documents | cmp - <(paste a b | documents)
    sed -i '$d' b && echo "# end documents=8 tokens=8" >>b
    fails 1 "same number of documents" bash -c 'paste a b | shard -o bad'
    printf '# vocab=gpt2 size=50257 eot=50256\n1\t2\n3\n# end documents=2 tokens=3\n' >mixed
    fails 1 "no TAB" shard -o bad mixed
    nothing_left bad
}

# The sums are of the files that nanoGPT's and llm.c's own scripts make of tiny Shakespeare.
@test "--to and --from: nanoGPT's files, byte for byte" {
    python_cut=1003854      # nanoGPT cuts at int(0.9 * 1115394) characters; the text is ASCII
    text=$ROOT/share/shakespeare/tinyshakespeare.txt
    mkdir bin
    head -c $python_cut "$text" | tokenize -v gpt2 | shard --split none -o a
    tail -c +$((python_cut + 1)) "$text" | tokenize -v gpt2 | shard --split none -o b
    shard --to nanogpt -o a.bin a && shard --to nanogpt -o b.bin b
    head -c -2 a.bin/train.bin >bin/train.bin       # keel ends each document
    head -c -2 b.bin/train.bin >bin/val.bin
    shard --from nanogpt -o set bin/train.bin bin/val.bin
    [ "$(info set split)" = given ]
    shard --to nanogpt -o again set
    sha256sum -c <<END
502a2bdc8210d1ac5d5674867cb74467dd31db575d25cf6dbb08c8bdbea8680f  again/train.bin
68a53422394c26a655ebe641f5c6f49888e8f4e45fe5d6f02abda63ba3ebd65b  again/val.bin
END
}

@test "--to and --from: llm.c's files, byte for byte" {
    text=$ROOT/share/shakespeare/tinyshakespeare.txt
    # llm.c's documents are the sections between blank lines, the blank line included.
    perl -0777 -pe 's/\n\n/\n\n\0/g' "$text" >sections
    tokenize -v gpt2 --nul sections | shard --split none -o all
    shard --to llmc -o tiny all
    tail -c +1025 tiny/tiny_train_000000.bin >ids
    # Its first 32,768 ids are llm.c's val; the sums are of those files, heads included.
    head_of() { perl -e 'print pack("V256", 20240520, 1, $ARGV[0])' "$1"; }
    { head_of 32768; head -c 65536 ids; } >tiny_val_000000.bin
    { head_of 305260; tail -c +65537 ids; } >tiny_train_000001.bin
    sha256sum -c <<END
fe99db720dc7c83e694806d4e047a952909411da1daccde4ccc2e55f40882a62  tiny_val_000000.bin
8a70606be574040c26d225694f5f9759973b419852d22f7fe5c118e1b359dcc8  tiny_train_000001.bin
END
    shard --from llmc -o set tiny/tiny_train_000000.bin --split none
    shard -c set | cmp - <(shard -c all)
    shard --to llmc -n 100000 -o many all
    [ "$(find many -name 'many_train_*.bin' | wc -l)" = 4 ]
    shard --from llmc -o joined --split none many/*.bin
    shard -c joined | cmp - <(shard -c all)
    shard --from llmc -o both tiny_val_000000.bin tiny_train_000001.bin
    [ "$(info both val-tokens)" = 32768 ]
}

@test ".bin files that are not: cut, odd, of another kind, beyond the vocabulary" {
    printf '\1\2\3' >odd.bin
    fails 1 "odd.bin: an odd number of bytes" shard --from nanogpt -o set odd.bin
    printf '\377\377' >beyond.bin
    fails 1 "beyond.bin: id 65535" shard --from nanogpt -o set beyond.bin
    fails 1 "odd.bin: shorter" shard --from llmc -o set odd.bin
    head -c 1024 /dev/zero >zero.bin
    fails 1 "zero.bin: not a token file of llm.c" shard --from llmc -o set zero.bin
    perl -e 'print pack("V256", 20240520, 1, 9), "1234"' >cut.bin
    fails 1 "cut.bin: its length" shard --from llmc -o set cut.bin
    fails 1 "none.bin: No such file" shard --from llmc -o set none.bin
    fails 2 "none is" shard --from llmc -o set
    fails 2 "make the split" shard --from nanogpt --shuffle -o set train.bin val.bin
    nothing_left set
}

@test "bytes of the text are counted by split, whatever the vocabulary" {
    corpus 20000 >text
    for v in bytes gpt2; do
        tokenize -v $v text | shard --val-tail 0.2 -o $v
        [ $(($(info $v train-bytes) + $(info $v val-bytes))) = "$(wc -c <text)" ]
    done
}
