#!/usr/bin/env bash
# shard.sh - how fast token text becomes a shard set, and is checked and read.
#
# At least 32 MB of English: the texts under /usr/share/doc, or, where there are too few, the demo's
# corpus over and over.  A table: what, millions of tokens a second, and a second of the CPU's time
# (which tells on a busy machine); medians of five.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
PATH=${KEEL_BIN:-$here/bin}:$PATH
make -s -C "$here" build/bench/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

SIZE=32000000
{ find /usr/share/doc -type f \( -name '*.txt' -o -name copyright -o -name '*.html' \) -print0 |
    sort -z | xargs -0 cat 2>/dev/null || true; } | head -c $SIZE >text
while [ "$(wc -c <text)" -lt $SIZE ]; do
    cat "$here/share/shakespeare/tinyshakespeare.txt" >>text
done
tokenize -q -v gpt2 text >tokens
n=$(sed -n 's/^# end .*tokens=\([0-9]*\).*/\1/p' tokens)

TIMEFORMAT='%R %U %S'
rate()
{
    local what=$1
    shift
    for _ in 1 2 3 4 5; do
        rm -rf made
        { time bash -c "$*"; } 2>&1
    done | awk -v n="$n" -v what="$what" '
        function median(x, i, j, t) {
            for (i = 1; i < 5; i++)
                for (j = i + 1; j <= 5; j++)
                    if (x[j] < x[i]) { t = x[i]; x[i] = x[j]; x[j] = t }
            return x[3]
        }
        { wall[NR] = n / $1 / 1e6; cpu[NR] = n / ($2 + $3) / 1e6 }
        END { printf "%s\t%.0f\t%.0f\n", what, median(wall), median(cpu) }'
}

printf '# text=%d bytes, tokens=%d, cores=%d\n' "$(wc -c <text)" "$n" "$(nproc)"
printf 'what\tMtokens_per_s\tMtokens_per_cpu_s\n'
shard -q --split none -o set tokens
"$here/build/bench/data" tokens set
rate "shard -o, 1 thread" shard -q -j 1 --split none -o made tokens
rate "shard -o" shard -q --split none -o made tokens
rate "tokenize | shard" "tokenize -q -v gpt2 text | shard -q --split none -o made"
rate "shard --verify, 1 thread" shard -q -j 1 --verify set
rate "shard --verify" shard -q --verify set
rate "shard -c" "shard -q -c set >/dev/null"
printf '# compression: '
shard --info set | sed -n 's/^train-compression\t//p'
