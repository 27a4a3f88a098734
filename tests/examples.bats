# The examples of the manual pages run as they are printed.

load common

# Each `.Dl $ command` line of EXAMPLES, in order, in one shell, with corpus.txt beside it.
examples()
{
    corpus 60000 >corpus.txt
    commands "$ROOT/man/$1.1" >examples.sh
    [ -s examples.sh ]
    cat examples.sh
    timeout 200 bash -eo pipefail examples.sh </dev/null
}

# The commands of a page, with mdoc's escapes undone.
commands()
{
    awk '/^\.Sh/ { inside = /EXAMPLES/ }  inside && sub(/^\.Dl \$ /, "")' "$1" |
        sed -e 's/\\&//g' -e 's/\\-/-/g' -e 's/\\(dq/"/g' -e "s/\\\\(aq/'/g" -e 's/\\e/\\/g' \
            -e 's/^"\(.*\)"$/\1/'
}

@test "the examples of tokenize(1) run" {
    examples tokenize
}

@test "the examples of shard(1) run" {
    examples shard
}

@test "the examples of train(1) run" {
    examples train
}

@test "the examples of eval(1) run" {
    examples eval
}

@test "the examples of probe(1) run" {
    examples probe
}

@test "the examples of plot-data(1) run" {
    examples plot-data
}
