# The manual says what the programs do: every option with its default, and nothing else.

load common

programs()
{
    for p in $(sed -n 's/^PROGRAMS = //p' "$ROOT/Makefile"); do
        [ -d "$ROOT/$p" ] && echo "$p"
    done
}

@test "every page is free of mandoc's warnings" {
    mandoc -T lint -W warning "$ROOT"/man/*.[157]
}

@test "every program has a page, and keel lists it with its purpose" {
    for p in $(programs); do
        echo "$p"
        [ -f "$ROOT/man/$p.1" ]
        keel | grep -qE "^  $p +[a-z]"
    done
}

@test "every page that is named in a page is there" {
    cd "$ROOT/man"
    sed -n 's/^\.Xr \([^ ]*\) \([157]\).*/\1.\2/p' ./*.[157] | sort -u |
        grep -vxE '(gnuplot|zstd)\.1' |
        while read -r page; do
            echo "$page"
            [ -f "$page" ]
        done
}

# The options of program $1: letter or "-", long name, default or "-".
options_of()
{
    "$BIN/$1" -h | awk '
        /^  (-.,|   ) --/ {
            letter = substr($0, 3, 1) == "-" ? substr($0, 4, 1) : "-"
            match($0, /--[a-z0-9-]+/)
            name = substr($0, RSTART + 2, RLENGTH - 2)
            value = match($0, /\[[^][]*\]$/) ? substr($0, RSTART + 1, RLENGTH - 2) : "-"
            print letter, name, value
        }'
}

# "Fl -name" stands in an .It line with its letter; a default of -h stands in the text
# before the next .It.  A default of 0 may be put in words.
@test "every option of -h is in the program's page, with the same default" {
    bad=0
    for p in $(programs); do
        [ -f "$ROOT/man/$p.1" ] || { echo "$p has no page"; bad=1; continue; }
        while read -r letter name value; do
            case $name in threads | quiet | help | version) value=- ;; esac
            awk -v letter="$letter" -v name="$name" -v value="$value" '
                /^\.(It|El|Sh)/ {
                    inside = 0
                    n = split($0, word, " ")
                    for (i = 2; i <= n; i++)
                        if (word[i - 1] == "Fl" && word[i] == "-" name) inside = found = 1
                    for (i = 2; inside && i <= n; i++)
                        if (word[i - 1] == "Fl" && word[i] == letter) lettered = 1
                }
                inside {
                    text = $0
                    gsub(/[^A-Za-z0-9._+,-]/, " ", text)
                    n = split(text, word, " ")
                    for (i = 1; i <= n; i++) {
                        sub(/[.,]$/, "", word[i])
                        if (word[i] == value) told = 1
                    }
                }
                END {
                    exit !(found && (letter == "-" || lettered) &&
                           (value == "-" || value == "0" || told))
                }' "$ROOT/man/$p.1" ||
                { echo "$p.1: --$name ($letter, default $value)"; bad=1; }
        done < <(options_of "$p")
    done
    [ "$bad" -eq 0 ]
}

@test "every option in a page is one of the program's" {
    bad=0
    for p in $(programs); do
        options_of "$p" | cut -d ' ' -f 2 | sort >have
        sed -n 's/^\.It.* Fl -\([a-z0-9-]*\).*/\1/p' "$ROOT/man/$p.1" | sort -u >told
        comm -13 have told | sed "s/^/$p.1: no such option: --/" | grep . && bad=1
    done
    [ "$bad" -eq 0 ]
}

@test "a letter means one option, and -o -s -j -q -h mean the same everywhere" {
    bad=0
    for p in $(programs); do
        options_of "$p" | awk '$1 != "-" { print $1 }' | sort | uniq -d |
            sed "s/^/$p: two options have the letter /" | grep . && bad=1
        options_of "$p" | awk -v p="$p" '
            BEGIN { want["o"] = "output"; want["s"] = "seed"; want["j"] = "threads"
                    want["q"] = "quiet"; want["h"] = "help" }
            $1 in want && $2 != want[$1] { print p ": -" $1 " is --" $2; bad = 1 }
            END { exit bad }' || bad=1
    done
    [ "$bad" -eq 0 ]
}
