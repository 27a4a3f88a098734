# report-read.awk - what report-html.awk and report-txt.awk share; a report's source has
#   # TITLE   ## SECTION   $ COMMAND   @table NAME CAPTION   @figure NAME CAPTION
# and paragraphs, which end at any of these and at an empty line.  Tables are folder/NAME.tsv,
# figures folder/figures/NAME.svg and NAME.txt.

# What stands after the first n words of the line.
function rest(n,    s) { s = $0; while (n-- > 0) sub(/^[^ ]+ */, "", s); return s }

# A long number is rounded to four digits.
function short(v)
{
    return length(v) > 7 && v ~ /^-?[0-9.]+(e[-+]?[0-9]+)?$/ ? sprintf("%.4g", v) : v
}
