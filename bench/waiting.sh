#!/usr/bin/env bash
# waiting.sh - what idle threads cost: training steps alone, and two runs at once on the same
# cores, with GNU OpenMP's own spinning, with keel's (kernels/waiting.c) and with none.
set -euo pipefail
cd "$(dirname "$0")/.."
make -s build/bench/engine

SIZE=${SIZE:-tiny}
run() { env "$@" build/bench/engine speed "$SIZE" f32 "$(nproc)" 5 | cut -d ' ' -f 2; }

printf 'setting\talone\tfirst_of_two\tsecond_of_two\n'
for setting in GOMP_SPINCOUNT=300000 KEEL=default OMP_WAIT_POLICY=passive; do
    alone=$(run "$setting")
    second=$(mktemp)
    run "$setting" >"$second" &
    first=$(run "$setting")
    wait
    printf '%s\t%s\t%s\t%s\n' "$setting" "$alone" "$first" "$(cat "$second")"
    rm "$second"
done
