# common.bash - what every .bats file loads: `load common`.
#
# Programs are found through KEEL_BIN (the Makefile sets it: bin/, or the
# sanitisers' build/asan/bin), first on PATH; eval is a shell builtin, so it is
# "$BIN/eval".  Each test runs in a scratch folder of its own.

bats_require_minimum_version 1.5.0     # for `run ! command`: a bare ! fails no test

ROOT=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
BIN=${KEEL_BIN:-$ROOT/bin}
PATH=$BIN:$PATH
export ROOT BIN PATH
export OMP_WAIT_POLICY=passive

# A .bats file with a setup of its own calls this first.
scratch()
{
    cd "$BATS_TEST_TMPDIR" || return 1
}

setup()
{
    scratch
}

# The first $1 bytes of the demo's corpus, ended by a whole line.
corpus()
{
    head -c "$1" "$ROOT/share/shakespeare/tinyshakespeare.txt"
    echo
}

# Run a command that must fail with status $1 and one line on stderr that holds $2.
fails()
{
    local want=$1 text=$2 got=0
    shift 2
    "$@" >stdout.txt 2>stderr.txt </dev/null || got=$?
    if [ "$got" -ne "$want" ] || [ "$(wc -l <stderr.txt)" -ne 1 ] ||
        ! grep -qF -- "$text" stderr.txt; then
        echo "\$ $*"
        echo "status $got (not $want?), and stderr, where one line with '$text' should be:"
        head -n 20 stderr.txt
        return 1
    fi
}

# Bound a subshell's memory to $1 kB; the address sanitiser needs terabytes of addresses.
address_space()
{
    [[ ${KEEL_SANITIZE-} == *address* ]] || ulimit -v "$1"
}

# Can this user fill a small file system of its own?  (tmpfs needs root.)
small_disk()
{
    mkdir -p small && mount -t tmpfs -o size="$1" keel-test small 2>/dev/null
}

# Flip one bit in the middle of a file, or at byte $2.
flip_bit()
{
    local at=${2:-$(($(stat -c %s "$1") / 2))} byte
    byte=$(od -An -tu1 -j "$at" -N 1 "$1")
    printf '%b' "\\x$(printf %02x $((byte ^ 1)))" |
        dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

# A value of a table on stdin.
value()
{
    awk -v name="$1" -F '\t' '$1 == name { print $2 }'
}

# $1 and $2 differ by at most $3.
near()
{
    awk -v a="$1" -v b="$2" -v e="$3" '
        BEGIN { d = a - b; exit !(a != "" && b != "" && d <= e && -d <= e) }' ||
        { echo "$1 is not $2 within $3"; return 1; }
}
