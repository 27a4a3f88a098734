# stability-checks.awk - of claims.tsv, as want says: "claims", what is claimed of runs; "checks",
# what single models were put to, a row a check; "models", the same with a column a check.
BEGIN { FS = OFS = "\t" }

NR == 1 && want == "claims"  { print }
NR == 1                      { next }
$7 !~ /^bin\/probe/          { if (want == "claims") print; next }

{
    if (!(($1, $3) in column)) {
        name[++checks] = $1 (times[$1]++ ? " (" times[$1] ")" : "")
        column[$1, $3] = checks
        what[checks] = $3
        wanted[checks] = $5
    }
    if (!($2 in command))
        model[++models] = $2
    command[$2] = $7
    c = column[$1, $3]
    tried[c]++
    held[c] += $6 == "holds"
    value[$2, c] = $4 ($6 == "holds" ? "" : " " $6)
}

END {
    if (want == "checks") {
        print "check", "what is measured", "must be", "verdict", "in models"
        for (i = 1; i <= checks; i++)
            print name[i], what[i], wanted[i], held[i] == tried[i] ? "holds" : "fails", \
                held[i] " of " tried[i]
    }
    if (want == "models") {
        printf "model"
        for (i = 1; i <= checks; i++)
            printf "%s%s", OFS, name[i]
        print OFS "command"
        for (m = 1; m <= models; m++) {
            printf "%s", model[m]
            for (i = 1; i <= checks; i++)
                printf "%s%s", OFS, (model[m], i) in value ? value[model[m], i] : "-"
            print OFS command[model[m]]
        }
    }
}
