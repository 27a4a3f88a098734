# stability-claims.awk - claims.tsv: what the paper claims, where it was looked at, what was
# measured, and whether it holds; after stability-read.awk, from runs.tsv, means.tsv, depth.tsv,
# depth-fit.tsv, long.tsv, then the tables of `probe --claims`.  folder=RUNS

table == "depth.tsv"     { d = get("state") SUBSEP get("placement") SUBSEP get("dt") + 0
                           line[d] = get("R2_linear"); curve[d] = get("R2_exponential") }
table == "depth-fit.tsv" { d = get("state") SUBSEP get("placement") SUBSEP get("dt") + 0
                           law[d] = get("better"); power[d] = get("power"); rate[d] = get("rate") }
table == "long.tsv"      { d = get("placement") SUBSEP get("dt") + 0
                           slope[d] = get("slope_MA"); over[d] = get("largest_MA_over_bound") }
table == "claims.tsv" && get("verdict") != "n/a" {
    probed[++probes] = get("claim") OFS setting(FILENAME) OFS get("what") OFS \
        sprintf("%.4g", get("measured")) OFS get("least") " to " get("most") OFS get("verdict") \
        OFS "bin/" note[FILENAME, "command"]
}

function setting(file)
{
    return note[file, "placement"] ", dt " note[file, "dt"] \
           (note[file, "norm"] == "rms" ? ", RMS norm" : "")
}

# A mean over seeds of the usual runs, with weight decay.
function m(p, dt, y,    k)
{
    k = "base" SUBSEP p SUBSEP 0.1 SUBSEP dt SUBSEP y
    return k in mean ? mean[k] : "nan"
}

function number(v) { return v !~ /n/ && v != "" }

function verdict(known, is) { return !known ? "n/a" : is ? "holds" : "fails" }

# The measured value must be below (or above) the other; both must be numbers.
function less(name, at, what, a, b, shows)
{
    print name, at, what, sprintf("%.4g and %.4g", a, b), "the first is less", \
          verdict(number(a) && number(b), a + 0 < b + 0), shows
}

function diverged_runs(p,    w, n)
{
    split("0.1 0", w, " ")
    for (n = 1; n <= 2; n++) {
        bad += lost["base", p, w[n], 1]
        all += counted["base", p, w[n], 1]
    }
}

function tables_claims(    none, nones, pre, peri, see)
{
    see = "cut -f 1,13,14 " folder "/runs.tsv"
    bad = all = 0; diverged_runs("none"); none = bad; nones = all
    bad = all = 0; diverged_runs("pre"); pre = bad
    bad = all = 0; diverged_runs("peri"); peri = bad
    print "Stability", "none, dt 1", "every run without a norm diverges", none " of " nones, \
        nones " of " nones, verdict(nones, none == nones), see " | grep ^none-1-"
    print "Stability", "peri, dt 1", "no run diverges", peri " of " all, "0 of " all, \
        verdict(all, !peri), see " | grep ^peri-1-"
    print "Stability", "pre, peri, dt 1", "pre diverges more often than peri", pre " and " peri, \
        "the first is more", verdict(all, pre > peri), see " | grep -E '^(pre|peri)-1-'"
    see = "grep final " folder "/means.tsv"
    less("Performance", "peri", "loss at dt 0.1 and 1", m("peri", 0.1, "final"), m("peri", 1, "final"), see)
    less("Performance", "pre", "loss at dt 0.1 and 1", m("pre", 0.1, "final"), m("pre", 1, "final"), see)
    less("Performance", "dt 0.1", "loss of peri and pre", m("peri", 0.1, "final"), m("pre", 0.1, "final"), see)
    less("Performance", "dt 1", "loss of peri and pre", m("peri", 1, "final"), m("pre", 1, "final"), see)
}

function growth_claims(    see, top, i)
{
    see = "grep MA " folder "/means.tsv"
    less("Growth", "trained, dt 1", "MA of the last state, peri and pre", m("peri", 1, "MA"), m("pre", 1, "MA"), see)
    less("Growth", "trained, pre", "MA of the last state at dt 0.1 and 1", m("pre", 0.1, "MA"), m("pre", 1, "MA"), see)
    less("Growth", "trained, peri", "MA of the last state at dt 0.1 and 1", m("peri", 0.1, "MA"), m("peri", 1, "MA"), see)
    d = "trained" SUBSEP "peri" SUBSEP 1
    less("Growth", "deepest peri, dt 1, trained", "R2 of an exponential and of a line in depth", \
         curve[d], line[d], "column -t " folder "/depth.tsv")
    d = "trained" SUBSEP "pre" SUBSEP 1
    print "Theorem 3", "pre, dt 1, trained, over depths", "MA of the last state grows exponentially", \
        sprintf("D ^ %.2f or exp(%.3f D): %s", power[d], rate[d], law[d]), "exponential", \
        verdict(law[d] != "", law[d] == "exponential"), "column -t " folder "/depth-fit.tsv"
    for (i = 1; i <= runs; i++)
        if (run[i, "placement"] == "peri" && number(run[i, "ratio_MA"])) {
            n_bound++
            if (run[i, "ratio_MA"] + 0 > top)
                top = run[i, "ratio_MA"] + 0
        }
    print "Theorem 4", "all " n_bound + 0 " peri runs probed", "largest MA / bound", \
        sprintf("%.4g", top), "0 to 1", verdict(n_bound, top <= 1), \
        "grep ^peri " folder "/runs.tsv"
}

function time_claims(    see)
{
    see = "column -t " folder "/long.tsv"
    print "Theorem 2", "pre, dt 1, no decay, long", "slope of log MA against log step", \
        sprintf("%.3f", slope["pre", 1]), "above 0", \
        verdict(number(slope["pre", 1]), slope["pre", 1] > 0), see
    less("Theorem 2", "dt 1, no decay, long", "slopes of peri and pre", slope["peri", 1], slope["pre", 1], see)
    print "Theorem 4", "peri, dt 1, no decay, long", "largest MA / bound at any checkpoint", \
        sprintf("%.4g", over["peri", 1]), "0 to 1", \
        verdict(number(over["peri", 1]), over["peri", 1] <= 1), see
}

# Slope of log MA against log learning rate, over runs that did not diverge.
function rate_claim(p, dt,    i, n, x, y, sx, sy, sxx, sxy)
{
    for (i = 1; i <= runs; i++)
        if (run[i, "rate"] == "yes" && run[i, "placement"] == p && run[i, "dt"] == dt && \
            run[i, "seed"] == run[1, "seed"] && run[i, "weight-decay"] == 0.1 && \
            run[i, "diverged"] == "no" && number(run[i, "MA"]) && run[i, "MA"] > 0) {
            x = log(run[i, "lr"]); y = log(run[i, "MA"])
            n++; sx += x; sy += y; sxx += x * x; sxy += x * y
        }
    return n > 1 && sxx > sx * sx / n ? (sxy - sx * sy / n) / (sxx - sx * sx / n) : "nan"
}

END {
    print "claim", "where", "what", "measured", "wanted", "verdict", "command"
    tables_claims()
    growth_claims()
    time_claims()
    less("Learning rate", "dt 1", "slope of log MA against log rate, peri and pre", \
         rate_claim("peri", 1), rate_claim("pre", 1), "cut -f 1,9,18,19 " folder "/runs.tsv")
    for (i = 1; i <= probes; i++)
        print probed[i]
}
