#!/usr/bin/env bash
# scores.sh - ROUGE and BLEU beside rouge-score and sacrebleu on one core, BERTScore with MiniLM
# beside bert-score at two threads.
#
# The texts are bench/scores: 2,000 pairs of 17 words, 12 of 743 words, 6,750 of 19 words.  keel is
# timed as a program from start to end, a peer inside Python after its imports, in turn, ROUNDS
# times: medians, the least and largest ratio of a round, and the difference of the two scores.
# The encoder is MiniLM, which `make check-bertscore` fetches, or KEEL_ENCODER's folder; without
# Python only keel is timed.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
bin=${KEEL_BIN:-$here/bin}
python=${KEEL_PYTHON:-}
encoder=${KEEL_ENCODER:-$here/build/minilm}
rounds=${ROUNDS:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"; [ -z "${PEER_PID:-}" ] || kill "$PEER_PID"' EXIT
cd "$work"

for text in short long mt; do
    xz -dc "$here/bench/scores/$text.tsv.xz" >$text
done
head -n 512 short >few
core=$(taskset -cp $$ | sed 's/.*: \([0-9]*\).*/\1/')
if [ -n "$python" ]; then
    "$python" -m pip install -q rouge-score sacrebleu bert-score 2>/dev/null || true
    coproc PEER { exec "$python" "$here/bench/scores_peers.py"; }
else
    echo "bench: KEEL_PYTHON is empty; the peers are left out" >&2
fi

summary()
{
    sort -g | awk '{ x[NR] = $1 } END { printf "%s\t%s\t%s", x[int((NR + 1) / 2)], x[1], x[NR] }'
}

# row CORES TEXT METRIC "PEER'S REQUEST" KEEL'S OPTIONS: one row of the table.
row()
{
    local cores=$1 text=$2 metric=$3 request=$4 n begin end theirs rows='' ours
    shift 4
    n=$(wc -l <"$text")
    taskset -cp "$cores" $$ >/dev/null
    for ((i = 0; i < rounds; i++)); do
        begin=${EPOCHREALTIME/[.,]/}
        "$bin/eval" -q "$@" "$text" >table
        end=${EPOCHREALTIME/[.,]/}
        theirs="nan nan"
        if [ -n "$python" ]; then
            echo "$cores $text $request" >&"${PEER[1]}"
            read -r theirs <&"${PEER[0]}"
        fi
        rows+="$((end - begin)) $theirs"$'\n'
    done
    ours=$(awk -F '\t' -v m="$metric" '$1 == m { print $2 }' table)
    awk -v n="$n" 'NF { print n / $1 * 1e6 }' <<<"$rows" | summary | cut -f 1 >keel
    awk -v n="$n" 'NF { print n / $2 }' <<<"$rows" | summary | cut -f 1 >peer
    awk 'NF { print $2 / $1 * 1e6 }' <<<"$rows" | summary >ratio
    awk -v what="$request, $text" -v keel="$(cat keel)" -v peer="$(cat peer)" -v ours="$ours" \
        -v ratio="$(cat ratio)" 'NF { gap = ours - $3 }
        END { split(ratio, r, "\t")
              printf "%s\t%.0f\t%.0f\t%.1f\t%.1f\t%.1f\t%.1e\n", what, keel, peer, r[1], r[2],
                  r[3], gap < 0 ? -gap : gap }' <<<"$rows"
}

printf 'what\tkeel_pairs_s\tpeer_pairs_s\tratio\tleast\tlargest\tdifference\n'
for text in short long; do
    row "$core" $text rougeL_f "rouge-score" -j 1 --rouge --kinds 1,2,L
    row "$core" $text rougeL_f "rouge-score stems" -j 1 --rouge --kinds 1,2,L --stem
done
for t in 13a intl none char; do
    row "$core" mt bleu "sacrebleu $t" -j 1 --bleu --tokenizer $t
done
row "$core" mt bleu "sacrebleu 13a lc" -j 1 --bleu --lowercase
if [ -e "$encoder/model.safetensors" ]; then
    row "$core,$(((core + 1) % $(nproc)))" few bertscore_f "bert-score $encoder" -j 2 \
        --bertscore "$encoder" --layer 6
else
    echo "bench: BERTScore is left out: no encoder in $encoder; make check-bertscore gets it" >&2
fi
