# eval: policies of perplexity, pairs, generation, and what goes wrong.

load common

GPT2=$ROOT/tests/golden/gpt2-tiny

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
