# What is installed works from where it is put, and goes without a trace.

load common

# The settings of the build under test come through MAKEFLAGS when make runs the tests.
keel_make()
{
    make -s -C "$ROOT" BIN="$BIN" PREFIX=/usr DESTDIR="$PWD/root" "$@"
}

@test "installed programs run through keel, find their data, and a pipe of them works" {
    keel_make install
    PATH=$PWD/root/usr/bin:/usr/bin:/bin
    [ "$(command -v keel)" = "$PWD/root/usr/bin/keel" ]
    keel --version | grep -qE '^keel [0-9]'
    corpus 20000 >text
    keel tokenize -v gpt2 text | keel shard -o DATA
    keel shard --info DATA | grep gpt2
    keel shard -c DATA | keel tokenize --decode | cmp - text
}

@test "keel lists the programs and refuses what is none of them" {
    keel_make install
    PATH=$PWD/root/usr/bin:/usr/bin:/bin
    for p in $(ls root/usr/libexec/keel); do
        keel | grep -q "^  $p "
        keel "$p" -h | grep -q "^usage: $p "
    done
    fails 2 "no program 'nothing'" keel nothing
    fails 2 "no program '../keel/shard'" keel ../keel/shard
    fails 2 "no page of 'nothing'" keel help nothing
}

@test "manual pages are installed under keel's name, warn of nothing and name each other" {
    keel_make install
    cd root/usr/share/man
    run bash -c "mandoc -T lint -W warning man?/* | grep -v 'unusual Xr order'"
    [ -z "$output" ]        # the order of the names without "keel-"
    ls man?/* | grep -vE '/keel(-[a-z-]+)?\.[157]$' && return 1
    cat man?/* | sed -n 's/^\.Xr \([^ ]*\) \([157]\).*/man\2\/\1.\2/p' | sort -u |
        grep -vE '/(gnuplot|zstd)\.1' |
        while read -r page; do
            echo "$page"
            [ -f "$page" ]
        done
}

@test "uninstall leaves nothing" {
    keel_make install
    [ "$(find root -type f | wc -l)" -gt 5 ]
    keel_make uninstall
    [ "$(find root -type f -o -type l | wc -l)" -eq 0 ]
    [ "$(find root -name '*keel*' | wc -l)" -eq 0 ]
}
