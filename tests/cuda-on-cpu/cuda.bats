# The CUDA backend's kernels, run on the CPU in three builds and several orders of their threads.
# `make check-cuda` builds what stands here in build/cuda-*.

setup()
{
    cd "$BATS_TEST_DIRNAME/../.." || return 1
    unset EMU_ORDER EMU_STREAMS EMU_PTX EMU_PROFILE
}

# Run a test program; show what failed in it.
passes()
{
    run "$@"
    grep -vE '^ok ' <<<"$output" || true
    [ "$status" -eq 0 ]
}

@test "every op against f64, threads in order" {
    passes build/cuda-emu/ops cuda
}

@test "every op against f64, threads in reverse, streams as late as they may" {
    EMU_ORDER=reverse EMU_STREAMS=random:1 passes build/cuda-emu/ops cuda
}

@test "every op against f64, threads in random orders" {
    for seed in 1 2; do
        EMU_ORDER=random:$seed EMU_STREAMS=random:$seed passes build/cuda-emu/ops cuda
    done
}

@test "every op under the address and undefined-behaviour sanitisers" {
    ASAN_OPTIONS=detect_leaks=0 passes build/asan/cuda-emu/ops cuda
}

@test "every op without races, wild accesses or uninitialised shared memory" {
    passes build/cuda-check/ops cuda
}

@test "every op as nvcc compiled it: its PTX, interpreted" {
    command -v nvcc >/dev/null || skip "nvcc is not here to compile it"
    modules=$(printf '%s:' build/ptx/kernels/cuda/*.ptx)
    EMU_PTX=${modules%:} passes build/cuda-emu/ops cuda
    EMU_PTX=${modules%:} passes build/cuda-emu/optim cuda
}

@test "norm, attention and cross-entropy against PyTorch, from g++ and from nvcc" {
    passes build/cuda-emu/torch cuda
    command -v nvcc >/dev/null || return 0
    modules=$(printf '%s:' build/ptx/kernels/cuda/*.ptx)
    EMU_PTX=${modules%:} passes build/cuda-emu/torch cuda
}

@test "the optimisers, in all builds" {
    passes build/cuda-emu/optim cuda
    ASAN_OPTIONS=detect_leaks=0 passes build/asan/cuda-emu/optim cuda
    passes build/cuda-check/optim cuda
}

@test "sums over sequences of states, in all builds and orders, and as nvcc compiled them" {
    for order in forward reverse random:1; do
        EMU_ORDER=$order passes build/cuda-emu/reduce cuda
    done
    ASAN_OPTIONS=detect_leaks=0 passes build/asan/cuda-emu/reduce cuda
    passes build/cuda-check/reduce cuda
    command -v nvcc >/dev/null || return 0
    modules=$(printf '%s:' build/ptx/kernels/cuda/*.ptx)
    EMU_PTX=${modules%:} passes build/cuda-emu/reduce cuda
}

@test "statistics, bounds and Lemma 1 of every placement against numpy" {
    passes build/cuda-emu/measure cuda
}

@test "Jacobians of every placement against PyTorch" {
    passes build/cuda-emu/jacobian cuda
}

@test "sub-layers computed anew give the same bits" {
    passes build/cuda-emu/gradcheck cuda
    EMU_ORDER=random:7 EMU_STREAMS=random:7 passes build/cuda-emu/gradcheck cuda
}

@test "two-block models of every placement train as on the CPU's backend" {
    passes build/cuda-emu/compare
}

@test "a two-block model trains without races; threads in random order" {
    EMU_ORDER=random:5 EMU_STREAMS=random:5 passes build/cuda-check/compare 3
}

@test "a binary without CUDA says so in one line" {
    make -s build/tests/ops
    run build/tests/ops cuda
    [ "$status" -eq 1 ]
    [ "$output" = "ops: --device cuda: not built in; use cpu" ]
}

@test "launches, inline PTX and shared memory stand in their one place" {
    words='<<<|extern __shared__|asm *(volatile)? *\(|__activemask|__shfl(_up|_down|_xor)?\('
    run grep -nE "$words" \
        kernels/cuda/*.cu kernels/cuda/[abd-z]*.cuh
    [ "$status" -eq 1 ] || [ -z "$(grep -v '^kernels/cuda/ptx.cuh:' <<<"$output")" ]
}
