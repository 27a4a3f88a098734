# english.bash - for benchmarks of text: `english` writes 33 MB of English to ./text, and where
# it is from to $source.
#
# Two Debian packages of documentation, an FAQ and the kernel's manual; without a network, what
# stands under /usr/share/doc.
english()
{
    local linux
    linux=$(apt-cache depends linux-doc 2>/dev/null | sed -n 's/^ *Depends: //p' || true)
    if [ -n "$linux" ] && apt-get download -q anarchism "$linux" >/dev/null 2>&1; then
        source="anarchism, $linux"
        for package in ./*.deb; do
            dpkg-deb -x "$package" files
        done
        { find files -path '*/html/*.html' ! -path '*/linux-doc*' -print0 | sort -z |
              xargs -0 sed 's/<[^>]*>//g'
          find files -name '*.rst.gz' ! -path '*/translations/*' -print0 | sort -z |
              xargs -0 gzip -dc; } | iconv -c -f utf-8 -t utf-8 >text
        rm -rf files ./*.deb
    else
        # shellcheck disable=SC2034  # for who sources this
        source=/usr/share/doc
        find /usr/share/doc -type f \( -name '*.txt' -o -name copyright -o -name '*.html' \) \
            -print0 | sort -z | xargs -0 cat 2>/dev/null |
            iconv -c -f utf-8 -t utf-8 | head -c 50000000 >text || true
    fi
}
