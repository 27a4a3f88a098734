# What the kernels ask of memory, counted by the emulator, and of the chip, as ptxas says.

setup()
{
    cd "$BATS_TEST_DIRNAME/../.." || return 1
}

# kernel, and bytes by which each count exceeds what it should be.
ratios()
{
    build/cuda-check/traffic >"$BATS_TEST_TMPDIR/least"
    awk -F'\t' '
        NR == FNR { least[$1] = $2; next }
        $1 == "kernel" { for (i = 2; i <= NF; i++) at[$i] = i; next }
        {
            kernel = $1
            if (!(kernel in least)) sub(/<.*/, "", kernel)
            if (!(kernel in least)) next
            seen[kernel] = 1
            printf "%s %.3f %.3f %.3f %d %d\n", kernel, $at["distinct"] / least[kernel],
                $at["beyond"] / least[kernel], $at["asked"] / $at["needed"], $at["passes"],
                $at["best"]
        }
        END { for (k in least) if (!(k in seen)) print k, "never ran" }
    ' "$BATS_TEST_TMPDIR/least" "$EMU_PROFILE"
}

@test "a memory-bound kernel moves at most 1.1 times its least bytes, without bank conflicts" {
    export EMU_PROFILE=$BATS_TEST_TMPDIR/profile
    run ratios
    echo "$output"
    [ "$status" -eq 0 ]
    awk 'NF < 6 || $(NF - 4) > 1.1 || $(NF - 3) > 1.1 { bad = 1 }
         $(NF - 2) > 1.1 || $(NF - 1) > $NF { bad = 1 }
         END { exit bad || NR < 14 }' <<<"$output"
}

@test "nvcc compiles and links everything for each architecture; no kernel spills" {
    command -v nvcc >/dev/null || skip "nvcc is not here to compile it"
    [ -x build/cuda-nvcc/ops ]
    for log in build/cuda-nvcc/kernels/cuda/*.ptxas; do
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
