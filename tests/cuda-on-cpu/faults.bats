# Mistakes planted in the kernels, each a patch whose name begins with the build that must see it:
# emu (results) or check (races, bounds); then the test program, ops where none is named.
# `make check-cuda` has built them.

setup()
{
    cd "$BATS_TEST_DIRNAME/../.." || return 1
    unset EMU_ORDER EMU_STREAMS EMU_PTX EMU_PROFILE
}

# A copy of the tree whose files share their storage with this one's; patch and make replace
# files and write none in place.
plant()
{
    local patch=$1 tree=$BATS_TEST_TMPDIR/tree
    mkdir -p "$tree/build"
    cp -al Makefile lib kernels tests "$tree"
    cp -al build/libkeel.a build/tests build/lib build/kernels build/cuda.stamp "build/cuda-$2" \
        "$tree/build"
    cd "$tree" || return 1
    patch -s -p1 <"$patch" || return 1
    rm -f "build/cuda-$2/$3"
    make -s CUDA="$2" "build/cuda-$2/$3"
}

# The fault $1 makes its test fail; $2: the operation in which ops sees it.
caught()
{
    local patch=$PWD/tests/cuda-on-cpu/faults/$1.patch build=${1%%-*} program=ops device=cuda
    [[ $1 =~ -(optim|reduce|gradcheck|compare)- ]] && program=${BASH_REMATCH[1]}
    plant "$patch" "$build" "$program" || { echo "the fault cannot be planted: $1"; return 1; }
    [ "$program" = compare ] && device=2       # a placement: pre, with dropout
    EMU_STREAMS=random:1 run "build/cuda-$build/$program" "$device" ${2+"$2"}
    rm -rf "$BATS_TEST_TMPDIR/tree"
    [ "$status" -ge 128 ] || grep -qE '^not ok|CUDA-ON-CPU ERROR' <<<"$output"   # or a crash
}

@test "a fault is seen: missing barrier" {
    caught check-missing-barrier norm
}

@test "a fault is seen: missing syncwarp" {
    caught check-missing-syncwarp attention
}

@test "a fault is seen: off by one guard" {
    caught check-off-by-one-guard activation
}

@test "a fault is seen: race of blocks" {
    caught check-race-of-blocks embed
}

@test "a fault is seen: tile loaded too soon" {
    caught check-tile-loaded-too-soon attention
}

@test "a fault is seen: dropped term" {
    caught emu-dropped-term norm
}

@test "a fault is seen: lost half of a warp" {
    caught emu-lost-half-of-a-warp norm
}

@test "a fault is seen: mask off by one" {
    caught emu-mask-off-by-one attention
}

@test "a fault is seen: a batch that is not waited for" {
    caught emu-compare-batch-not-waited-for
}

@test "a fault is seen: a sub-layer that is not computed anew" {
    caught emu-gradcheck-not-computed-anew
}

@test "a fault is seen: pinned memory filled again too soon" {
    caught emu-compare-pinned-too-soon
}

@test "a fault is seen: deviations of the rows' means left out" {
    caught emu-reduce-means-of-rows
}

@test "a fault is seen: a sequence's numbers read before they are there" {
    caught check-reduce-missing-barrier
}

@test "a fault is seen: tie to the higher" {
    caught emu-tie-to-the-higher head
}

@test "a fault is seen: writes instead of adding" {
    caught emu-writes-instead-of-adding linear
}
