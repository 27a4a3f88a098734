#!/usr/bin/env bash
# scores.sh - ROUGE and BLEU beside rouge-score and sacrebleu, on one core; BERTScore with MiniLM
# beside bert-score at two threads.
#
# Pairs made of the demo's corpus: three of its lines, and the same with a word in seven left out
# and one in nine changed.  Programs are timed from start to end, the peers inside Python after
# their imports; pairs a second by the clock and by CPU time, the best of five (of two BERTScores);
# and the scores.  MiniLM is what `make check-bertscore` fetches into build/minilm.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
PATH=${KEEL_BIN:-$here/bin}:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

grep . "$here"/share/shakespeare/*.txt | paste -d ' ' - - - | tr -d '\r' >references
awk '{ line = ""
       for (i = 1; i <= NF; i++)
           if (++n % 7) line = line (line == "" ? "" : " ") (n % 9 ? $i : "other")
       print line }' references >candidates
paste candidates references >pairs
n=$(wc -l <pairs)
core=$(taskset -cp $$ | sed 's/.*: \([0-9]*\).*/\1/')
python=${KEEL_PYTHON:-}
encoder=${KEEL_ENCODER:-$here/build/minilm}
[ -z "$python" ] || "$python" -m pip install -q rouge-score sacrebleu bert-score 2>/dev/null || true
[ -n "$python" ] || echo "bench: KEEL_PYTHON is empty; the peers are left out" >&2

TIMEFORMAT='%R %U %S'
program()
{
    local what=$1
    shift
    for _ in $(seq "$runs"); do
        { time $on "${KEEL_BIN:-$here/bin}/eval" -q -o table "$@"; } 2>&1
        rm -f last && mv table last
    done | awk -v what="$what" -v n="$n" '
        { if (!wall || $1 < wall) wall = $1; if (!cpu || $2 + $3 < cpu) cpu = $2 + $3 }
        END { printf "%s\t%.0f\t%.0f\t", what, n / (wall + 0.0005), n / (cpu + 0.0005) }'
    awk -F '\t' '$1 == "rougeL_f" || $1 == "bleu" || $1 == "bertscore_f" { print $2 }' last
}

runs=5 on="taskset -c $core"
printf '# pairs=%d, words=%d, core=%s of %d\n' "$n" "$(wc -w <pairs)" "$core" "$(nproc)"
printf 'what\tpairs_per_s\tpairs_per_cpu_s\tscore\n'
program "keel ROUGE-1,2,L" --rouge --kinds 1,2,L pairs
program "keel ROUGE-1,2,L, stems" --rouge --kinds 1,2,L --stem pairs
for t in 13a intl none; do
    program "keel BLEU $t" --bleu --tokenizer $t pairs
done
program "keel BLEU 13a, lower case" --bleu --lowercase pairs
[ -z "$python" ] || taskset -c "$core" "$python" "$here/bench/scores_peers.py" pairs

n=512 runs=2 on=
head -n $n pairs >few
if [ -e "$encoder/model.safetensors" ]; then
    printf '# pairs=%d, words=%d, threads=2\n' "$n" "$(wc -w <few)"
    program "keel BERTScore" -j 2 --bertscore "$encoder" --layer 6 few
    [ -z "$python" ] || "$python" "$here/bench/scores_peers.py" few "$encoder"
else
    echo "bench: BERTScore is left out: no encoder in $encoder; make check-bertscore gets it" >&2
fi
