# train: runs, their tables and checkpoints, what they cost, options that cannot be.

load common

MODEL="--layers 2 --width 32 --heads 4 --context 32 --batch 4"
STEP="--lr 1e-2 --warmup 0 --schedule constant --eval-batches 4"

# A shard set "data" of the first $1 bytes of the corpus, a line a document.
make_data()
{
    corpus "$1" | tokenize -q -v bytes --lines | shard -q --val-fraction 0.1 -o data
}

# The table's rows, header first.
rows()
{
    grep -v '^#' "$1/train.tsv"
}

# All that must be the same in two runs of one command: the speed is not.
same_runs()
{
    local step
    cmp <(rows "$1" | cut -f 1-7) <(rows "$2" | cut -f 1-7)
    for step in "$1"/step-*; do
        cmp "$step/model.safetensors" "$2/${step##*/}/model.safetensors"
        cmp "$step/state.safetensors" "$2/${step##*/}/state.safetensors"
    done
}

@test "an encoder learns hidden tokens: its own loss is eval's, it goes on as if never stopped" {
    small="--architecture encoder --placement post --layers 2 --width 32 --heads 2 --context 32
           --batch 8 --lr 5e-3 --eval-every 0 --checkpoint-every 30"
    make_data 40000
    # shellcheck disable=SC2086
    train -q -o bert $small --steps 60 data
    val=$(rows bert | tail -n 1 | cut -f 4)
    rows bert | awk -F '\t' 'NR == 2 { first = $3 } END { exit !($4 < first - 1) }'
    "$BIN/eval" -q bert data >out
    near "$(value loss <out)" "$val" 1e-6
    grep -q '^# scored=hidden tokens' out
    [ -z "$(value bits_per_byte <out)" ]
    [ "$(value tokens <out)" -lt "$(($(value windows <out) * 32 / 5))" ]
    fails 2 'is an encoder: blocks or random' "$BIN/eval" --policy rolling bert data
    fails 1 'predicts no next token' "$BIN/eval" --pairs bert data
    fails 1 'predicts no next token' "$BIN/eval" --generate x bert
    fails 2 '--mask-share: only --architecture encoder' train -o x --mask-share 0.2 data
    grep -q '"model_type": "bert"' bert/step-00000060/config.json
    cp -r bert stopped
    rm -r stopped/step-00000060
    train -q --resume stopped
    cmp stopped/step-00000060/model.safetensors bert/step-00000060/model.safetensors
    probe -q bert data | grep -v '^#' | cut -f 3 | sort -u | grep -qx mlp
    train -q -o peri --architecture encoder --placement peri --layers 1 --width 16 --heads 2 \
        --context 16 --batch 2 --steps 1 data
    grep -q '"model_type": "keel"' peri/step-00000001/config.json
    head -c 3000 peri/step-00000001/model.safetensors | grep -qa 'attention.norm_out.weight'
}

@test "a run learns, and leaves a table and checkpoints" {
    make_data 60000
    # shellcheck disable=SC2086
    train -o run $MODEL $STEP --steps 40 --checkpoint-every 20 --eval-every 20 data 2>err.txt
    [ ! -s err.txt ]
    [ "$(rows run | head -n 1 | tr '\t' ' ')" = \
        "step tokens loss val_loss lr grad_norm ma tokens_per_second" ]
    [ "$(rows run | tail -n 1 | cut -f 1,2,5 | tr '\t' ' ')" = "40 5120 0.01" ]
    [ "$(rows run | awk -F '\t' '$4 != "" { print $1 }' | tr '\n' ' ')" = "step 20 40 " ]
    rows run | awk -F '\t' 'NR == 2 { first = $3 } END { exit !($3 < first - 1 && $4 < first - 1) }'
    [ "$(cd run && echo step-*)" = "step-00000000 step-00000020 step-00000040" ]
    [ "$(ls run/step-00000040 | tr '\n' ' ')" = \
        "config.json merges.txt model.safetensors state.safetensors vocab.json " ]
    # Every option is on record.
    train -h | sed -n 's/^ .*--\([a-z0-9-]*\).*/\1/p' |
        grep -vxE 'output|resume|dry-run|profile|threads|quiet|help|version' |
        while read -r name; do
            echo "$name"
            grep -q "^# $name=" run/train.tsv
            grep -qa "\"keel.$name\":" run/step-00000040/model.safetensors
        done
}

@test "the same command gives the same bits, at any number of threads" {
    make_data 60000
    mkdir a b
    # shellcheck disable=SC2086
    for t in a b; do
        (cd $t && train -j1 -o run $MODEL $STEP --dropout 0.1 --steps 12 ../data)
    done
    same_runs a/run b/run
    # shellcheck disable=SC2086
    (cd b && rm -r run && train -j2 -o run $MODEL $STEP --dropout 0.1 --steps 12 ../data)
    cmp <(rows a/run | cut -f 1-7) <(rows b/run | cut -f 1-7)
    # Another seed is another run.
    # shellcheck disable=SC2086
    train -o other -s 2 $MODEL $STEP --dropout 0.1 --steps 12 data
    cmp -s <(rows a/run | cut -f 3) <(rows other | cut -f 3) && false
    true
}

# The known sizes: papers.md counts without positions; 124439808 is what transformers says.
@test "--recompute gives the same bits in less memory; a run can go on with it" {
    make_data 40000
    # shellcheck disable=SC2086
    for placement in pre post; do
        set -- $MODEL $STEP --placement $placement --dropout 0.1 --accumulate 2 --steps 12
        rm -rf kept anew
        train -q -o kept "$@" --checkpoint-every 5 data
        train -q -o anew "$@" --recompute data
        cmp <(rows kept | cut -f 1-7) <(rows anew | cut -f 1-7)
        grep -qx '# recompute=1' anew/train.tsv
    done
    cp -r kept stopped
    rm -r stopped/step-00000012
    train -q --resume stopped --recompute
    cmp <(rows kept | cut -f 1-7) <(rows stopped | cut -f 1-7)
    cost() { train --dry-run --model gpt2 "$@" | value "$key"; }
    key=bytes_activations
    [ "$(cost --recompute)" -lt "$(($(cost) / 2))" ]
    key=flops_per_token
    [ "$(cost --recompute)" -gt "$(cost)" ]
    [ "$(cost --recompute)" -lt "$(($(cost) * 4 / 3))" ]
}

@test "a dry run counts GPT-2's parameters and allocates nothing" {
    # 3 GB of address space are less than any of these models trains in, and than ASan takes.
    limit=3000000
    case $BIN in *asan*) limit=unlimited ;; esac
    count()
    {
        (ulimit -v $limit && train --dry-run "$@") |
            awk -F '\t' -v k="$key" '$1 == k { print $2 }'
    }
    key=parameters_without_positions
    [ "$(count --model gpt2)" = 123587328 ]
    [ "$(count --model gpt2-large)" = 772271360 ]
    [ "$(count --model gpt2-xl)" = 1555201600 ]
    [ "$(count --model gpt2 --bias on --norm-bias on)" = 123689472 ]
    key=parameters
    [ "$(count --model gpt2 --bias on --norm-bias on --vocab 50257)" = 124439808 ]
    [ "$(count --model gpt2 --placement peri)" = $((123587328 + 1024 * 768 + 24 * 768)) ]
    key=bytes_parameters
    [ "$(count --model gpt2 --vocab 50304)" -ge $((4 * 124373760)) ]
    train -o run --dry-run --model gpt2 >/dev/null
    [ ! -e run ]
    fails 2 "name DATA or --vocab" train --dry-run --layers 2
    train --dry-run --model gpt2 >/dev/full 2>err.txt && false
    grep -q "No space left on device" err.txt
}

# The formulas of train(1), in awk.
@test "the learning rate follows each schedule" {
    make_data 20000
    check()
    {
        rm -rf run
        # shellcheck disable=SC2086
        train -o run $MODEL --layers 1 --lr 1e-3 --steps 20 --eval-batches 1 "$@" data
        rows run | awk -F '\t' -v kind="$2" -v w="${4:-0}" '
            function abs(x) { return x < 0 ? -x : x }
            NR > 1 {
                t = $1 - 1; lr = 1e-3; n = 20; pi = 3.14159265358979
                want = lr
                if (kind == "linear") want = lr * (1 - t / n)
                if (kind == "cosine")
                    want = lr / 10 + 0.9 * lr * (1 + cos(pi * (t - w) / (n - w))) / 2
                if (kind == "inverse-sqrt" && t > 1) want = lr * sqrt(w > 1 ? w : 1) / sqrt(t)
                if (t < w) want = lr * t / w
                if (abs($5 - want) > 1e-9) { print kind, t, $5, want; bad = 1 }
            }
            END { exit bad || NR != 21 }'
    }
    for kind in constant linear cosine inverse-sqrt; do
        check --schedule $kind --warmup 4
        check --schedule $kind --warmup 0
    done
    # By default a thirtieth of the steps, and a decay that ends at the last.
    train --dry-run --model gpt2 --steps 900 | grep -cE '^# (warmup=30|decay-steps=900)$' |
        grep -qx 2
}

@test "a run that diverges ends with status 3 and says when and why" {
    make_data 60000
    hard="--placement none --layers 12 --width 64 --heads 4 --context 32 --batch 8 --steps 50"
    # shellcheck disable=SC2086
    fails 3 "diverged at step" train -o run $hard --lr 3e-2 --warmup 0 --schedule constant data
    at=$(sed -n 's/^# diverged=//p' run/train.tsv)
    [ "$at" -gt 1 ] && [ "$at" -lt 50 ]
    grep -qE '^# diverged_because=the (loss|gradient.s norm) is (nan|infinite)$' run/train.tsv
    [ "$(rows run | tail -n 1 | cut -f 1)" = "$at" ]
    [ -f "$(printf 'run/step-%08d/model.safetensors' $((at - 1)))" ]
    # Going on leads to the same end.
    cp run/train.tsv before.tsv
    fails 3 "diverged at step $at" train --resume run
    cmp <(cut -f 1-7 before.tsv) <(cut -f 1-7 run/train.tsv)
}

@test "the last validation loss can make a run diverged" {
    make_data 60000
    # shellcheck disable=SC2086
    fails 3 "is above 1" train -o run $MODEL $STEP --steps 6 --diverge-above 1 data
    grep -qx '# diverged=6' run/train.tsv
    fails 3 "is above 1" train --resume run
    [ "$(grep -c '^# diverged=' run/train.tsv)" = 1 ]
    train --resume run --diverge-above 0
    [ "$(grep -c '^# diverged=' run/train.tsv)" = 0 ]
    # A margin so small that any rise is one: 12 steps at a rate that is too high.
    # shellcheck disable=SC2086
    fails 3 "above the best" train -o rises $MODEL $STEP --lr 10 --clip 0 --optimizer sgd \
        --norm-gain off --placement pre --steps 8 --eval-every 1 --diverge-margin 1e-3 data
}

@test "only the newest checkpoints are kept if so told" {
    make_data 20000
    # shellcheck disable=SC2086
    train -o run $MODEL $STEP --steps 10 --checkpoint-every 2 --keep 2 data
    [ "$(ls -A run | tr '\n' ' ')" = "step-00000008 step-00000010 train.tsv " ]
}

@test "a learned vocabulary goes with the checkpoints" {
    corpus 20000 >text
    tokenize -q --learn 300 -o words text
    tokenize -q -v words --lines text | shard -q --val-fraction 0.1 -o data
    # shellcheck disable=SC2086
    train -o run $MODEL $STEP --steps 2 data
    cmp words/vocab.json run/step-00000002/vocab.json
    cmp words/merges.txt run/step-00000002/merges.txt
}

@test "bad options are refused in one line" {
    make_data 20000
    fails 2 "--width: '0' is not" train -o run --width 0 data
    fails 2 "--heads: 5 does not divide --width 32" train -o run --width 32 --heads 5 data
    fails 2 "--lr: 'nan' is not" train -o run --lr nan data
    fails 2 "--lr: '-1' is not" train -o run --lr -1 data
    fails 2 "--min-lr: 1 is above --lr 0.1" train -o run --lr 0.1 --min-lr 1 data
    fails 2 "--dt: '0' is not" train -o run --dt 0 data
    fails 2 "--dt: 'inf' is not" train -o run --dt inf data
    fails 2 "--batch: '0' is not" train -o run --batch 0 data
    fails 2 "65536 windows of 100000 tokens are more" train -o run --batch 65536 --context 1e5 data
    fails 1 "out of memory" train -o run --layers 1 --width 8192 --heads 1 --batch 32768 data
    fails 2 "--steps: '1.5' is not" train -o run --steps 1.5 data
    fails 2 "--dropout: '1' is not" train -o run --dropout 1 data
    fails 2 "--placement: 'prae' is none of" train -o run --placement prae data
    fails 2 "--nothing: no such option" train -o run --nothing data
    fails 2 "one of -o RUN, --resume RUN" train data
    fails 2 "one of -o RUN, --resume RUN" train -o run --resume run data
    fails 2 "the shard set to train on is missing" train -o run
    fails 2 "one shard set is trained on" train -o run data data
    [ ! -e run ]
}

@test "bad data are refused in one line, and no run is begun" {
    make_data 20000
    fails 1 "nowhere" train -o run nowhere
    mkdir empty
    fails 1 "empty" train -o run empty
    fails 1 "the data has 257 token ids, the model only 100" train -o run --vocab 100 data
    # shellcheck disable=SC2086
    fails 1 "a window with its target needs 65537" train -o run $MODEL --context 65536 data
    chmod 000 data/manifest.json
    [ "$(id -u)" = 0 ] || fails 1 "Permission denied" train -o run data
    chmod 644 data/manifest.json
    # shellcheck disable=SC2144
    flip_bit "$(echo data/train-*)"
    # shellcheck disable=SC2086
    fails 1 "data/train-00000.tok.zst" train -o run $MODEL --steps 50 data
    : >file
    fails 1 "file" train -o file --layers 1 --width 8 --heads 1 --context 8 data
    rm -rf data
    printf '' | tokenize -q -v bytes | shard -q -o data 2>/dev/null || [ ! -e data ]
    [ ! -e data ] || fails 1 "" train -o run2 data
    [ ! -e run2 ]
}

@test "--profile: calls, products and bytes are those of the model, shares make up the whole" {
    make_data 60000
    # shellcheck disable=SC2086
    train -q -o run $MODEL $STEP --steps 3 --profile data >profile
    grep -q '^# peak: f32 [0-9.]* GFLOP/s, bf16 [0-9.]* GFLOP/s, memory [0-9.]* GB/s$' profile
    # 3 steps of 2 blocks with 4 matrices, 12 * 32^2 weights in a block, 4 * 32 tokens; backward
    # two products of each: GFLOP 2 * 3 * 2 * 12 * 32^2 * 128 * 2, shown to three places
    grep -v '^#' profile | awk -F '\t' '
        NR == 1 && $0 != "op\tcalls\tms\tshare\tgflop\tgbytes\tgflops\tgbytes_s\tof_peak" { exit 1 }
        NR > 1 {
            share += $4
            if ($9 <= 0) exit 1
        }
        $1 == "linear backward" { seen = $2 == 24 && $5 == 0.038 && $6 > 0 }
        $1 == "update" { seen = seen && $2 > 0 && $6 > 0 }
        END { exit !(seen && share > 0.99 && share < 1.01) }'
    "$BIN/eval" -q --profile run data >out 2>profile
    grep -q '^linear forward' profile
    run ! grep -q 'backward' profile
    [ "$(value loss <out)" ]
    fails 2 '--profile: has no part' "$BIN/eval" --bleu --profile
}
