#!/usr/bin/env bash
# tokenize.sh - encoding, decoding and learning beside tiktoken, fastokens, rustbpe and
# fast-bpe-rs, on one core and on two.
#
# The engines run in turn, ROUNDS=5 times; medians of MB of text a second, and a second of CPU
# time (which tells on a busy machine).  Then the ratios, each of two runs of one round: median,
# least and largest.  Then whole programs, from file to token text.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
PATH=${KEEL_BIN:-$here/bin}:$PATH
ROUNDS=${ROUNDS:-5}
make -s -C "$here" build/bench/tokenize
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# shellcheck source=bench/english.bash
. "$here/bench/english.bash"
english

gpt2=$here/share/gpt2
python=${KEEL_PYTHON:-}
[ -z "$python" ] ||
    "$python" -m pip install -q tiktoken fastokens rustbpe fast-bpe-rs 2>/dev/null || true
[ -n "$python" ] || echo "bench: KEEL_PYTHON is empty; the peers are left out" >&2

# The CPUs that may be used, one a line.
cpus=$(taskset -cp $$ | sed 's/.*: //' | tr , '\n' |
    awk -F - '{ for (i = $1; i <= $NF; i++) print i }')
for round in $(seq "$ROUNDS"); do
    for threads in 1 2; do
        some=$(head -n $threads <<<"$cpus" | paste -sd ,)
        export RAYON_NUM_THREADS=$threads
        taskset -c "$some" "${KEEL_BENCH:-$here/build/bench}/tokenize" "$gpt2/vocab.bpe" text \
            "$threads"
        [ -z "$python" ] || taskset -c "$some" "$python" "$here/bench/tokenize_peers.py" \
            "$gpt2" text "$threads" 2>>left-out
    done | sed "s/^/$round\t/"
done >rows
[ ! -s left-out ] || sort -u left-out >&2
unset RAYON_NUM_THREADS

# What, threads and a number, many times, to their median, least and largest.
summary()
{
    sort -t "$(printf '\t')" -k1,1 -k2,2n -k3,3g | awk -F '\t' '
        function show() {
            if (n)
                printf "%s\t%.*f\t%.*f\t%.*f\n", key, digits, x[int((n + 1) / 2)], digits, x[1],
                    digits, x[n]
            n = 0
        }
        { if ($1 FS $2 != key) show(); key = $1 FS $2; x[++n] = $3; digits = $3 < 100 ? 2 : 0 }
        END { show() }'
}

# Each of keel's rates over each peer's at the same thing, in the same round.
ratios()
{
    awk -F '\t' '
        { what = $2; sub(/^[^ ]* /, "", what); who = $2; sub(/ .*/, "", who)
          group = what; sub(/,.*/, "", group)
          rate[$1, $3, $2] = $4; rounds[$1]; threads[$3]
          if (who == "keel") mine[$2] = group
          else peers[$2] = group }
        END {
            for (r in rounds) for (t in threads) for (a in mine) for (b in peers)
                if (mine[a] == peers[b] && (r, t, a) in rate && (r, t, b) in rate)
                    printf "%s / %s\t%d\t%g\n", a, b, t, rate[r, t, a] / rate[r, t, b]
        }'
}

printf '# text=%s, %d bytes, cores=%d\n' "$source" "$(wc -c <text)" "$(nproc)"
printf 'what\tthreads\tMB_per_s\tleast\tlargest\n'
cut -f 2-4 rows | summary
printf 'what\tthreads\tMB_per_cpu_s\tleast\tlargest\n'
cut -f 2,3,5 rows | summary
printf 'ratio\tthreads\tmedian\tleast\tlargest\n'
ratios <rows | summary

bytes=$(wc -c <text)
TIMEFORMAT=%R
program()
{
    local what=$1 threads=$2
    shift 2
    for _ in $(seq "$ROUNDS"); do
        { time bash -c "$*" >/dev/null; } 2>&1
    done | awk -v what="$what" -v threads="$threads" -v n="$bytes" '
        { printf "%s\t%d\t%.1f\n", what, threads, n / $1 / 1e6 }'
}

printf 'program\tthreads\tMB_per_s\tleast\tlargest\n'
tokenize -q text >tokens
{
    program "tokenize" 1 tokenize -q -j 1 text
    program "tokenize" 2 tokenize -q -j 2 text
    program "tokenize --decode" 1 tokenize -q --decode tokens
    program "tokenize --learn 8192" 1 'rm -rf v; tokenize -q -j 1 --learn 8192 -o v text'
    program "tokenize --learn 8192" 2 'rm -rf v; tokenize -q -j 2 --learn 8192 -o v text'
} | summary
