# Makes classes_ranges.h from classes.txt, the ranges of code points that
# GPT-2's pre-tokeniser tells apart:
#     awk -f lib/text/classes.awk lib/text/classes.txt > lib/text/classes_ranges.h

BEGIN {
    name["L"] = "LETTER"
    name["N"] = "NUMBER"
    name["S"] = "SPACE"
    print "/* classes_ranges.h - made from classes.txt by classes.awk; not to be edited. */"
}

$1 in name {
    separator = n % 3 ? " " : n ? "\n" : ""
    printf "%s{0x%s, 0x%s, %s},", separator, $2, $3, name[$1]
    n++
}

END {
    print ""
}
