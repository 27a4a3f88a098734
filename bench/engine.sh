#!/usr/bin/env bash
# engine.sh - the engine beside PyTorch, in alternating runs.  Three tables:
#
#   1. Tokens a second, medians over the rounds: training steps, forward passes, and generation
#      (there the peer is transformers).  ratio: keel's over that of PyTorch's better mode, with
#      the least and the largest of one round.  limit: tokens a second at the machine's peak of
#      products and its bandwidth, measured in the same run; share: how much of it keel reaches.
#   2. The peak of resident memory after three training steps, MiB; ratio to the lesser mode.
#   3. Two runs at once, each with a thread, together, and one run with two.
#
# PYTHON=python3 with torch and transformers; SIZES, PRECISIONS, GENERATE, PAIRS, ROUNDS, THREADS.
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-${KEEL_PYTHON:-python3}}
SIZES=${SIZES-demo tiny mid small 124m}
PRECISIONS=${PRECISIONS:-f32 bf16}
GENERATE=${GENERATE-124m}
PAIRS=${PAIRS-demo tiny mid}
ROUNDS=${ROUNDS:-5}
THREADS=${THREADS:-2}

make -s build/bench/engine
if ! "$PYTHON" -c 'import torch, transformers' 2>/dev/null; then
    echo "skipped: $PYTHON has no torch and transformers (make bench installs them, or PYTHON=...)"
    exit 0
fi
work=$(mktemp -d)
trap 'exec 3>&- 4>&- 5>&- 6>&-; rm -rf "$work"' EXIT

engine() { build/bench/engine "$@"; }

# The greatest number of column $1: of a limit, what was seen of it in the best moment.
most() { cut -d ' ' -f "$1" "$work/limit" | sort -g | tail -n 1; }

# The peers of a size and precision, eager and compiled, as processes that are asked by ask().
peers()
{
    local mode
    for mode in eager compiled; do
        mkfifo "$work/$mode.in" "$work/$mode.out"
        "$PYTHON" bench/torch_peer.py "$1" "$2" "$mode" "$3" <"$work/$mode.in" >"$work/$mode.out" &
    done
    exec 3>"$work/eager.in" 4<"$work/eager.out" 5>"$work/compiled.in" 6<"$work/compiled.out"
    rm "$work"/*.in "$work"/*.out
}
end_peers() { exec 3>&- 4>&- 5>&- 6>&-; wait; }
ask()           # MODE WHAT REPEATS
{
    local answer in=3 out=4
    [[ $1 == eager ]] || in=5 out=6
    echo "$2 $3" >&$in
    read -r answer <&$out
    echo "$answer"
}

# A row of table 1 from rounds "keel eager compiled" ("-": no such mode) on standard input.
row()           # SIZE PRECISION THREADS WHAT LIMIT
{
    awk -v head="$1\t$2\t$3\t$4" -v limit="$5" '
        function median(x, n,   i, j, t) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && x[j] < x[j - 1]; j--) {
                    t = x[j]; x[j] = x[j - 1]; x[j - 1] = t
                }
            return x[int((n + 1) / 2)]
        }
        { a[NR] = keel[NR] = $1; b[NR] = eager[NR] = $2; c[NR] = compiled[NR] = $3 }
        END {
            k = median(a, NR); e = median(b, NR); m = c[1] == "-" ? "-" : median(c, NR)
            best = m == "-" || e > m ? e : m
            for (i = 1; i <= NR; i++) {
                r = keel[i] / (best == e ? eager[i] : compiled[i])
                least = i == 1 || r < least ? r : least
                most = r > most ? r : most
            }
            printf "%s\t%.4g\t%.4g\t%s\t%.2f\t%.2f\t%.2f\t%.4g\t%.2f\n", head, k, e,
                   m == "-" ? m : sprintf("%.4g", m), k / best, least, most, limit, k / limit
        }'
}

columns='size precision threads what keel eager compiled ratio least largest limit share'
echo "${columns// /$'\t'}"
for size in $SIZES; do
    threads=$THREADS
    [[ $size == demo ]] && threads=1
    for precision in $PRECISIONS; do
        peers "$size" "$precision" "$threads"
        printf '%s\t%s\t%s\t%s\t%s\n' "$size" "$precision" \
            "$(engine memory "$size" "$precision" "$threads" 3 | cut -d ' ' -f 2)" \
            "$(ask eager memory 3)" "$(ask compiled memory 3)" >>"$work/memory"
        for ((i = 0; i < ROUNDS; i++)); do
            engine limit "$size" "$precision" "$threads" 1 >>"$work/limit"
            read -r _ a _ b < <(engine speed "$size" "$precision" "$threads" 3)
            echo "$a $(ask eager train 3) $(ask compiled train 3)" >>"$work/train"
            echo "$b $(ask eager forward 3) $(ask compiled forward 3)" >>"$work/forward"
        done
        end_peers
        row "$size" "$precision" "$threads" train "$(most 2)" <"$work/train"
        row "$size" "$precision" "$threads" forward "$(most 4)" <"$work/forward"
        rm "$work/train" "$work/forward" "$work/limit"
    done
done
for size in $GENERATE; do
    for precision in $PRECISIONS; do
        peers "$size" "$precision" "$THREADS"
        for ((i = 0; i < ROUNDS; i++)); do
            engine limit "$size" "$precision" "$THREADS" 1 >>"$work/limit"
            read -r _ a < <(engine generate "$size" "$precision" "$THREADS" 3)
            echo "$a $(ask eager generate 3) -" >>"$work/generate"
        done
        end_peers
        row "$size" "$precision" "$THREADS" generate "$(most 6)" <"$work/generate"
        rm "$work/generate" "$work/limit"
    done
done

if [[ -s $work/memory ]]; then
    printf '\nsize\tprecision\tkeel_mib\teager_mib\tcompiled_mib\tratio\n'
    awk '{ print $0 "\t" sprintf("%.2f", $3 / ($4 < $5 ? $4 : $5)) }' "$work/memory"
fi

printf '\nsize\tprecision\ttwo_runs_a_thread_each\tone_run_two_threads\tratio\n'
for size in $PAIRS; do
    for precision in $PRECISIONS; do
        for ((i = 0; i < ROUNDS; i++)); do
            engine speed "$size" "$precision" 1 3 >"$work/first" &
            second=$(engine speed "$size" "$precision" 1 3 | cut -d ' ' -f 2)
            wait
            together=$(awk -v b="$second" '{ print $2 + b }' "$work/first")
            one=$(engine speed "$size" "$precision" 2 3 | cut -d ' ' -f 2)
            echo "$together $one"
        done | sort -g | awk -v head="$size\t$precision" '
            { a[NR] = $1; b[NR] = $2 }
            END {
                m = int((NR + 1) / 2)
                printf "%s\t%.4g\t%.4g\t%.2f\n", head, a[m], b[m], a[m] / b[m]
            }'
    done
done
