#!/usr/bin/env bash
# shard.sh - how fast text becomes token text and a shard set, and is checked and read.
#
# A table: what, millions of tokens a second, and a second of the CPU's time (which tells on a
# busy machine); medians of five.  Then the whole way from text, in MB of it.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
PATH=${KEEL_BIN:-$here/bin}:$PATH
make -s -C "$here" build/bench/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# shellcheck source=bench/english.bash
. "$here/bench/english.bash"
english

tokenize -q -v gpt2 text >tokens
n=$(sed -n 's/^# end .*tokens=\([0-9]*\).*/\1/p' tokens)
bytes=$(wc -c <text)

# what, units of work, command: millions of units a second, and a second of the CPU's time.
TIMEFORMAT='%R %U %S'
rate()
{
    local what=$1 units=$2
    shift 2
    for _ in 1 2 3 4 5; do
        rm -rf made
        { time bash -c "$*"; } 2>&1
    done | awk -v n="$units" -v what="$what" '
        function median(x, i, j, t) {
            for (i = 1; i < 5; i++)
                for (j = i + 1; j <= 5; j++)
                    if (x[j] < x[i]) { t = x[i]; x[i] = x[j]; x[j] = t }
            return x[3]
        }
        { wall[NR] = n / $1 / 1e6; cpu[NR] = n / ($2 + $3) / 1e6 }
        END { printf "%s\t%.0f\t%.0f\n", what, median(wall), median(cpu) }'
}

printf '# text=%s, %d bytes, tokens=%d, cores=%d\n' "$source" "$bytes" "$n" "$(nproc)"
printf 'what\tMtokens_per_s\tMtokens_per_cpu_s\n'
shard -q --split none -o set tokens
"${KEEL_BENCH:-$here/build/bench}/data" tokens set
rate "shard -o, 1 thread" "$n" shard -q -j 1 --split none -o made tokens
rate "shard -o" "$n" shard -q --split none -o made tokens
rate "shard --verify, 1 thread" "$n" shard -q -j 1 --verify set
rate "shard --verify" "$n" shard -q --verify set
rate "shard -c" "$n" "shard -q -c set >/dev/null"
printf 'what\tMB_per_s\tMB_per_cpu_s\n'
rate "tokenize | shard" "$bytes" "tokenize -q -v gpt2 text | shard -q --split none -o made"
rate "tokenize | shard, 1 core" "$bytes" \
    "taskset -c 0 tokenize -q -j 1 text | taskset -c 0 shard -q -j 1 --split none -o made"
printf '# compression: '
shard --info set | sed -n 's/^train-compression\t//p'
