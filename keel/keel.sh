#!/bin/sh
# keel - run one of keel's programs by name.

set -u
here=$(dirname "$(readlink -f "$0")")
if [ -d "$here/../libexec/keel" ]; then
    programs=$here/../libexec/keel
    pages=$here/../share/man/man
else
    programs=$here              # in the folder it was built in
    pages=
fi

usage()
{
    cat <<'END'
usage: keel PROGRAM [argument ...]
       keel help PROGRAM
       keel --version

@PROGRAMS@

`keel PROGRAM -h` lists a program's options; `man 7 keel` is the tour.
END
}

# The man page of program $1, or the tour.
show_page()
{
    for page in "${pages}1/keel-$1.1" "${pages}7/$1.7" \
                "$here/../man/$1.1" "$here/../man/$1.7" "$here/../../../man/$1.1"; do
        [ -f "$page" ] || continue
        if command -v man >/dev/null; then
            exec man "$page"
        fi
        exec mandoc -a "$page"
    done
    echo "keel: help: there is no program '$1'; keel lists them" >&2
    exit 2
}

case ${1-} in
"" | -h | --help)
    usage
    ;;
--version)
    echo "keel @VERSION@"
    ;;
help)
    show_page "${2-keel}"
    ;;
*)
    name=$1
    shift
    case $name in
    -* | */* | keel) ;;
    *) [ -x "$programs/$name" ] && exec "$programs/$name" "$@" ;;
    esac
    echo "keel: there is no program '$name'; keel -h lists them" >&2
    exit 2
    ;;
esac
