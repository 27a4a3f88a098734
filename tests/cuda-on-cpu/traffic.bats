# What the kernels ask of memory, counted by the emulator, and of the chip, as ptxas says.

bats_require_minimum_version 1.5.0     # for `run ! command`

setup()
{
    cd "$BATS_TEST_DIRNAME/../.." || return 1
}

# What warps ask of the first cache, $4, is allowed more: numbers that all lanes read alike, as a
# row's mean, count as the whole sector they lie in.
@test "a memory-bound kernel moves at most 1.1 times its least bytes, without bank conflicts" {
    run tests/cuda-on-cpu/ratios
    echo "$output"
    [ "$status" -eq 0 ]
    awk -F '\t' '$2 > 1.1 || $3 > 1.1 || $4 > 1.2 || $5 > $6 { bad = 1 }
                 END { exit bad || NR < 35 }' <<<"$output"
}

@test "the tables of doc/cuda.md can be made: every kernel has its registers and occupancy" {
    command -v nvcc >/dev/null || skip "nvcc is not here to compile it"
    run tests/cuda-on-cpu/tables
    [ "$status" -eq 0 ]
    kernels=$(cat kernels/cuda/*.cu kernels/cuda/*.cuh | grep -c '^__global__')
    [ "$(grep -cE '\| [0-9]+ % \|$' <<<"$output")" -ge "$kernels" ]
    run ! grep -E '\| 0 % \|$' <<<"$output"
}

@test "nvcc compiles and links everything for each architecture; no kernel spills" {
    command -v nvcc >/dev/null || skip "nvcc is not here to compile it"
    [ -x build/cuda-nvcc/ops ]
    for log in build/cuda-nvcc/kernels/cuda/*.ptxas; do
        for arch in $(nvcc --list-gpu-code | grep -xE 'sm_(80|90|100)'); do
            [ "$(grep -c 'entry function' "$log")" -eq 0 ] ||
                grep -q "entry function .*'$arch'" "$log"
        done
        run grep -nE '[1-9][0-9]* bytes spill' "$log"
        [ "$status" -eq 1 ] || { echo "$log: $output"; return 1; }
    done
}

@test "programs built with CUDA run where there is no GPU and no driver, and say so when asked" {
    command -v nvcc >/dev/null || skip "nvcc is not here to compile it"
    command -v nvidia-smi >/dev/null && skip "a GPU is here"
    bin=$PWD/build/cuda-nvcc/bin
    cd "$BATS_TEST_TMPDIR"
    head -c 4000 "$bin/../share/shakespeare/tinyshakespeare.txt" |
        "$bin/tokenize" -q -v bytes --lines | "$bin/shard" -q --val-fraction 0.2 -o data
    small="--layers 1 --width 16 --heads 2 --context 8 --batch 2 --steps 2"
    # shellcheck disable=SC2086
    "$bin/train" -q -o run $small data
    for command in "train -o x $small data" "eval run data" "probe run data"; do
        # shellcheck disable=SC2086
        run "$bin/"${command/ / -q --device cuda }
        [ "$status" -eq 1 ]
        [[ "$output" == "${command%% *}: --device cuda: no GPU can be used: "* ]]
        [ "${#lines[@]}" -eq 1 ]
    done
    [ ! -e x ]
}
