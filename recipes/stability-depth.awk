# stability-depth.awk - a model's row of depth.tsv, from its probe's table: what its last state
# is, and which law explains MA over its depth; without a file the header row.
BEGIN {
    FS = OFS = "\t"
    if (ARGC == 1) {
        print "state", "placement", "dt", "layers", "MA", "var_entry", "var_data", "ratio_MA", \
              "C_fit", "R2_exponential", "R2_linear", "R2_quadratic"
        exit
    }
}

/^# / { at = index($0, "="); note[substr($0, 3, at - 3)] = substr($0, at + 1); next }
$1 == "sublayer" { for (i = 1; i <= NF; i++) column[$i] = i; next }
{
    ma = $column["MA"]
    entry = $column["var_entry"]
    data = $column["var_data"]
    if ($column["ratio_MA"] + 0 > ratio)
        ratio = $column["ratio_MA"] + 0
}

END {
    if (ARGC > 1)
        print note["init"] == 1 ? "untrained" : "trained", note["placement"], note["dt"], \
            note["layers"], ma, entry, data, ratio == "" ? "nan" : ratio, note["C_fit"], \
            note["R2_exponential"], note["R2_linear"], note["R2_quadratic"]
}
