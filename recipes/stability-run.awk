# stability-run.awk - a run's row of runs.tsv, from its train.tsv, eval.tsv, rouge.tsv,
# bertscore.tsv and probe.tsv (train.tsv first, the others if they are there); without a file
# the header row.  run=NAME
BEGIN {
    FS = OFS = "\t"
    columns = "run kind rate placement norm dt weight-decay seed lr layers attention-precision steps " \
              "diverged finished at because first best final MA loss perplexity window_perplexity " \
              "rouge1_f rouge2_f rougeL_f bertscore_precision bertscore_recall bertscore_f " \
              "ratio_MA b_max dt_mean dt_least dt_most C_fit R2_exponential R2_linear R2_quadratic"
    n = split(columns, column, " ")
    if (ARGC == 1) {
        for (i = 1; i <= n; i++)
            printf "%s%s", column[i], i < n ? OFS : "\n"
        exit
    }
    cell["run"] = run
    # What the name says besides the setting that every run has: lr0.3, L24, rms.
    cell["kind"] = match(run, /-s[0-9]+-/) ? substr(run, RSTART + RLENGTH) : "base"
    cell["diverged"] = "no"
}

/^# / {
    at = index($0, "=")
    key = substr($0, 3, at - 3)
    value = substr($0, at + 1)
    if (key == "diverged") {
        cell["diverged"] = "yes"
        cell["at"] = value
    } else if (key == "diverged_because")
        cell["because"] = value
    else if (FNR == NR || key ~ /^(b_max|C_fit|R2_)/)
        cell[key] = value
    next
}

# A step: its first loss, the least and the last validation loss.
FNR == NR && /^[0-9]/ {
    last = $1
    if (cell["first"] == "")
        cell["first"] = $3
    if ($4 != "") {
        cell["final"] = $4
        if ($4 !~ /n/ && (cell["best"] == "" || $4 + 0 < cell["best"] + 0))
            cell["best"] = $4
    }
    cell["MA"] = $7
}

# A row of eval's; of the states, the largest part of a bound, and the residual steps.
FNR != NR && NF == 2 { cell[$1] = $2 }
$1 == "sublayer"     { for (i = 1; i <= NF; i++) place[$i] = i; states = 1; next }
states && /^[0-9]/ {
    if ($place["ratio_MA"] !~ /n/ && $place["ratio_MA"] + 0 >= cell["ratio_MA"] + 0)
        cell["ratio_MA"] = $place["ratio_MA"]
    if ($place["dt_k"] !~ /n/) {
        sum += $place["dt_k"]
        cell["dt_mean"] = sum / ++sublayers
        if (sublayers == 1 || $place["dt_k"] + 0 < cell["dt_least"] + 0)
            cell["dt_least"] = $place["dt_k"]
        if (sublayers == 1 || $place["dt_k"] + 0 > cell["dt_most"] + 0)
            cell["dt_most"] = $place["dt_k"]
    }
}

END {
    # Did it take all its steps, diverged or not?
    cell["finished"] = last == cell["steps"] ? "yes" : "no"
    # Is it part of the curves over learning rates?
    cell["rate"] = cell["kind"] ~ /^lr/ || cell["kind"] == "base" && \
                   (cell["dt"] == 1 || cell["dt"] == 0.1 && cell["placement"] ~ /^p(re|eri)$/) ? "yes" : "no"
    for (i = 1; ARGC > 1 && i <= n; i++)
        printf "%s%s", cell[column[i]], i < n ? OFS : "\n"
}
