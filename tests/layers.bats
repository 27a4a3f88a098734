# The architecture, read from every #include.

load common

# A layer may include itself and what stands before it in this list; kernels see base only.
LAYERS="base kernels graph text data model learn measure"

@test "includes point one way, down the list of layers" {
    cd "$ROOT"
    find lib kernels -name '*.[ch]' -o -name '*.def' -o -name '*.cu*' |
        sort | xargs awk -v order="$LAYERS" '
        function bad(what) { print FILENAME ":" FNR ": " what; failed = 1 }
        BEGIN { n = split(order, name, " "); for (i = 1; i <= n; i++) rank[name[i]] = i }
        FNR == 1 {
            own = FILENAME
            sub(/^lib\//, "", own)
            sub(/\/.*/, "", own)
            if (!(own in rank)) bad("a file of no layer")
        }
        /^ *# *include "/ {
            split($0, part, "\"")
            layer = part[2]
            if (!sub(/\/.*/, "", layer)) bad("include it by its layer: \"layer/" part[2] "\"")
            else if (!(layer in rank)) bad("includes " part[2] ", of no layer")
            else if (rank[layer] > rank[own]) bad(own " includes " part[2] ", a later layer")
        }
        END { exit failed }'
}

@test "a program includes the library, the kernels and its own folder, no other program" {
    cd "$ROOT"
    for p in $(sed -n 's/^PROGRAMS = //p' Makefile); do
        [ -d "$p" ] || continue
        grep -nE '^ *# *include "' "$p"/*.[ch] |
            grep -vE "\"(($p|${LAYERS// /|})/)?[a-z0-9_-]+\.(h|def)\"" && return 1
    done
    return 0
}

@test "main() stands only in programs, tests and benchmarks" {
    cd "$ROOT"
    run grep -rnE '^int main\(' lib kernels
    [ "$status" -eq 1 ]
}
