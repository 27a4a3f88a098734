# The limits of size and form that CONTRIBUTING.md names.

load common

# Files that are longer than 400 lines, each with its reason.
#   (none)
LONGER=""

setup()
{
    cd "$ROOT" || return 1
}

# The sources, what was built and data left out.
sources()
{
    find . \( -path ./.git -o -path ./build -o -path ./bin -o -path ./share -o -path ./runs \
            -o -path ./recipes/runs -o -path ./tests/golden -o -path ./tests/fuzz/corpus \) -prune \
        -o -type f \( "$@" \) -print | sort
}

code()
{
    sources -name '*.[ch]' -o -name '*.def' -o -name '*.cu' -o -name '*.cuh' -o -name '*.sh' \
        -o -name '*.bats' -o -name '*.bash' -o -name '*.py' -o -name '*.gp'
}

@test "no file is longer than 400 lines" {
    code | xargs wc -l | awk -v longer=" $LONGER " '
        $2 != "total" && $1 > 400 && !index(longer, " " $2 " ") { print; bad = 1 } END { exit bad }'
}

@test "no function is longer than 60 lines, no header of the library than 120" {
    sources -name '*.[ch]' | xargs awk '
        /^\{/ { begin = FNR }
        /^\}/ {
            if (begin && FNR - begin > 61) {
                print FILENAME ":" begin ": " FNR - begin - 1 " lines"
                bad = 1
            }
            begin = 0
        }
        END { exit bad }'
    find lib -name '*.h' ! -name '*_ranges.h' | xargs wc -l |
        awk '$2 != "total" && $1 > 120 { print; bad = 1 } END { exit bad }'
}

@test "lines are at most 100 columns, without tabs or blanks at the end" {
    code | xargs awk '
        length($0) > 100 { print FILENAME ":" FNR ": " length($0) " columns"; bad = 1 }
        /\t/             { print FILENAME ":" FNR ": a tab"; bad = 1 }
        /[ \t]$/         { print FILENAME ":" FNR ": blanks at the end"; bad = 1 }
        END { exit bad }'
    sources -name Makefile -o -name '*.mk' -o -name '*.[157]' |
        xargs grep -nE '[[:blank:]]+$' && return 1
    return 0
}

@test "nothing is compiled for one machine only, or with loose arithmetic" {
    sources -name Makefile -o -name '*.mk' -o -name '*.[ch]' -o -name '*.sh' -o -name run \
        | xargs grep -nE -e '-(ffast-math|Ofast|march=native|funsafe-math)' |
        grep -vE ':[0-9]+:#' && return 1
    return 0
}

@test "no unfinished work is left behind as a comment" {
    { code; sources -name Makefile -o -name '*.mk' -o -name '*.md' -o -name '*.[157]'; } |
        xargs grep -nE '\b(TO''DO|FIX''ME|X''XX|HA''CK)\b' && return 1
    return 0
}
