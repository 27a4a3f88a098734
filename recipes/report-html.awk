# report-html.awk - a report's source as one HTML page that needs nothing else;
# after report-read.awk.
BEGIN {
    print "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    print "<meta name=\"viewport\" content=\"width=device-width\">"
    print "<style>\nbody { font: 16px/1.5 sans-serif; max-width: 62em; margin: 2em auto; padding: 0 1em }"
    print "table { border-collapse: collapse; margin: 1em 0; font-size: 14px }"
    print "th, td { border-bottom: 1px solid #ccc; padding: .2em .8em .2em 0; text-align: left; vertical-align: top }"
    print "caption, figcaption { text-align: left; color: #444; font-size: 14px }"
    print "div.table { overflow-x: auto } figure { margin: 1em 0 } svg { max-width: 100%; height: auto }"
    print "pre, code { background: #f4f4f4; font-size: 13px } pre { padding: .4em; overflow-x: auto }"
    print ".holds { color: #060 } .fails { color: #a00; font-weight: bold }\n</style>"
}

function escape(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s); return s }

/^(#|\$|@|$)/ { if (text != "") print "<p>" escape(text) "</p>"; text = "" }
/^# /      { print "<title>" escape(rest(1)) "</title></head><body>\n<h1>" escape(rest(1)) "</h1>" }
/^## /     { print "<h2>" escape(rest(1)) "</h2>" }
/^\$ /     { print "<pre>" escape(rest(1)) "</pre>" }
/^@table/  { table(folder "/" $2 ".tsv", rest(2)) }
/^@figure/ { figure(folder "/figures/" $2 ".svg", rest(2)) }
/^[^#$@]/  { text = text (text == "" ? "" : " ") $0 }
END        { print "</body></html>" }

function table(file, caption,    line, n, i, rows, cell, tag)
{
    print "<div class=\"table\"><table><caption>" escape(caption) "</caption>"
    while ((getline line <file) > 0) {
        if (line ~ /^#/)
            continue
        n = split(line, cell, "\t")
        tag = rows++ ? "td" : "th"
        printf "<tr>"
        for (i = 1; i <= n; i++)
            printf "<%s%s>%s</%s>", tag, cell[i] ~ /^(holds|fails)$/ ? " class=\"" cell[i] "\"" : "", \
                cell[i] ~ /^(bin\/|cut |grep |cat )/ ? "<code>" escape(cell[i]) "</code>" : \
                escape(short(cell[i])), tag
        print "</tr>"
    }
    close(file)
    print "</table></div>"
}

# Without its XML declaration, and with names of its own.
function figure(file, caption,    line, begun)
{
    figures++
    print "<figure>"
    while ((getline line <file) > 0) {
        if (line ~ /<svg/)
            begun = 1
        gsub(/gnuplot_|gpPt|gpDot/, "f" figures "_&", line)
        gsub(/textbox|greybox/, "f" figures "_&", line)
        if (begun)
            print line
    }
    close(file)
    print "<figcaption>Figure " figures ". " escape(caption) "</figcaption></figure>"
}
