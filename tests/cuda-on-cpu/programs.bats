# The programs with --device cuda, on a GPU or linked with the emulator: the same results as on the
# CPU, the same bits every time, and what a device that fails leaves behind.

load ../common

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
EMULATED=$ROOT/build/cuda-emu/bin
BIN=${KEEL_BIN:-$EMULATED}
PATH=$BIN:$PATH
RUN="--layers 1 --width 16 --heads 2 --context 8 --batch 2 --lr 1e-2 --warmup 0 --dropout 0.1
     --eval-batches 2 --eval-every 3 --checkpoint-every 2"

setup()
{
    scratch
    unset EMU_ORDER EMU_STREAMS EMU_PTX EMU_PROFILE EMU_FAIL
    corpus 4000 | tokenize -q -v bytes --lines | shard -q --val-fraction 0.2 -o data
}

# Train a run $1 with further options.
begin()
{
    # shellcheck disable=SC2086
    train -q -j1 -o "$1" $RUN --device cuda "${@:2}" data
}

# Columns $2 of a run's rows.
rows()
{
    grep -v '^#' "$1/train.tsv" | cut -f "$2"
}

# The numbers of two tables agree to $3 of themselves, what should be 0 to $4, or 1e-7.
agree()
{
    paste <(grep -v '^#' "$1") <(grep -v '^#' "$2") | awk -F '\t' -v e="$3" -v zero="${4-1e-7}" '
        { for (i = 1; i <= NF / 2; i++) {
            x = $i; y = $(i + NF / 2); d = x - y; s = y < 0 ? -y : y
            d = d < 0 ? -d : d
            if (x != y && !(d <= e * s + zero)) { print "line", NR, x, y; bad = 1 }
        } }
        END { exit bad || NR < 2 }'
}

@test "train and eval on the device agree with the CPU" {
    begin cuda --steps 6
    # shellcheck disable=SC2086
    train -q -j1 -o cpu $RUN --steps 6 data
    agree <(rows cuda 1-7) <(rows cpu 1-7) 1e-4
    for device in cpu cuda; do
        "$BIN/eval" -q --device $device cpu data >eval-$device
    done
    agree <(grep -v per_second eval-cuda) <(grep -v per_second eval-cpu) 1e-4
}

# Probe's table, mode and options "${@:3}", agrees with the CPU's as in agree().
probes_alike()
{
    for device in cpu cuda; do
        probe -q -j1 --init --layers 2 --heads 2 --init-std 0.2 --dt 0.3 --device $device "${@:3}" \
            data >table-$device 2>>warnings
    done
    [ ! -s warnings ]
    agree table-cuda table-cpu "$1" "$2"
}

# Both sum f32 states in f64, and differ by what the passes round, about 1e-7 of numbers of size 1.
@test "probe's tables are those of the CPU: states, gradients, Jacobians" {
    for placement in pre peri post; do
        for mode in "--windows 6 --batch 4" "--gradients --windows 3" "--jacobian --windows 1"; do
            # shellcheck disable=SC2086
            probes_alike 1e-5 1e-6 --width 18 --context 9 --placement $placement $mode
        done
    done
    # shellcheck disable=SC2086
    train -q -j1 -o run $RUN --steps 3 data
    for device in cpu cuda; do
        probe -q --device $device --windows 4 run data >table-$device
    done
    agree table-cuda table-cpu 1e-5 1e-6
}

# What a sub-layer stores is rounded by up to 2^-9, which is 2^-8 of a square.
@test "probe's tables in bf16 are those of the CPU in bf16" {
    for placement in peri post; do
        for mode in "--windows 6" "--gradients --windows 3"; do
            # shellcheck disable=SC2086
            probes_alike 2e-2 4e-3 --width 64 --context 17 --placement $placement \
                --precision bf16 --attention-precision bf16 $mode
        done
    done
}

@test "the same bits again, with --recompute, and when resumed" {
    begin whole --steps 6
    EMU_STREAMS=random:3 begin again --steps 6 --recompute
    cmp <(rows whole 1-7) <(rows again 1-7)
    cp -r whole part
    rm -r part/step-00000006
    train -q --resume part
    cmp <(rows whole 1-7) <(rows part 1-7)
    cmp whole/step-00000006/model.safetensors part/step-00000006/model.safetensors
}

# Stored in bf16, which rounds by up to 2^-9: some roundings add up to 1e-2 at most.
@test "in bf16 as the CPU in bf16, and the same bits with --recompute" {
    bf16="--steps 6 --width 64 --precision bf16 --attention-precision bf16 --activation gelu-tanh"
    # shellcheck disable=SC2086
    begin whole $bf16
    # shellcheck disable=SC2086
    begin again $bf16 --recompute
    cmp <(rows whole 1-7) <(rows again 1-7)
    # shellcheck disable=SC2086
    train -q -j1 -o cpu $RUN $bf16 data
    agree <(rows whole 1-7) <(rows cpu 1-7) 1e-2
}

# The call $1 fails for the $2th time: one line that names it and its place, and whatever was
# whole before is whole; the run goes on to what it would have been.
survives()
{
    local call=$1 status=0
    rm -rf run
    EMU_FAIL=$call:$2 begin run --steps 6 2>err || status=$?
    cat err
    [ "$status" -eq 1 ]
    [ "$(wc -l <err)" -eq 1 ]
    [ "$call" != cudaGetLastError ] || call="launch of"
    grep -qE "^train: kernels/cuda/[a-z_]+\.cuh?:[0-9]+: $call.*(error|memory|status)" err
    [ ! -e run ] || [ -z "$(find run -name '*.tmp')" ]
    if [ -e run/train.tsv ]; then
        for step in run/step-*; do
            "$BIN/eval" -q "$step" data >/dev/null
        done
        train -q --resume run
        cmp <(rows whole 1-7) <(rows run 1-7)
    fi
}

@test "a call that fails ends the run in one line, and what was written stays whole" {
    [ "$BIN" = "$EMULATED" ] || skip "no call fails on a GPU at will"
    begin whole --steps 6
    for call in $(grep -ohE '(CUDA|LT)\((cuda|cublasLt)[A-Za-z]+' "$ROOT"/kernels/cuda/*.cu |
        cut -d '(' -f 2 | sort -u | grep -v '^cudaFuncSetAttribute$'); do
        survives "$call" 1
    done
    for call in cudaMalloc:3 cudaMemcpyAsync:12 cudaMemcpyAsync:60 cudaStreamSynchronize:40 \
        cudaGraphLaunch:3 cublasLtMatmul:5 cudaGetLastError:1 cudaGetLastError:90; do
        survives "${call%:*}" "${call#*:}"
    done
}
