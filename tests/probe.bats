# probe: the program around lib/measure (tests/measure.c has the numbers): a run and --init,
# identities that hold for any weights, Xiong et al.'s Lemma 2 at initialisation, faults.

load common

SMALL="--layers 3 --width 32 --heads 4 --context 16"

# Once for the file: a set of Shakespeare's bytes, a run trained on it for a few steps.
setup_file()
{
    export OMP_NUM_THREADS=1
    cd "$BATS_FILE_TMPDIR" || return 1
    head -c 40000 "$BATS_TEST_DIRNAME/../share/shakespeare/tinyshakespeare.txt" >text
    PATH=${KEEL_BIN:-$BATS_TEST_DIRNAME/../bin}:$PATH
    tokenize -q -v bytes text | shard -q -o data --val-tail 0.5
    train -q -o run $SMALL --placement peri --norm-bias on --dt 0.3 --batch 4 --steps 20 --lr 1e-2 \
        --warmup 0 --schedule constant --eval-every 0 --eval-batches 1 data
}

setup()
{
    scratch
    ln -s "$BATS_FILE_TMPDIR/data" "$BATS_FILE_TMPDIR/run" .
}

# Column $1 of the table on stdin, a line each.
column()
{
    awk -F '\t' -v name="$1" '
        /^#/ { next }
        !at  { for (i = 1; i <= NF; i++) if ($i == name) at = i; if (!at) exit 1; next }
             { print $at }'
}

note()
{
    sed -n "s/^# $1=//p"
}

@test "a run: a row for the embedding and each sub-layer, settings as notes" {
    probe -q run data >out.tsv
    [ "$(column sub <out.tsv | paste -sd ' ')" = "embed attn mlp attn mlp attn mlp" ]
    [ "$(column layer <out.tsv | paste -sd ' ')" = "0 1 1 2 2 3 3" ]
    [ "$(column depth <out.tsv | paste -sd ' ')" = "0 0.5 1 1.5 2 2.5 3" ]
    [ "$(column fraction <out.tsv | tail -n 1)" = 1 ]
    [ "$(note placement <out.tsv) $(note dt <out.tsv) $(note step <out.tsv)" = "peri 0.3 20" ]
    [ "$(note lr <out.tsv) $(note train-seed <out.tsv) $(note measured <out.tsv)" = "0.01 1 64" ]
    ! column MA <out.tsv | grep -v '^[0-9]'
}

@test "the last state is what train measured, on the same kind of windows" {
    # Other windows of the same text: MA of a state averages over thousands of numbers, so
    # half as much again would be a mistake.
    probe -q --split train run data | column MA | tail -n 1 >ma
    awk -F '\t' '/^20\t/ { print $7 }' run/train.tsv | paste ma - |
        awk '{ exit !($1 / $2 < 1.5 && $2 / $1 < 1.5) }'
}

@test "the theorems' bounds hold, and Lemma 1, trained and untrained" {
    for p in peri output sandwich; do
        probe -q --init $SMALL --placement $p --norm-bias on --windows 8 data >$p.tsv
    done
    probe -q run data >run.tsv
    for t in peri output sandwich run; do
        for c in ratio_MA ratio_Var; do
            column $c <$t.tsv | awk '!($1 > 0 && $1 <= 1) { bad = 1 } END { exit bad || NR != 7 }'
        done
        [ -z "$(column bound_exp <$t.tsv | grep -v nan)" ]
    done
    probe -q --init $SMALL --placement pre --windows 8 data >pre.tsv
    column ratio_exp <pre.tsv |
        awk 'NR % 2 ? !($1 > 0 && $1 <= 1) : $1 != "nan" { bad = 1 } END { exit bad }'
    [ -z "$(column bound_MA <pre.tsv | grep -v nan)" ]
    for t in peri output sandwich run pre; do
        column q_error <$t.tsv | awk '$1 != "nan" && !($1 < 1e-5) { bad = 1 } END { exit bad }'
    done
    # A bound is no decoration: from what it says, by hand.  dt 1, gains 1, biases 0.
    probe -q --init $SMALL --placement peri --windows 1 --batch 1 data >one.tsv
    paste <(column fro <one.tsv | head -n 1) <(column bound_MA <one.tsv | tail -n 1) |
        awk '{ exit !(($1 + 6 - $2) ^ 2 < 1e-12) }'
}

@test "learned steps begin at dt, move, and Theorem 4's bound adds up their sizes" {
    probe -q --init $SMALL --placement peri --dt 0.3 --windows 2 data >plain.tsv
    probe -q --init $SMALL --placement peri --dt 0.3 --learn-dt on --windows 2 data >begun.tsv
    for c in dt_k MA var_entry bound_Var; do        # the same but for f32 rounding
        paste <(column $c <plain.tsv) <(column $c <begun.tsv) |
            awk '$1 != $2 && !(($1 / $2 - 1) ^ 2 < 1e-12) { bad = 1 } END { exit bad || NR != 7 }'
    done
    train -q -o learned $SMALL --placement peri --norm-bias on --dt 0.05 --learn-dt on --batch 4 \
        --steps 20 --lr 3e-2 --warmup 0 --schedule constant --eval-every 0 --eval-batches 1 data
    probe -q --windows 1 --batch 1 learned data >out.tsv
    [ "$(column dt_k <out.tsv | tail -n +2 | sort -u | grep -vxc 0.05)" -eq 6 ]
    paste <(column dt_k <out.tsv) <(column fro <out.tsv) <(column bound_MA <out.tsv) |
        awk -v norm="$(note g_max <out.tsv) $(note b_max <out.tsv)" '
            BEGIN { split(norm, n, " ") }
            NR == 1 { bound = $2; next }
            { bound += ($1 < 0 ? -$1 : $1) * (n[1] + n[2]); bad += ($3 - bound) ^ 2 > 1e-10 }
            END { exit bad || NR != 7 }'
    [ -z "$(column ratio_MA <out.tsv | awk '!($1 <= 1)')" ]
}

@test "Xiong et al., Lemma 2: pre-LN's squared norm grows by d/2 to 3d/2 a layer at the start" {
    # Their setting as near as options go: Xavier, ReLU, square matrices.  The feed-forward adds
    # d/2 in expectation, attention at most d; random weights and tokens move it by a few
    # percent at width 128 over 12 layers, so the bounds get 10 % of a layer.
    probe -q --init --placement pre --initial xavier --activation relu --layers 12 --width 128 \
        --hidden 128 --heads 1 --context 16 --windows 32 data | column fro |
        awk 'NR % 2 { at[n++] = $1 * $1 }
             END { grown = (at[12] - at[0]) / 12; print grown; exit !(grown > 0.4 && grown < 1.6) }'
    # Post-LN: LN's output has squared norm d at every layer.
    probe -q --init --placement post --initial xavier --activation relu --layers 6 --width 128 \
        --hidden 128 --heads 1 --context 16 --windows 8 data | column fro | tail -n +2 |
        awk '($1 - 1) ^ 2 > 1e-4 { bad = 1 } END { exit bad }'
}

@test "the batch changes nothing but rounding; the seed does, and only it" {
    probe -q --batch 1 --windows 12 run data | column MA >a
    probe -q --batch 5 --windows 12 run data | column MA >b
    paste a b | awk '($1 - $2) ^ 2 > 1e-12 * $1 ^ 2 { bad = 1 } END { exit bad }'
    probe -q --windows 12 -s 2 run data | column MA >c
    run ! cmp -s a c
    probe -q --init $SMALL --windows 2 data | grep -v '^#' >d
    probe -q --init $SMALL --windows 2 data | grep -v '^#' | cmp - d
}

@test "one window has no variance over windows; too many are as many as there are" {
    probe -q --windows 1 run data | column var_data | sort -u >got
    [ "$(cat got)" = nan ]
    probe -q --windows 1e6 run data | note measured >got
    tokens=$(shard --info data | awk '$1 == "val-tokens" { print $2 }')
    [ "$(cat got)" -eq $(((tokens - 1) / 16)) ]
}

@test "mistakes, each with its one line" {
    fails 2 "a run and a shard set are needed" probe run
    fails 2 "--init takes one operand" probe --init run data
    fails 2 "--windows: '-5' is not" probe --windows -5 run data
    fails 2 "does not divide" probe --init --width 30 --heads 4 data
    fails 1 "nowhere" probe nowhere data
    fails 1 "nowhere" probe run nowhere
    fails 1 "one window takes" probe --init --layers 1 --width 8 --heads 1 --context 30000 data
    echo 'a b c' >words
    tokenize -q --learn 260 -o vocab words
    tokenize -q -v vocab text 2>/dev/null || tokenize -q -v vocab words |
        shard -q -o other --val-fraction 0
    fails 1 "is not that of run/step-00000020: bytes (257, 256)" probe --split train run other
    corpus 3000 | tokenize -q --learn 257 -o permuted 2>err || cat err
    corpus 3000 | tokenize -q -v permuted | shard -q -o as_many --val-fraction 0
    fails 1 "has other words than that of run/step-00000020" probe --split train run as_many
}

@test "a full disk is reported, and leaves what was there" {
    run bash -c 'probe -q --windows 1 run data >/dev/full'
    [ "$status" -eq 1 ]
    [[ "$output" == *"No space left on device"* ]]
    small_disk 8k || skip "no right to mount a small disk"
    echo before >small/out.tsv
    run probe -q --init --layers 24 --width 8 --heads 1 --context 8 -o small/out.tsv data
    kept=$(cat small/out.tsv) left=$(ls -A small)
    umount small
    [ "$status" -eq 1 ]
    [[ "$output" == *"small/out.tsv: No space left on device"* ]]
    [ "$kept" = before ]
    [ "$left" = out.tsv ]
}
