# What goes wrong outside, and what a careless user types: each failure is one line that names
# the program, with its status, and leaves the folder as it was.

load common

setup_file()
{
    cd "$BATS_FILE_TMPDIR" || return 1
    corpus 30000 >text
    tokenize -q -v bytes --lines text >tokens
    shard -q --val-fraction 0.1 -o DATA <tokens
    train -q -o RUN --layers 2 --width 32 --heads 2 --context 32 --batch 4 --steps 10 \
          --eval-every 5 --checkpoint-every 5 DATA
    # shellcheck disable=SC2119
    printf 'a b c\ta b d\n' >pairs
}

setup()
{
    cp -r "$BATS_FILE_TMPDIR/." "$BATS_TEST_TMPDIR"
    scratch
}

teardown()
{
    umount "$BATS_TEST_TMPDIR/small" 2>/dev/null || true
}

programs()
{
    ls "$BIN" | grep -vx keel
}

state()
{
    find . -type f ! -path './std*.txt' -exec cksum {} + | sort -k 3
    find . -type d | sort
}

# careless STATUS TEXT COMMAND: the shell command fails so, and changes nothing.
careless()
{
    local before
    before=$(state)
    fails "$1" "$2" timeout 60 bash -c "set -o pipefail; $3" || return 1
    grep -qE '^[a-z-]+: ' stderr.txt
    diff <(echo "$before") <(state)
}

# The options of a program whose default is a number, or that choose among names.
numbers()
{
    "$BIN/$1" -h | sed -nE 's/^  (-.,|   ) --([a-z0-9-]+) .*\[-?[0-9][0-9.e+-]*\]$/\2/p'
}

choices()
{
    "$BIN/$1" -h |
        sed -nE 's/^  (-.,|   ) --([a-z0-9-]+) .*: ([a-z0-9-]+, )+[a-z0-9-]+ \[[a-z0-9-]+\]$/\2/p'
}

@test "help goes to stdout, a mistake to stderr with status 2" {
    for p in $(programs); do
        "$BIN/$p" -h | grep -q "^usage: $p "
        [ "$("$BIN/$p" --version | wc -l)" -eq 1 ]
        careless 2 "--nothing: no such option; see $p -h" "$BIN/$p --nothing"
        careless 2 "-Z: no such option" "$BIN/$p -Z"
        careless 2 "--quiet=1: takes no value" "$BIN/$p --quiet=1"
    done
}

@test "no option takes a number that is none, or an absurd one" {
    for p in $(programs); do
        for option in $(numbers "$p"); do
            for value in x nan -1e999; do
                fails 2 "$p: --$option: '$value' is not" "$BIN/$p" "--$option" "$value"
            done
        done
        for option in $(choices "$p"); do
            fails 2 "$p: --$option: 'nonsense' is none of" "$BIN/$p" "--$option" nonsense
        done
    done
}

@test "a full disk under stdout is reported by every program" {
    for p in $(programs); do
        careless 1 "No space left on device" "$BIN/$p -h >/dev/full"
    done
    full="No space left on device"
    careless 1 "$full" "tokenize text >/dev/full"
    careless 1 "$full" "tokenize --decode tokens >/dev/full"
    careless 1 "$full" "shard -c DATA >/dev/full"
    careless 1 "$full" "shard --info DATA >/dev/full"
    careless 1 "$full" "train --dry-run --model gpt2 >/dev/full"
    careless 1 "$full" "$BIN/eval RUN DATA >/dev/full"
    careless 1 "$full" "$BIN/eval --pairs RUN DATA >/dev/full"
    careless 1 "$full" "$BIN/eval --rouge pairs >/dev/full"
    careless 1 "$full" "probe --batch 2 --windows 2 RUN DATA >/dev/full"
    careless 1 "$full" "plot-data -x step -y loss RUN/train.tsv >/dev/full"
    careless 1 "$full" "plot-data --terminal -x step -y loss RUN/train.tsv >/dev/full"
}

@test "a full disk under a file or folder is reported, and nothing half-written stays" {
    small_disk 64k || skip "only root can make a small disk"
    cp text big
    for _ in 1 2 3 4; do cat big big >bigger; mv bigger big; done
    head -c 60000 /dev/zero >small/old
    for command in \
        "tokenize -v bytes -o small/x big" \
        "tokenize --learn 2000 -o small/x big" \
        "tokenize -v bytes big | shard -o small/x" \
        "train -o small/x --layers 2 --width 32 --heads 2 --context 32 --batch 2 --steps 2 DATA" \
        "plot-data -x step -y loss --png small/x RUN/train.tsv"; do
        echo "\$ $command"
        run bash -c "set -o pipefail; $command"
        echo "$output"
        [ "$status" -eq 1 ]
        [[ $output == *"No space left on device"* ]]
        find small | sort
        [ "$(find small -type f ! -name train.tsv | wc -l)" -eq 1 ]
        [ "$(stat -c %s small/old)" -eq 60000 ]
        rm -rf small/x
    done
}

@test "a reader that leaves ends a program at once and without a word" {
    for command in "tokenize text" "tokenize --decode tokens" "shard -c DATA"; do
        echo "$command"
        bash -c "$command 2>said | head -c 10 >/dev/null; exit \${PIPESTATUS[0]}" || status=$?
        [ "${status:-0}" -eq 0 ] || [ "$status" -eq 141 ]
        [ ! -s said ]
    done
}

@test "what is missing, of the wrong kind or unreadable is named" {
    missing="No such file or directory"
    careless 1 "none: $missing" "tokenize none >/dev/null"
    careless 1 "none: $missing" "tokenize --decode none"
    careless 1 "none/x: $missing" "tokenize -o none/x text"
    careless 1 "DATA: is a folder" "tokenize -o DATA text"
    careless 1 "text: line 1: not token text" "tokenize --decode text"
    careless 1 "none" "shard --info none"
    careless 1 "text" "shard --verify text"
    careless 1 "none/x: $missing" "shard -o none/x <tokens"
    careless 1 "DATA: exists and is not empty" "shard -o DATA <tokens"
    careless 1 "none" "train -q -o new none"
    careless 1 "none: $missing" "train --resume none"
    careless 1 "RUN" "train -q -o RUN DATA"
    careless 1 "none: $missing" "plot-data -y loss none"
    careless 1 "none: $missing" "$BIN/eval none DATA"
    careless 1 "none" "$BIN/eval RUN none"
    careless 1 "none: $missing" "$BIN/eval --rouge none"
    careless 1 "none: $missing" "probe none DATA"
    for command in "tokenize" "tokenize --decode" "shard -o new" "plot-data -y loss" \
                   "$BIN/eval --rouge"; do
        careless 1 "Is a directory" "$command <. >/dev/null"
    done
}

@test "streams that are closed are errors, not files" {
    careless 1 "Bad file descriptor" "tokenize -v bytes <&- >/dev/null"
    careless 1 "Bad file descriptor" "tokenize -v bytes text >&-"
    careless 1 "Bad file descriptor" "shard -o new <&-"
    careless 1 "Bad file descriptor" "shard -c DATA >&-"
}

@test "models and data that cannot be are refused" {
    sizes="--layers 1 --width 32 --heads 2 --context 32 --batch 2 --steps 2"
    careless 2 "--heads: 3 does not divide --width 32" "train -o new $sizes --heads 3 DATA"
    careless 1 "the model only 64" "train -q -o new $sizes --vocab 64 DATA"
    careless 1 "a window" "train -q -o new $sizes --context 100000 DATA"
    careless 1 "empty" "tokenize -v bytes /dev/null | shard -q -o new"
    careless 1 "cut" "head -c 2000 tokens | shard -q -o new"
    careless 1 "cut" "head -n 20 tokens | shard -q -o new"
    careless 1 "cut" "head -c 2000 tokens | tokenize --decode >/dev/null"
    tokenize -q -v gpt2 --lines text | shard -q --val-fraction 0.1 -o GPT2
    careless 1 "the model only 320" "train -q -o new $sizes GPT2 --vocab 320"
    careless 1 "GPT2" "$BIN/eval RUN GPT2"
    careless 1 "GPT2" "probe RUN GPT2"
}

@test "a flipped bit in a shard or a checkpoint is found by whoever reads it" {
    flip_bit DATA/val-00000.tok.zst
    run shard --verify DATA         # a line for each damaged frame, and one for the set
    [ "$status" -eq 1 ]
    [[ $output == *"shard: DATA/val-00000.tok.zst: frame 0 "*damaged* ]]
    careless 1 "DATA/val-00000.tok.zst" "$BIN/eval RUN DATA"
    checkpoint=$(ls -d RUN/step-* | tail -n 1)
    flip_bit "$checkpoint/model.safetensors"
    careless 1 "$checkpoint/model.safetensors" "$BIN/eval --generate x RUN"
    careless 1 "$checkpoint/model.safetensors" "probe RUN DATA"
}
