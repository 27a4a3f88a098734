# eval: policies of perplexity, pairs, generation, scores, and what goes wrong.

load common

GPT2=$ROOT/tests/golden/gpt2-tiny

# A value of a table on stdin.
value()
{
    awk -v name="$1" -F '\t' '$1 == name { print $2 }'
}

# $1 and $2 differ by at most $3.
near()
{
    awk -v a="$1" -v b="$2" -v e="$3" '
        BEGIN { d = a - b; exit !(a != "" && b != "" && d <= e && -d <= e) }' ||
        { echo "$1 is not $2 within $3"; return 1; }
}

# The golden stream of 500 tokens, as one document of token text.
stream()
{
    echo '# vocab=? size=64 eot=63'
    tr -d ' \n' <"$GPT2/expected.json" | grep -o '"stream":\[[0-9,]*' | tr -cd '0-9,' | tr , ' '
    printf '\n# end documents=1 tokens=500\n'
}

# A small run and its data, made once for the file.
setup_file()
{
    cd "$BATS_FILE_TMPDIR" || return 1
    corpus 20000 | split -l 100 - doc.
    tokenize -q -v bytes doc.* | shard -q -o data --val-fraction 0.3
    train -q -o run --layers 1 --width 16 --heads 2 --context 32 --batch 4 --steps 8 --lr 1e-2 data
}

setup()
{
    scratch
    RUN=$BATS_FILE_TMPDIR/run DATA=$BATS_FILE_TMPDIR/data
}

# GPT-2 by transformers in f64, cut by the peers' own rules: tests/golden/gpt2-tiny/expected.json.
# f32 against f64 logits differ by up to 7e-6, means of 500 tokens by less than 1e-6.
@test "each policy gives its peer's loss on gpt2-tiny" {
    stream >tokens
    while read -r n loss options; do
        # shellcheck disable=SC2086
        "$BIN/eval" -q $options "$GPT2" tokens >out
        echo "$options"
        [ "$(value tokens <out)" -eq "$n" ]
        near "$(value loss <out)" "$loss" 1e-6
    done <<'END'
500 4.687837966214538 --policy rolling
500 4.868052977254747 --policy rolling --window 32
492 4.645304855737326 --policy stride
499 4.800103874153538 --policy stride --stride 32
499 4.678661801913124 --policy stride --stride 1
499 4.617701744610898 --policy stride --window 32 --stride 16
448 4.564276955061078 --policy blocks
480 4.622782645224072 --window 32
END
}

@test "perplexity is exp of the mean loss, window_perplexity the mean of the windows' exp" {
    stream >tokens
    "$BIN/eval" -q "$GPT2" tokens >out
    near "$(value perplexity <out)" 95.99316154852744 1e-4
    near "$(value window_perplexity <out)" 98.69504367380152 1e-4
    "$BIN/eval" -q --window 32 "$GPT2" tokens >half
    near "$(value window_perplexity <half)" 114.17267098550815 1e-4
    grep -q '^# protocol=blocks: disjoint windows of 64 tokens' out
}

@test "eval's loss is the validation loss that train ended with" {
    "$BIN/eval" -q "$RUN" "$DATA" >out
    want=$(grep -v '^#' "$RUN/train.tsv" | awk -F '\t' '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == "val_loss") c = i } END { print $c }')
    near "$(value loss <out)" "$want" 1e-6
}

# From "model" to "attention-precision" stand the model's options.
@test "a table's notes are train's, so that plots group runs and their scores alike" {
    train -q -o smooth --layers 1 --width 16 --heads 2 --context 16 --batch 2 --steps 1 \
        --dt 0.5 --placement peri --label-smoothing 0.1 --seed 7 "$DATA"
    "$BIN/eval" -q -o out smooth "$DATA"
    diff <(sed -n '/^# model=/,/^# attention-precision=/p' smooth/train.tsv) \
        <(sed -n '/^# model=/,/^# attention-precision=/p' out)
    for note in train-seed=7 seed=1 step=1 lr=0.0006; do
        grep -x "# $note" out
    done
}

@test "bits per byte: exactly those of the loss, for a vocabulary of bytes" {
    "$BIN/eval" -q "$RUN" "$DATA" >out
    documents=$(shard --info "$DATA" | value val-documents)
    bytes=$(shard --info "$DATA" | value val-bytes)
    want=$(awk -v l="$(value loss <out)" -v d="$documents" -v b="$bytes" \
        'BEGIN { printf "%.15g", l * (b + d) / b / log(2) }')
    near "$(value bits_per_byte <out)" "$want" 1e-12
}

# The words and bytes of expected.json's documents: by Python's re.split and len.
@test "rolling counts words and bytes as lm-evaluation-harness does" {
    {
        printf 'The harbour was quiet when the first ferry left at 6:15 in the morning.\0'
        printf ' two  words \0\0na\303\257ve caf\303\251\302\240x\342\200\250y\n\nz\034w\0'
        printf 'tab\tnl\nend\n\0'
    } | tokenize -q --nul -v bytes >tokens
    "$BIN/eval" -q --policy rolling "$RUN" tokens >out
    [ "$(value words <out)" -eq $((14 + 4 + 1 + 6 + 4)) ]
    [ "$(value bytes <out)" -eq $((71 + 12 + 0 + 24 + 11)) ]
    awk -F '\t' '{ v[$1] = $2 } END {
        d = v["byte_perplexity"] - exp(v["loss"] * v["tokens"] / v["bytes"])
        exit !(d < 1e-9 && d > -1e-9) }' out
}

@test "any batch size gives the same loss but for rounding, any number of threads the same bits" {
    "$BIN/eval" -q "$RUN" "$DATA" | grep -v '^#' >one
    "$BIN/eval" -q -j 1 "$RUN" "$DATA" | grep -v '^#' | cmp - one
    for batch in 1 3 64; do
        "$BIN/eval" -q --batch $batch "$RUN" "$DATA" >other
        near "$(value loss <other)" "$(value loss <one)" 1e-6
    done
}

@test "random windows depend on the seed alone" {
    loss() { "$BIN/eval" -q --windows 30 "$@" "$RUN" "$DATA" | value loss; }
    [ "$(loss)" = "$(loss -s 1 --policy random)" ]
    near "$(loss)" "$(loss --batch 7)" 1e-6
    [ "$(loss)" != "$(loss -s 2)" ]
}

@test "pairs are the arg-max's and the true text, and eval --rouge reads them" {
    "$BIN/eval" -q --pairs "$RUN" "$DATA" >pairs.tsv
    [ "$(head -n 1 pairs.tsv)" = '# pairs=escaped' ]
    grep -v '^#' pairs.tsv | tail -n +2 >rows
    [ "$(awk -F '\t' 'NF != 2' rows | wc -l)" -eq 0 ]
    "$BIN/eval" -q "$RUN" "$DATA" >out
    [ "$(wc -l <rows)" -eq "$(value windows <out)" ]
    # the references, one after the other, are the text of the set
    cut -f 2 rows | tr -d '\n' | sed 's/<|endoftext|>//g; s/\\n/\n/g; s/\\\\/\\/g' >text
    shard -c --split val "$DATA" | tokenize -q -d >whole
    head -c 3000 text | tr -d '\n' >a
    head -c 3100 whole | tail -c +2 | tr -d '\n' | head -c "$(wc -c <a)" | cmp - a
    "$BIN/eval" -q --rouge pairs.tsv >scores
    [ "$(value pairs <scores)" -eq "$(value windows <out)" ]
}

# For a vocabulary of ASCII bytes a pair's characters are its tokens.
@test "accuracy is the share of equal characters of the pairs" {
    "$BIN/eval" -q --pairs "$RUN" "$DATA" | grep -v '^#' | tail -n +2 |
        sed 's/<|endoftext|>/\x01/g; s/\\n/\x02/g; s/\\\\/\x03/g' >rows
    want=$("$BIN/eval" -q "$RUN" "$DATA" | value accuracy)
    near "$(awk -F '\t' '{ n += length($2)
        for (i = 1; i <= length($2); i++) k += substr($1, i, 1) == substr($2, i, 1) }
        END { printf "%.15g", k / n }' rows)" "$want" 1e-12
}

# A vocabulary of pieces, so that there are words in common; an encoder between two models.
@test "forced: one row with what perplexity, pairs, ROUGE and BERTScore give one by one" {
    corpus 20000 | tokenize -q --learn 400 -o voc 2>err || { cat err; return 1; }
    split -l 100 <(corpus 20000) doc.
    tokenize -q -v "$PWD/voc" doc.* | shard -q -o data --val-fraction 0.3
    train -q -o run --layers 1 --width 32 --heads 2 --context 32 --batch 16 --steps 400 \
        --lr 1e-2 data
    bert=(--bertscore "$ROOT/tests/golden/bert-tiny" --layer 3)
    "$BIN/eval" -q --split train --forced --windows 40 "${bert[@]}" run data >row 2>warnings
    "$BIN/eval" -q --split train --windows 40 run data >want
    "$BIN/eval" -q --split train --pairs --windows 40 run data >pairs.tsv
    "$BIN/eval" -q --rouge --stem pairs.tsv >>want
    "$BIN/eval" -q "${bert[@]}" pairs.tsv 2>>warnings >>want
    cell() { grep -v '^#' row | awk -F '\t' -v name="$1" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i } END { print $c }'; }
    [ "$(grep -vc '^#' row)" -eq 2 ]
    for name in $(grep -v '^#' row | head -n 1); do
        echo "$name $(cell "$name")"
        [ "$(cell "$name")" = "$(value "$name" <want)" ]
    done
    [ "$(cell rougeL_f)" != 0 ]
    grep -q '^# bertscore=bert-tiny_L3' row
    "$BIN/eval" -q --split train --forced --windows 40 run data >row
    [ "$(cell rougeL_f)" = "$(value rougeL_f <want)" ]
    [ "$(cell bertscore_f)" = nan ]
    grep -q '^# bertscore=nan: not asked for' row
    "$BIN/eval" -q --forced run data >row       # the protocol's own number of windows
    [ "$(cell windows)" -eq 1200 ]
}

@test "generation: greedy again gives the same, a seed too, and the prompt comes first" {
    gen() { "$BIN/eval" -q --generate "$@" "$RUN"; }
    [ "$(gen KING: --tokens 50)" = "$(gen KING: --tokens 50 -s 9)" ]
    gen KING: --tokens 70 --temperature 1 >a
    gen KING: --tokens 70 --temperature 1 | cmp - a
    [ "$(gen KING: --tokens 70 --temperature 1 -s 2)" != "$(cat a)" ]
    [ "$(head -c 5 a)" = KING: ]
    [ "$(gen KING: --tokens 50 --top-k 1)" = "$(gen KING: --tokens 50)" ]
}

@test "a prompt longer than the context, and an empty one, go on" {
    "$BIN/eval" -q --generate "$(corpus 300)" --tokens 5 "$RUN" | wc -c >n
    [ "$(cat n)" -ge 306 ]
    "$BIN/eval" -q --generate '' --tokens 40 --stop --temperature 1 "$RUN"
}

@test "ROUGE of 383 golden pairs: rouge-score's means and numpy's bootstrap" {
    gzip -dc "$ROOT/tests/golden/rouge/pairs.tsv.gz" >pairs.tsv
    for stem in stem nostem; do
        option=--stem
        [ $stem = stem ] || option=
        # shellcheck disable=SC2086
        "$BIN/eval" -q --rouge $option --kinds 1,2,3,L,Lsum --bootstrap 1000 -s 42 pairs.tsv \
            2>warning | grep -v '^#' | tail -n +3 >got
        grep -q 'letters but no words' warning
        paste got "$ROOT/tests/golden/rouge/means-$stem.tsv" | awk -F '\t' '
            { d = $2 - $4; if ($1 != $3 || d > 1e-12 || d < -1e-12) { print; bad = 1 } }
            END { exit bad || NR != 60 }'
    done
}

@test "pairs on stdin, in a file and in two files score the same" {
    printf 'the cat sat\non a mat\n' >c
    printf 'the cat sat down\non the mat\n' >r
    paste c r >p
    for mode in --rouge '--bleu --lowercase'; do
        # shellcheck disable=SC2086
        "$BIN/eval" -q $mode c r | grep -v '^#' >want
        # shellcheck disable=SC2086
        "$BIN/eval" -q $mode p | grep -v '^#' | cmp - want
        # shellcheck disable=SC2086
        "$BIN/eval" -q $mode - <p | grep -v '^#' | cmp - want
        # shellcheck disable=SC2086
        "$BIN/eval" -q $mode -o out p
        grep -v '^#' out | cmp - want
    done
}

@test "plain lines keep their backslashes, escaped ones are undone" {
    printf 'a\\nb\ta b\n' | "$BIN/eval" -q --rouge --kinds 1 | value rouge1_f >f
    near "$(cat f)" 0.5 1e-12                         # words a, nb
    printf '# pairs=escaped\ncandidate\treference\na\\nb\ta b\n' |
        "$BIN/eval" -q --rouge --kinds 1 | value rouge1_f >f
    near "$(cat f)" 1 1e-12
}

@test "BLEU prints the peer's signature line" {
    for k in hyp ref0; do gzip -dc "$ROOT/tests/golden/bleu/A_en.$k.gz" >$k; done
    bleu() { "$BIN/eval" -q --bleu "$@" hyp ref0 | sed -n 's/^# score=//p'; }
    parts='59.46 87.3/70.1/56.6/45.5 (BP = 0.944 ratio = 0.945 hyp_len = 5759 ref_len = 6091)'
    [ "$(bleu)" = "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0 = $parts" ]
    bleu --smooth floor | grep -F 'smooth:floor[0.10]|'
    parts='51.05, 84.0/61.8/45.8/33.6 (BP=0.960, ratio=0.961, syslen=4403, reflen=4582)'
    [ "$(bleu --tokenizer fairseq)" = "BLEU4 = $parts" ]
    parts='58.58, 88.6/68.7/54.0/42.2 (BP=0.960, ratio=0.961, hyp_len=4403, ref_len=4582)'
    [ "$(bleu --tokenizer multi-bleu --lowercase)" = "BLEU = $parts" ]
    "$BIN/eval" -q --bleu --each hyp ref0 | grep -v '^#' | tail -n +2 | cut -f 2 >got
    gzip -dc "$ROOT/tests/golden/bleu/A_en.sent.gz" | paste got - | awk '
        { d = $1 - $2; if (d > 1e-12 || d < -1e-12) { print; bad = 1 } }
        END { exit bad || NR != 400 }'
}

# The other system: some lines of the first made worse, some made right.
@test "BLEU of two systems: sacrebleu's statistics and p-value with numpy's draws" {
    for k in hyp ref0; do gzip -dc "$ROOT/tests/golden/bleu/A_en.$k.gz" >$k; done
    paste hyp ref0 | awk -F '\t' '{ t = $1 } NR % 9 == 0 { sub(/the/, "a", t) }
        NR % 25 == 0 { sub(/ [^ ]+/, "", t) } NR % 35 == 1 { t = $2 } { print t }' >other
    "$BIN/eval" -q --bleu -s 12345 --against other hyp ref0 >out
    while read -r name number; do
        echo "$name"
        near "$(value "$name" <out)" "$number" 1e-11
    done <"$ROOT/tests/golden/bleu/paired.tsv"
    "$BIN/eval" -q --bleu -s 12345 --bootstrap 1000 hyp ref0 | value bleu_high >high
    [ "$(cat high)" = "$(value bleu_high <out)" ]
    "$BIN/eval" -q --bleu --against hyp hyp ref0 | value p_value >same
    near "$(cat same)" "$(awk 'BEGIN { print 1 / 1001 }')" 1e-5     # none differs
    fails 2 'only --bleu compares systems' "$BIN/eval" --rouge --against other hyp ref0
    fails 2 'two files or more' "$BIN/eval" --bleu --against other hyp
    head -n 9 other >short
    fails 1 'has more lines than short' "$BIN/eval" --bleu --against short hyp ref0
}

@test "bad pairs are told with their place" {
    printf 'a\tb\nc\n' >p
    fails 1 'p:2: no TAB between the candidate and its reference' "$BIN/eval" --rouge p
    printf 'a\nb\n' >c
    printf 'a\n' >r
    fails 1 'c: has more lines than r, which has 1' "$BIN/eval" --rouge c r
    fails 1 'c: has more lines than r, which has 1' "$BIN/eval" --bleu c r
    printf 'a\t\377b\n' >p
    fails 1 'p:1: byte 3 is not UTF-8' "$BIN/eval" --bleu p
    : >p
    fails 1 'no pairs: the input is empty' "$BIN/eval" --rouge p
    printf '# pairs=escaped\ncandidate\treference\na\\x\tb\n' >p
    fails 1 'p:3: a backslash that begins none of' "$BIN/eval" --rouge p
    printf 'a\tb\nc\td\te\n' >p
    fails 1 'pair 2: 2 references where the first pair has 1' "$BIN/eval" --bleu p
    fails 1 'nothere: No such file or directory' "$BIN/eval" --rouge nothere
}

@test "mistakes on the command line: status 2" {
    fails 2 '1 operands where RUN and DATA are needed' "$BIN/eval" "$RUN"
    fails 2 '0 operands where one RUN is needed' "$BIN/eval" --generate x
    fails 2 'exclude each other' "$BIN/eval" --rouge --bleu
    fails 2 "--kinds: 'x' is none of" "$BIN/eval" --rouge --kinds 1,x
    fails 2 '--stride: only --policy stride has one' "$BIN/eval" --stride 3 "$RUN" "$DATA"
    fails 2 '--stride: 33 leaves gaps' "$BIN/eval" --policy stride --stride 33 "$RUN" "$DATA"
    fails 2 "--window: 33 is more than the model's context of 32" \
        "$BIN/eval" --window 33 "$RUN" "$DATA"
    fails 2 '--stem: has no part in what is asked for' "$BIN/eval" --stem "$RUN" "$DATA"
    fails 2 '--windows: has no part' "$BIN/eval" --windows 3 --generate x "$RUN"
    fails 2 '--smooth-value: only' "$BIN/eval" --bleu --smooth-value 2 c r
}

@test "data that is not the model's is refused" {
    stream >tokens
    fails 1 'its vocabulary' "$BIN/eval" "$RUN" tokens
    fails 1 'does not say what its ids mean' "$BIN/eval" --generate x "$GPT2"
    corpus 3000 | tokenize -q --learn 257 -o other 2>err || cat err
    corpus 3000 | tokenize -q -v "$PWD/other" >tokens
    fails 1 'has other words than' "$BIN/eval" "$RUN" tokens
    corpus 20 | tokenize -q -v bytes >tokens
    fails 1 'the data has 22 tokens; one window takes 33' "$BIN/eval" "$RUN" tokens
    corpus 2000 | tokenize -q -v bytes | head -n 2 >tokens
    fails 1 'tokens' "$BIN/eval" "$RUN" tokens
    fails 1 'No such file' "$BIN/eval" nothere "$DATA"
}

@test "a full disk is told" {
    # shellcheck disable=SC2016
    fails 1 'No space left on device' \
        bash -c '"$0" -q "$1" "$2" >/dev/full' "$BIN/eval" "$RUN" "$DATA"
}

@test "sub-words: the checkpoint has them, and text comes out in words" {
    local golden=$ROOT/tests/golden/subword
    tokenize --learn 600 --subword -o vocab "$golden/train.en"
    tokenize -v vocab --lines "$golden/train.en" | shard --val-tail 0.1 -o set
    rm -r vocab
    train -q -o run --layers 1 --width 64 --heads 2 --context 32 --batch 2 --steps 2 set
    cmp set/vocab/codes.txt run/step-00000002/codes.txt
    cmp set/vocab/vocab.txt run/step-00000002/vocab.txt
    "$BIN/eval" -q --generate 'The file' --tokens 4 run | grep -q '^The file '
    "$BIN/eval" -q --pairs run set | cut -f 2 | tail -n +2 | grep -q ' the '
}
