# stability-claims.awk - claims.tsv: what the paper claims, where it was looked at, what was
# measured, and whether it holds; after stability-read.awk, from runs.tsv, means.tsv, depth.tsv,
# depth-fit.tsv, long.tsv, then the tables of `probe --claims`.  folder=RUNS hard=KIND of A1

function state() { return get("state") SUBSEP get("placement") SUBSEP get("dt") + 0 }

table == "depth.tsv" {
    line[state()] = get("R2_linear")
    curve[state()] = get("R2_exponential")
    if (get("placement") == "peri")
        bounded(get("state"), get("ratio_MA"))
}
table == "depth-fit.tsv" { power[state()] = get("power"); depths[state()] = get("depths") }
table == "long.tsv" {
    slope[get("placement"), get("dt") + 0] = get("slope_MA")
    if (get("placement") == "peri")
        bounded("long", get("largest_MA_over_bound"))
}
table == "claims.tsv" && get("verdict") != "n/a" {
    probed[++probes] = get("claim") OFS setting(FILENAME) OFS get("what") OFS \
        sprintf("%.4g", get("measured")) OFS get("least") " to " get("most") OFS get("verdict") \
        OFS typed(note[FILENAME, "command"])
}

# A program's command as one would type it to see its table.
function typed(command)
{
    gsub(/ -q| -j1| -o [^ ]*/, "", command)
    return "bin/" command
}

function setting(file)
{
    return note[file, "placement"] ", dt " note[file, "dt"] \
           (note[file, "learn-dt"] == "on" ? ", learned" : "") \
           (note[file, "norm"] == "rms" ? ", RMS norm" : "") \
           (note[file, "norm-bias"] == "on" ? ", biases" : "")
}

# MA over its bound, the largest of some models.
function bounded(models, ratio)
{
    if (!number(ratio))
        return
    n_bound[models]++
    if (ratio + 0 > bound[models] + 0)
        bound[models] = ratio + 0
}

# A mean over seeds of the usual runs, with weight decay.
function m(p, dt, y,    k)
{
    k = key("base", p, 0.1, dt) SUBSEP y
    return k in mean ? mean[k] : "nan"
}

function verdict(known, is) { return !known ? "n/a" : is ? "holds" : "fails" }

# The measured value must be below (or above) the other; both must be numbers.
function less(name, at, what, a, b, shows)
{
    print name, at, what, sprintf("%.4g and %.4g", a, b), "the first is less", \
          verdict(number(a) && number(b), a + 0 < b + 0), shows
}

function above(name, at, what, a, least, shows)
{
    print name, at, what, sprintf("%.4g", a), "above " least, verdict(number(a), a + 0 > least), shows
}

function within_bound(at, what, models, shows)
{
    print "Theorem 4", at, what, sprintf("%.4g", bound[models]), "0 to 1", \
          verdict(n_bound[models], bound[models] <= 1), shows
}

# Diverged runs of A1, with decay and without: into bad and all.
function count(p,    on, off)
{
    on = key(hard, p, 0.1, 1)
    off = key(hard, p, 0, 1)
    bad = lost[on] + lost[off]
    all = counted[on] + counted[off]
}

function stability_claims(    none, nones, pre, see)
{
    see = "cut -f 1,13-16,18 " folder "/runs.tsv | grep -E "
    count("none"); none = bad; nones = all
    count("pre"); pre = bad
    print "Stability", "none, dt 1", "every run without a norm diverges", none " of " nones, \
        nones " of " nones, verdict(nones, none == nones), see of("none")
    count("peri")
    print "Stability", "peri, dt 1", "no run diverges", bad " of " all, "0 of " all, \
        verdict(all, !bad), see of("peri")
    print "Stability", "pre, peri, dt 1", "pre diverges more often than peri", pre " and " bad, \
        "the first is more", verdict(all, pre > bad), see of("(pre|peri)")
}

# A1's runs of a placement, as grep's pattern.
function of(p) { return "'^" p "-1-wd[0.1]*-s[0-9]*" (hard == "base" ? "" : "-" hard) "[[:space:]]'" }

# Peri with the learning rate that was the best for pre, as the paper has it.
function tuned_claim(dt,    i, best, at)
{
    for (i = 1; i <= runs; i++)
        if (rated(i, "pre", dt) && (best == "" || run[i, "final"] + 0 < run[best, "final"] + 0))
            best = i
    for (i = 1; i <= runs; i++)
        if (rated(i, "peri", dt) && run[i, "lr"] == run[best, "lr"])
            at = i
    less("Performance", "dt " dt ", at pre's best learning rate, " run[best, "lr"], \
         "loss of peri and pre, one seed", run[at, "final"], run[best, "final"], rates_shown())
}

function performance_claims(    see)
{
    see = "grep -E '^kind|^base.*final' " folder "/means.tsv"
    less("Performance", "peri", "loss at dt 0.1 and 1", m("peri", 0.1, "final"), \
         m("peri", 1, "final"), see)
    less("Performance", "pre", "loss at dt 0.1 and 1", m("pre", 0.1, "final"), \
         m("pre", 1, "final"), see)
    less("Performance", "dt 0.1", "loss of peri and pre", m("peri", 0.1, "final"), \
         m("pre", 0.1, "final"), see)
    less("Performance", "dt 1", "loss of peri and pre", m("peri", 1, "final"), \
         m("pre", 1, "final"), see)
    tuned_claim(0.1)
    tuned_claim(1)
}

function growth_claims(    see, at)
{
    see = "grep -E '^kind|^base.*MA' " folder "/means.tsv"
    less("Growth", "trained, dt 1", "MA of the last state, peri and pre", m("peri", 1, "MA"), \
         m("pre", 1, "MA"), see)
    less("Growth", "trained, pre", "MA of the last state at dt 0.1 and 1", m("pre", 0.1, "MA"), \
         m("pre", 1, "MA"), see)
    less("Growth", "trained, peri", "MA of the last state at dt 0.1 and 1", \
         m("peri", 0.1, "MA"), m("peri", 1, "MA"), see)
    at = "trained" SUBSEP "peri" SUBSEP 1
    less("Growth", "deepest peri, dt 1, trained", "R2 of an exponential and of a line in depth", \
         curve[at], line[at], "cat " folder "/depth.tsv")
    at = "trained" SUBSEP "pre" SUBSEP 1
    above("Growth", "pre, dt 1, trained, " depths[at] " depths", \
          "MA of the last state grows with the number of blocks: slope of its log on theirs", \
          power[at], 0, "cat " folder "/depth-fit.tsv")
    above("Growth", "pre, dt 1, trained", \
          "MA of the last state grows with the learning rate: slope of its log on the rate's", \
          rate_slope("pre", 1), 0, rates_shown())
    less("Growth", "dt 1, trained", "slope of log MA on log learning rate, peri and pre", \
         rate_slope("peri", 1), rate_slope("pre", 1), rates_shown())
}

function rates_shown() { return "cut -f 1,9,19,20 " folder "/runs.tsv" }

# Is run i one of the learning rates' that took all its steps?
function rated(i, p, dt)
{
    return run[i, "rate"] == "yes" && run[i, "placement"] == p && run[i, "dt"] == dt && \
           run[i, "seed"] == run[1, "seed"] && run[i, "weight-decay"] == 0.1 && \
           run[i, "finished"] == "yes"
}

# Slope of log MA on log learning rate, over runs that took all their steps.
function rate_slope(p, dt,    i, n, x, y, sx, sy, sxx, sxy)
{
    for (i = 1; i <= runs; i++)
        if (rated(i, p, dt) && number(run[i, "MA"]) && run[i, "MA"] > 0) {
            x = log(run[i, "lr"]); y = log(run[i, "MA"])
            n++; sx += x; sy += y; sxx += x * x; sxy += x * y
        }
    return n > 1 && sxx > sx * sx / n ? (sxy - sx * sy / n) / (sxx - sx * sx / n) : "nan"
}

function theorem_claims(    i, see)
{
    see = "cat " folder "/long.tsv"
    above("Theorem 2", "pre, dt 1, no decay, long", "slope of log MA on log step", \
          slope["pre", 1], 0, see)
    less("Theorem 2", "dt 1, no decay, long", "slope of log MA on log step, peri and pre", \
         slope["peri", 1], slope["pre", 1], see)
    for (i = 1; i <= runs; i++)
        if (run[i, "placement"] == "peri")
            bounded("run", run[i, "ratio_MA"])
    within_bound("all " n_bound["run"] + 0 " trained runs of peri", "largest MA / bound", "run", \
                 "grep -E '^run|^peri' " folder "/runs.tsv")
    within_bound("peri before training, all depths", "largest MA / bound", "untrained", \
                 "cat " folder "/depth.tsv")
    within_bound("peri, no decay, long", "largest MA / bound at any checkpoint", "long", see)
}

END {
    print "claim", "where", "what", "measured", "wanted", "verdict", "command"
    stability_claims()
    performance_claims()
    growth_claims()
    theorem_claims()
    for (i = 1; i <= probes; i++)
        print probed[i]
}
