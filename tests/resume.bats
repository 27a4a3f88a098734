# train --resume: a run that was stopped, killed or ran out of disk goes on as if it had not been.

load common

RUN="--placement peri --norm rms --dt 0.1 --learn-dt on --layers 2 --width 32 --heads 4 --context 32
     --batch 4 --dropout 0.1 --lr 1e-2 --eval-batches 4 --eval-every 30"

setup()
{
    scratch
    corpus 60000 | tokenize -q -v bytes --lines | shard -q --val-fraction 0.1 -o data
}

# The uninterrupted run whole/run of $1 steps, in a folder of its own so that commands agree.
whole_run()
{
    mkdir -p whole part
    # shellcheck disable=SC2086
    (cd whole && train -q -j1 -o run $RUN --steps "$1" --checkpoint-every 7 ../data)
}

begin()
{
    # shellcheck disable=SC2086
    exec train -q -j1 -o run $RUN --steps "$1" --checkpoint-every 7 ../data
}

# part/run has become the same as whole/run, nothing half-written is left.
is_whole()
{
    diff <(cut -f 1-7 whole/run/train.tsv) <(cut -f 1-7 part/run/train.tsv)
    diff <(cd whole && ls -A run) <(cd part && ls -A run)
    for file in whole/run/step-*/*; do
        cmp "$file" "part/${file#whole/}"
    done
}

# Go on with part/run, or begin it if it has no checkpoint yet.
go_on()
{
    cd part || return
    if [ -d run ] && [ "$(echo run/step-*)" != "run/step-*" ]; then
        exec train -q -j1 --resume run
    fi
    begin "$1"
}

row_count()
{
    grep -c '^[0-9]' part/run/train.tsv 2>/dev/null || true
}

# The moment: some rows further, none of them now and then, and some milliseconds.
@test "twenty kills at random moments, and the run is the same bit for bit" {
    whole_run 300
    for kill in $(seq 20); do
        rows=$(row_count)
        rows=$((${rows:-0} / 7 * 7 + RANDOM % 22))
        go_on 300 &
        while kill -0 $! 2>/dev/null && [ "0$(row_count)" -lt "$rows" ]; do :; done
        sleep "0.0$((RANDOM % 30 + 10))"
        kill -9 $! 2>/dev/null || true
        wait $! || true
        echo "kill $kill: $(row_count) rows, $(cd part/run 2>/dev/null && echo step-*)"
    done
    (go_on 300)
    # The folder that a kill left half-made has another name; the next of its name removes it.
    rm -rf part/run/.step-*.tmp
    is_whole
}

@test "SIGTERM and SIGINT write a checkpoint and leave as the signal says" {
    whole_run 400
    cd part
    begin 400 2>err.txt &
    signal_after 5 TERM 143
    # In the background a shell has SIGINT ignored.
    env --default-signal=INT train -q -j1 --resume run 2>err.txt &
    signal_after 30 INT 130
    train -q -j1 --resume run
    cd "$BATS_TEST_TMPDIR"
    # Checkpoints at the places of the signals are more than the whole run has.
    for step in part/run/step-*; do
        [ -d "whole/run/${step##*/}" ] || rm -r "$step"
    done
    is_whole
}

# Send the program last begun a signal once the table has $1 rows; it must end with status $3.
signal_after()
{
    local status=0
    until [ "$(grep -c '^[0-9]' run/train.tsv 2>/dev/null)" -ge "$1" ]; do sleep 0.02; done
    kill "-$2" $!
    wait $! || status=$?
    echo "status $status"
    cat err.txt
    [ $status -eq "$3" ] && grep -q "go on with: train --resume run" err.txt
}

@test "a table that is longer than the checkpoint, or torn, is cut to it" {
    whole_run 20
    cp -r whole/run part/run
    rm -r part/run/step-00000020
    printf '99\t1\t2' >>part/run/train.tsv
    (cd part && train -q -j1 --resume run)
    is_whole
    # Without a table it begins again after the checkpoint.
    rm -r part/run/step-00000020 part/run/train.tsv
    (cd part && train -q -j1 --resume run)
    [ "$(grep -vc '^#' part/run/train.tsv)" = 7 ]
}

@test "a run that is complete stays, and goes on to more steps" {
    whole_run 14
    cp -r whole/run part/run
    train -q --resume part/run
    is_whole
    train -q --resume part/run --steps 20
    [ "$(tail -n 1 part/run/train.tsv | cut -f 1)" = 20 ]
    diff <(cut -f 1-7 whole/run/train.tsv) <(cut -f 1-7 part/run/train.tsv | head -n -6)
}

@test "what results depend on cannot be changed" {
    whole_run 8
    fails 2 "--lr: a run that is resumed keeps its own" train --resume whole/run --lr 1
    fails 2 "--width: a run that is resumed keeps its own" train --resume whole/run --width 64
    fails 2 "--steps: 7 are less than the 8" train --resume whole/run --steps 7
    fails 2 "--seed: a run that is resumed keeps its own" train --resume whole/run -s 3
    fails 1 "whole/run: a run is in it" train -o whole/run data
    cp -r data moved
    train -q --resume whole/run moved
    corpus 30000 | tokenize -q -v bytes --lines | shard -q --val-fraction 0.1 -o less
    fails 1 "training tokens, and the run was begun with" train --resume whole/run less
    corpus 30000 | tokenize -q -v gpt2 --lines | shard -q --val-fraction 0.1 -o gpt2
    fails 1 "its vocabulary gpt2 (50257 ids, end of text 50256) is not that of whole/run/step-" \
        train --resume whole/run gpt2
}

@test "a flipped bit in a checkpoint is found, and the one before it is as good" {
    whole_run 20
    cp -r whole/run part/run
    for file in model state; do
        cp part/run/step-00000020/$file.safetensors keep
        flip_bit part/run/step-00000020/$file.safetensors
        fails 1 "run/step-00000020/$file.safetensors: damaged" train --resume part/run
        truncate -s -5 part/run/step-00000020/$file.safetensors
        fails 1 "run/step-00000020/$file.safetensors: cut short" train --resume part/run
        cp keep part/run/step-00000020/$file.safetensors
    done
    diff -r whole/run part/run
    rm -r part/run/step-00000020
    (cd part && train -q -j1 --resume run)
    is_whole
}

@test "what is no run cannot be resumed" {
    fails 1 "nowhere: No such file" train --resume nowhere
    mkdir empty
    fails 1 "empty: no checkpoint of a run is in it" train --resume empty
    # Another program's checkpoints.
    mkdir -p other/step-00000001
    cp "$ROOT"/tests/golden/gpt2-tiny/{config.json,model.safetensors} other/step-00000001
    fails 1 "no run of train" train --resume other
    sed -i 's/"gpt2"/"t5"/' other/step-00000001/config.json
    fails 1 "model_type is t5" train --resume other
    # A model of another shape under this run's settings.
    whole_run 2
    cp -r whole/run/step-00000002 other/step-00000002
    # shellcheck disable=SC2086
    (cd part && train -q -o run ${RUN/rms/layer} --placement post --norm-bias on --steps 2 ../data)
    cp part/run/step-00000002/state.safetensors other/step-00000002
    fails 1 "is missing" train --resume other
}

@test "two trains do not work in one run" {
    # shellcheck disable=SC2086
    train -q -o run $RUN --steps 100000 --checkpoint-every 1000 data 2>/dev/null &
    pid=$!
    while [ ! -f run/train.tsv ]; do sleep 0.1; done
    fails 1 "run: another train is at work in it" train --resume run
    kill -9 $pid
    wait $pid || true
}

@test "a full disk ends the run, and the last whole checkpoint goes on" {
    whole_run 60
    small_disk 1200k || skip "cannot mount a small file system here"
    # shellcheck disable=SC2086
    (cd small && begin 60 2>../err.txt) && status=0 || status=$?
    ls -A small/run
    cp -r small/run part/run
    umount small
    cat err.txt
    [ $status -eq 1 ]
    [ "$(wc -l <err.txt)" = 1 ]
    grep -q "No space left on device" err.txt
    [ "$(find part/run -name '*.tmp' | wc -l)" = 0 ]
    (cd part && train -q -j1 --resume run)
    is_whole
}
