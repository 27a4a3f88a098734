#!/bin/sh
# keel - run one of keel's programs by name.

set -u
here=$(dirname "$(readlink -f "$0")")
if [ -d "$here/../libexec/keel" ]; then
    programs=$here/../libexec/keel
    pages=$here/../share/man
else
    programs=$here              # in the folder it was built in
    pages=@PAGES@
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
    for page in "$pages/man1/keel-$1.1" "$pages/man7/$1.7" "$pages/$1.1" "$pages/$1.7"; do
        [ -f "$page" ] && break
    done
    if [ ! -f "$page" ]; then
        echo "keel: help: there is no page of '$1'; keel -h lists the programs" >&2
        exit 2
    fi
    if command -v man >/dev/null; then
        exec man "$page"
    fi
    exec mandoc -a "$page"
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
