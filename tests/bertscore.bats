#!/usr/bin/env bats
# bertscore - "$BIN/eval" --bertscore against bert-score 0.3.13 run on each pair alone, in f64
# (tests/golden/bert-tiny: a small random BERT; exact.tsv from gen_bert_exact.py).
load common

TINY=$BATS_TEST_DIRNAME/golden/bert-tiny

score()
{
    "$BIN/eval" -q --bertscore "$TINY" --each "$@" 2>stderr.txt
}

# Columns 2 to 4 of a table of scores against those of expected rows: the largest difference
# must be at most $3 and the number of rows $4.
agree()
{
    paste <(grep '^[0-9]' "$1" | cut -f 2-4) "$2" | awk -v most="$3" -v rows="$4" '
        {
            for (i = 1; i <= 3; i++) {
                d = $i - $(i + 3)
                if (d < 0) d = -d
                if (!(d <= most)) { print "row " NR ": " $0; bad = 1 }
            }
        }
        END { if (NR != rows) print NR " rows"; exit bad || NR != rows }'
}

# f32 states: the peer's own f32 differs from f64 by 2.4e-7.
@test "precision, recall and F at three depths, with and without idf, within 1e-6 of f64" {
    for layer in 0 2 3; do
        for idf in 0 1; do
            awk -F '\t' -v l=$layer -v i=$idf '$2 == l && $3 == i' OFS='\t' "$TINY/exact.tsv" |
                sort -n | cut -f 4-6 >want.tsv
            # shellcheck disable=SC2046
            score --layer $layer $([ $idf = 1 ] && echo --idf) "$TINY/pairs.tsv" >got.tsv
            agree got.tsv want.tsv 1e-6 96
        done
    done
}

# A byte-level vocabulary with <s>, <pad>, </s>, <unk> and <mask> in it: make_roberta_tiny.py.
@test "RoBERTa: within 1e-6 of transformers' tokens and f64 states" {
    roberta=$BATS_TEST_DIRNAME/golden/roberta-tiny
    for layer in 0 1 2; do
        for idf in 0 1; do
            awk -F '\t' -v l=$layer -v i=$idf '$2 == l && $3 == i' OFS='\t' "$roberta/exact.tsv" |
                sort -n | cut -f 4-6 >want.tsv
            # shellcheck disable=SC2046
            "$BIN/eval" -q --bertscore "$roberta" --each --layer $layer \
                $([ $idf = 1 ] && echo --idf) "$TINY/pairs.tsv" 2>stderr.txt >got.tsv
            agree got.tsv want.tsv 1e-6 96
        done
    done
    cp -r "$roberta" moved
    sed -i 's/"<s>"/"<t>"/' moved/vocab.json
    fails 1 'moved: its vocabulary has no token <s>' \
        "$BIN/eval" --bertscore moved --layer 1 "$TINY/pairs.tsv"
}

# As transformers 5 saves it: make_tokenizer_json.py.  The scores are those of the same vocabulary
# in the files above, which are compared with the peer's.
@test "a folder with tokenizer.json alone scores as with vocab.txt, or vocab.json and merges.txt" {
    as=$BATS_TEST_DIRNAME/golden/tokenizer-json
    for kind in bert roberta cased; do
        of=$kind
        [ $kind = cased ] && of=bert
        cp -r "$BATS_TEST_DIRNAME/golden/$of-tiny" files
        [ $kind = cased ] && echo '{"do_lower_case": false}' >files/tokenizer_config.json
        cp -r files json
        rm -f json/vocab.* json/merges.txt json/tokenizer_config.json
        cp "$as/$kind.json" json/tokenizer.json
        for folder in files json; do
            "$BIN/eval" -q --bertscore $folder --each --layer 2 "$TINY/pairs.tsv" 2>stderr.txt |
                grep -v '^#' >$folder.tsv
            tokenize -q -v $folder --lines "$TINY/pairs.tsv" | grep -v '^# vocab' >$folder.ids
        done
        cmp files.tsv json.tsv
        cmp files.ids json.ids
        [ "$(wc -l <json.tsv)" -eq 97 ]
        mv json.tsv $kind.tsv
        rm -r files json
    done
    [ "$(diff bert.tsv cased.tsv | wc -l)" -gt 50 ]
}

@test "a tokenizer.json that keel does not read is refused with what it has" {
    as=$BATS_TEST_DIRNAME/golden/tokenizer-json
    printf 'a\tb\n' >pair.tsv
    cp -r "$TINY" json
    rm json/vocab.txt
    try() { fails 1 "json/tokenizer.json: $1" "$BIN/eval" --bertscore json --layer 1 pair.tsv; }
    edit() { sed "$2" "$as/$1.json" >json/tokenizer.json; }
    cp "$as/unigram.json" json/tokenizer.json
    try "its model is 'Unigram'; keel reads WordPiece and byte-level BPE"
    edit roberta 's/"ByteLevel"/"Split"/'
    try "its pre_tokenizer has type 'Split'; keel reads such a model with 'ByteLevel' only"
    edit roberta 's/"byte_fallback": false/"byte_fallback": true/'
    try "its model has byte_fallback 'true'"
    edit roberta 's/"dropout": null/"dropout": 0.1/'
    try "its model has dropout '0.1'"
    edit bert 's/"max_input_chars_per_word": 100/"max_input_chars_per_word": 200/'
    try "its model has max_input_chars_per_word '200'; keel reads such a model with '100' only"
    edit bert 's/"strip_accents": null/"strip_accents": false/'
    try "its normalizer has strip_accents 'false' and lowercase 'true'"
    edit bert 's/"##"/"@@"/'
    try "its model has continuing_subword_prefix '@@'"
    edit bert 's/"\[SEP\]"/"[END]"/'
    try 'as vocab.txt: no line [SEP]'
    edit bert 's/"z": [0-9]*/"z": 9999/'
    try "'z' has no id from 0 to the number of tokens"
    edit bert 's/"z": [0-9]*/"z": 7/'
    try "'z' has the id of another token"
    head -c 500 "$as/bert.json" >json/tokenizer.json
    try 'line '
    echo '[]' >json/tokenizer.json
    try "its model is 'unnamed'"
    rm json/tokenizer.json
    fails 1 'json: no vocabulary in it' "$BIN/eval" --bertscore json --layer 1 pair.tsv
}

# A vocabulary with single letters in it, so that eight of them are eight tokens.
@test "a text is cut at the tokenizer's model_max_length; lengths beyond all integers are read" {
    cp -r "$TINY" short
    sed -i 's/"model_max_length": 64/"model_max_length": 10/' short/tokenizer_config.json
    printf 'a b c d e f g h x y z\ta b c a b c a b c a b c\n' >long.tsv
    printf 'a b c d e f g h\ta b c a b c a b\n' >cut.tsv
    "$BIN/eval" -q --bertscore short --each --layer 2 long.tsv 2>stderr.txt | tail -n 1 >got
    grep -q "longer than the encoder's context: 2; their ends" stderr.txt
    "$BIN/eval" -q --bertscore "$TINY" --each --layer 2 cut.tsv | tail -n 1 | cmp - got
    "$BIN/eval" -q --bertscore "$TINY" --each --layer 2 long.tsv | tail -n 1 >whole
    run ! cmp -s whole got
    printf 'A B c d\ta b c d\n' >cases.tsv
    for length in 64 1000000000000000019884624838656; do
        echo "{\"do_lower_case\": false, \"model_max_length\": $length}" \
            >short/tokenizer_config.json
        "$BIN/eval" -q --bertscore short --each --layer 2 cases.tsv | tail -n 1 >cased.$length
    done
    cmp cased.*
    "$BIN/eval" -q --bertscore "$TINY" --each --layer 2 cases.tsv | tail -n 1 >lower
    run ! cmp -s lower cased.64
    try() {
        echo "$1" >short/tokenizer_config.json
        fails 1 "short/tokenizer_config.json:$2" "$BIN/eval" --bertscore short --layer 1 long.tsv
    }
    try '{"do_lower_case": ' 2:
    try '{"strip_accents": false, "do_lower_case": true}' ' strip_accents differs'
    try '{"tokenize_chinese_chars": false}' ' tokenize_chinese_chars is false'
    try '{"model_max_length": 1}' ' model_max_length is less than'
}

@test "several references: the highest of each; a baseline rescales" {
    score --layer 3 "$TINY/multiref.tsv" >got.tsv
    agree got.tsv <(tail -n +2 "$TINY/multiref.expected.tsv") 1e-6 \
        $(($(wc -l <"$TINY/multiref.expected.tsv") - 1))
    n=$(($(wc -l <"$TINY/rescaled.expected.tsv") - 1))
    head -n $((n + 2)) "$TINY/pairs.tsv" | score --layer 3 --baseline "$TINY/baseline.tsv" >got.tsv
    agree got.tsv <(tail -n +2 "$TINY/rescaled.expected.tsv") 1e-6 $n
}

@test "a score does not depend on the other pairs" {
    score --layer 3 "$TINY/pairs.tsv" | grep '^[0-9]' | cut -f 2- >together.tsv
    for i in 3 41 77; do
        sed -n "1,2p;$((i + 2))p" "$TINY/pairs.tsv" | score --layer 3 | tail -n 1 |
            cut -f 2- >alone.tsv
        paste alone.tsv <(sed -n ${i}p together.tsv) |
            awk '{ exit !(($1 - $4) ^ 2 < 1e-12 && ($3 - $6) ^ 2 < 1e-12) }'
    done
}

# The header of a safetensors file is JSON: a blank before a colon keeps its length.
@test "norms with gamma and beta, as in bert-base-uncased, are read" {
    cp -r "$TINY" old
    LC_ALL=C sed -i -e 's/LayerNorm.weight":/LayerNorm.gamma" :/g' \
        -e 's/LayerNorm.bias"/LayerNorm.beta"/g' old/model.safetensors
    LC_ALL=C grep -aq 'LayerNorm.gamma" :' old/model.safetensors
    "$BIN/eval" -q --bertscore old --each --layer 3 "$TINY/pairs.tsv" 2>/dev/null |
        grep '^[0-9]' >old.tsv
    score --layer 3 "$TINY/pairs.tsv" | grep '^[0-9]' | cmp - old.tsv
    LC_ALL=C sed -i 's/LayerNorm.gamma" :/LayerNorm.delta" :/' old/model.safetensors
    fails 1 'LayerNorm.weight is missing' "$BIN/eval" --bertscore old --layer 3 "$TINY/pairs.tsv"
}

@test "any number of threads gives the same bits" {
    for j in 1 2 5; do
        score -j $j --layer 3 "$TINY/pairs.tsv" | grep '^[0-9]' >$j.tsv
        cmp 1.tsv $j.tsv
    done
    [ "$(wc -l <1.tsv)" -eq 96 ]
}

@test "empty and long texts are counted on stderr" {
    score --layer 3 "$TINY/pairs.tsv" >/dev/null
    grep -q 'texts without a token: 7; they score 0' stderr.txt
    grep -q "texts longer than the encoder's context: 22" stderr.txt
}

@test "what cannot be an encoder is refused" {
    printf 'a\tb\n' >pair.tsv
    fails 2 'is no model whose usual layer is known' "$BIN/eval" --bertscore "$TINY" pair.tsv
    fails 2 'is more than the 3 blocks' "$BIN/eval" --bertscore "$TINY" --layer 4 pair.tsv
    fails 1 'two are needed at least' "$BIN/eval" --bertscore "$TINY" --layer 3 --idf pair.tsv
    fails 1 'the model is no encoder' \
        "$BIN/eval" --bertscore "$BATS_TEST_DIRNAME/golden/gpt2-tiny" --layer 1 pair.tsv
    cp -r "$TINY" cut && truncate -s 300000 cut/model.safetensors
    fails 1 'cut/model.safetensors: cut short: tensor encoder.layer.2.attention.self.value' \
        "$BIN/eval" --bertscore cut --layer 3 pair.tsv
    cp -r "$TINY" small && sed -i 's/"hidden_size": 48/"hidden_size": 40/' small/config.json
    fails 1 'embeddings.word_embeddings.weight is not [511, 40]' \
        "$BIN/eval" --bertscore small --layer 3 pair.tsv
    cp -r "$TINY" deep && sed -i 's/"num_hidden_layers": 3/"num_hidden_layers": 4/' deep/config.json
    fails 1 'tensor bert.encoder.layer.3.attention.self.query.weight is missing' \
        "$BIN/eval" --bertscore deep --layer 4 pair.tsv
    cp -r "$TINY" words && sed -i '/\[SEP\]/d' words/vocab.txt
    fails 1 'words/vocab.txt: no line [SEP]' "$BIN/eval" --bertscore words --layer 3 pair.tsv
}
