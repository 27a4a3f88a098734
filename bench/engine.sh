#!/usr/bin/env bash
# engine.sh - the engine beside PyTorch, in alternating runs: tokens a second of training steps
# and forward passes, and the ratio of medians with its spread over the rounds.
#
# PYTHON=python3 with torch; SIZES, PRECISIONS, MODES, ROUNDS, THREADS as below.
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-${KEEL_PYTHON:-python3}}
SIZES=${SIZES:-demo tiny mid small 124m}
PRECISIONS=${PRECISIONS:-f32 bf16}
MODES=${MODES:-eager compiled}
ROUNDS=${ROUNDS:-5}
THREADS=${THREADS:-2}

make -s build/bench/engine
if ! "$PYTHON" -c 'import torch' 2>/dev/null; then
    echo "skipped: $PYTHON has no torch (make bench installs it, or name one: PYTHON=...)"
    exit 0
fi

coproc PEER { exec "$PYTHON" bench/torch_peer.py; }
trap 'kill "$PEER_PID" 2>/dev/null || true' EXIT

# Median, least and largest of a column of numbers.
summary()
{
    sort -g |
        awk '{ x[NR] = $1 } END { printf "%.4g\t%.4g\t%.4g", x[int((NR + 1) / 2)], x[1], x[NR] }'
}

printf 'size\tprecision\tthreads\tpeer\twhat\tkeel\tpeer_tokens_s\tratio\tleast\tlargest\n'
for size in $SIZES; do
    threads=$THREADS
    [[ $size == demo ]] && threads=1
    for precision in $PRECISIONS; do
        for mode in $MODES; do
            rows=
            for ((i = 0; i < ROUNDS; i++)); do
                ours=$(build/bench/engine "$size" "$precision" "$threads" 3)
                echo "$size $precision $mode $threads 3" >&"${PEER[1]}"
                read -r theirs <&"${PEER[0]}"
                rows+="$ours $theirs"$'\n'
            done
            # columns: train T forward T mib M train T forward T
            for column in "train 2 8" "forward 4 10"; do
                read -r what a b <<<"$column"
                mine=$(awk -v c="$a" 'NF { print $c }' <<<"$rows" | summary | cut -f 1)
                peer=$(awk -v c="$b" 'NF { print $c }' <<<"$rows" | summary | cut -f 1)
                spread=$(awk -v a="$a" -v b="$b" 'NF { print $a / $b }' <<<"$rows" |
                    summary | cut -f 2,3)
                printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f\t%s\n' "$size" "$precision" "$threads" \
                    "$mode" "$what" "$mine" "$peer" \
                    "$(awk -v a="$mine" -v b="$peer" 'BEGIN { print a / b }')" "$spread"
            done
        done
    done
done
