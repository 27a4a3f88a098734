#!/usr/bin/env bash
# tokenize.sh - encoding, decoding and learning beside tiktoken, fastokens and rustbpe.
#
# On 20 MB and more of English: two Debian packages of documentation, or, without a network,
# what stands under /usr/share/doc.  Each engine runs in turn, five times, on one core;
# medians of MB of text a second, and a second of CPU time (which tells on a busy
# machine).  Then whole programs, from file to token text.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
PATH=${KEEL_BIN:-$here/bin}:$PATH
make -s -C "$here" build/bench/tokenize
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

if apt-get download -q dict-gcide anarchism >/dev/null 2>&1; then
    for package in ./*.deb; do
        dpkg-deb -x "$package" files
    done
    source="dict-gcide, anarchism"
    { find files -path '*/html/*.html' -print0 | sort -z | xargs -0 sed 's/<[^>]*>//g'
      gzip -dc <files/usr/share/dictd/gcide.dict.dz; } | iconv -c -f utf-8 -t utf-8 >text
else
    source=/usr/share/doc
    find /usr/share/doc -type f \( -name '*.txt' -o -name copyright -o -name '*.html' \) -print0 |
        sort -z | xargs -0 cat 2>/dev/null |
        iconv -c -f utf-8 -t utf-8 | head -c 40000000 >text || true
fi
gpt2=$here/share/gpt2
python=${KEEL_PYTHON:-}
[ -z "$python" ] || "$python" -m pip install -q tiktoken fastokens rustbpe 2>/dev/null || true
[ -n "$python" ] || echo "bench: KEEL_PYTHON is empty; the peers are left out" >&2

# CPUs that may be used, first one.
core=$(taskset -cp $$ | sed 's/.*: \([0-9]*\).*/\1/')
for _ in 1 2 3 4 5; do
    taskset -c "$core" "${KEEL_BENCH:-$here/build/bench}/tokenize" "$gpt2/vocab.bpe" text
    [ -z "$python" ] ||
        taskset -c "$core" "$python" "$here/bench/tokenize_peers.py" "$gpt2" text 2>>left-out
done >rows
[ ! -s left-out ] || sort -u left-out >&2

median()
{
    awk -F '\t' '
        { n[$1]++; wall[$1, n[$1]] = $2; cpu[$1, n[$1]] = $3; if (n[$1] == 1) order[++names] = $1 }
        function middle(x, name, k, i, j, t) {
            for (i = 1; i < k; i++)
                for (j = i + 1; j <= k; j++)
                    if (x[name, j] < x[name, i]) {
                        t = x[name, i]; x[name, i] = x[name, j]; x[name, j] = t
                    }
            return x[name, int((k + 1) / 2)]
        }
        END {
            for (i = 1; i <= names; i++)
                printf "%s\t%.1f\t%.1f\n", order[i], middle(wall, order[i], n[order[i]]),
                    middle(cpu, order[i], n[order[i]])
        }'
}

bytes=$(wc -c <text)
program()
{
    local what=$1
    shift
    for _ in 1 2 3; do
        { time bash -c "$*" >/dev/null; } 2>&1
    done | awk -v what="$what" -v n="$bytes" '
        { printf "%s\t%.1f\t%.1f\n", what, n / $1 / 1e6, n / ($2 + $3) / 1e6 }'
}

printf '# text=%s, %d bytes, cores=%d\n' "$source" "$bytes" "$(nproc)"
printf 'what\tMB_per_s\tMB_per_cpu_s\n'
median <rows
TIMEFORMAT='%R %U %S'
tokenize -q text >tokens
{
    program "tokenize -j 1" tokenize -q -j 1 text
    program "tokenize -j 2" tokenize -q -j 2 text
    program "tokenize --decode" tokenize -q --decode tokens
    program "tokenize --learn 8192 -j 2" 'rm -rf v; tokenize -q -j 2 --learn 8192 -o v text'
} | median
