# stability-tables.awk - a table of the report, after stability-read.awk; want= names it, hard= is
# the kind of run that A1 counts, bert= what the encoder is called.

END {
    split("none post pre peri output", placement, " ")
    split("1 0.1", dts, " ")
    if (want == "a1") a1()
    if (want == "a2") a2()
    if (want == "ladder") ladder()
    if (want == "rms") rms()
    if (want == "bias") bias()
    if (want == "rates") rates()
    if (want == "attention") attention()
}

function base(p, dt) { return key("base", p, 0.1, dt) }

function or_dash(text) { return text == "" ? "-" : text }

# How the runs diverged.
function how(id,    text)
{
    text = id in early ? "no number at steps" early[id] : ""
    return text (id in high ? (text == "" ? "" : "; ") high[id] " ended too high" : "")
}

# Diverged runs at the hard setting, with what they ended at, and at the usual one.
function a1(    i, p, on, off)
{
    paper["pre", "on"] = "1 / 5"; paper["pre", "off"] = "3 / 5"
    paper["peri", "on"] = paper["peri", "off"] = "0 / 5"
    paper["none", "on"] = "5 / 5"
    print "placement", "0.1: paper", "0.1: ours", "0.1: last loss", "0.1: how", "0: paper", \
          "0: ours", "0: last loss", "0: how", "usual rate, 0.1: ours"
    for (i = 1; i <= 5; i++) {
        p = placement[i]
        on = key(hard, p, 0.1, 1)
        off = key(hard, p, 0, 1)
        print p, or_dash(paper[p, "on"]), share(on), cell(on SUBSEP "final", "%.2f"), \
              or_dash(how(on)), or_dash(paper[p, "off"]), share(off), \
              cell(off SUBSEP "final", "%.2f"), or_dash(how(off)), share(base(p, 1))
    }
}

# The paper's rows above ours.
function a2(    i, t, k, kinds, kind, id)
{
    loss["pre", 1] = "5.43";  loss["pre", 0.1] = "3.13"
    loss["peri", 1] = "3.12"; loss["peri", 0.1] = "3.10"
    ppl["pre", 1] = "247.52"; ppl["pre", 0.1] = "24.43"
    ppl["peri", 1] = "24.17"; ppl["peri", 0.1] = "23.63"
    print "model", "placement", "dt", "whose", "val. loss", "perplexity", "exp(loss)", "ROUGE-1", \
          "ROUGE-2", "ROUGE-L", bert " P", bert " R", bert " F1", "diverged"
    kinds = split("base large xl", kind, " ")
    for (k = 1; k <= kinds; k++)
        for (i = 1; i <= 5; i++)
            for (t = 1; t <= 2; t++) {
                id = key(kind[k], placement[i], 0.1, dts[t])
                if (!(id in counted))
                    continue
                if (k == 1 && (placement[i], dts[t] + 0) in loss)
                    print "GPT-2 124M", placement[i], dts[t], "paper", loss[placement[i], dts[t] + 0], \
                        ppl[placement[i], dts[t] + 0], "-", "-", "-", "-", "-", "-", "-", "-"
                print kind[k], placement[i], dts[t], "ours", cell(id SUBSEP "loss", "%.3f"), \
                    cell(id SUBSEP "window_perplexity", "%.2f"), \
                    cell(id SUBSEP "perplexity", "%.2f"), percent(id, "rouge1_f"), \
                    percent(id, "rouge2_f"), percent(id, "rougeL_f"), \
                    percent(id, "bertscore_precision"), percent(id, "bertscore_recall"), \
                    percent(id, "bertscore_f"), share(id)
            }
}

function percent(id, y,    k)
{
    k = id SUBSEP y
    if (!(k in mean))
        return "n/a"
    return sprintf("%.1f", 100 * mean[k]) (seeds[k] > 1 ? sprintf(" ± %.1f", 100 * half[k]) : "")
}

# Every residual step of pre and peri, the largest first; then those that were learned.
function ladder(    i, j, n, t, dt, p, id)
{
    print "placement", "dt", "loss", "MA of the last state", "learned dt: mean", "least", "most", \
          "diverged"
    for (p = 3; p <= 4; p++) {
        n = 0
        split("", seen)
        for (i = 1; i <= runs; i++) {
            dt = run[i, "dt"] + 0
            if (run[i, "kind"] == "base" && run[i, "placement"] == placement[p] && !seen[dt]++) {
                for (j = n++; j > 0 && t[j] < dt; j--)
                    t[j + 1] = t[j]
                t[j + 1] = dt
            }
        }
        for (j = 1; j <= n; j++)
            ladder_row(placement[p], t[j], base(placement[p], t[j]))
        for (j = 1; j <= 2; j++)
            ladder_row(placement[p], "learned from " dts[j], \
                       key("learned", placement[p], 0.1, dts[j]))
    }
}

function ladder_row(p, name, id,    learned)
{
    learned = name ~ /^learned/
    print p, name, cell(id SUBSEP "final", "%.3f"), cell(id SUBSEP "MA", "%.3g"), \
        learned ? cell(id SUBSEP "dt_mean", "%.3f") : "-", \
        learned ? cell(id SUBSEP "dt_least", "%.3f") : "-", \
        learned ? cell(id SUBSEP "dt_most", "%.3f") : "-", share(id)
}

function rms(    i, t, a, b)
{
    print "placement", "dt", "loss: layer norm", "loss: RMS norm", "MA: layer norm", \
          "MA: RMS norm", "diverged: layer norm", "diverged: RMS norm"
    for (i = 2; i <= 5; i++)
        for (t = 1; t <= 2; t++) {
            a = base(placement[i], dts[t])
            b = key("rms", placement[i], 0.1, dts[t])
            if (b in counted)
                print placement[i], dts[t], cell(a SUBSEP "final", "%.3f"), \
                    cell(b SUBSEP "final", "%.3f"), cell(a SUBSEP "MA", "%.3g"), \
                    cell(b SUBSEP "MA", "%.3g"), share(a), share(b)
        }
}

# One seed with biases everywhere, and the same seed without.
function bias(    i, j)
{
    print "placement", "dt", "loss: without", "loss: with", "MA: without", "MA: with", \
          "largest |bias| after f", "largest MA / bound"
    for (i = 1; i <= runs; i++)
        for (j = 1; j <= runs && run[i, "kind"] == "bias"; j++)
            if (run[j, "run"] "-bias" == run[i, "run"])
                print run[i, "placement"], run[i, "dt"], form("%.3f", run[j, "final"]), \
                    form("%.3f", run[i, "final"]), form("%.3g", run[j, "MA"]), \
                    form("%.3g", run[i, "MA"]), form("%.3g", run[i, "b_max"]), \
                    form("%.3f", run[i, "ratio_MA"])
}

function form(f, v) { return number(v) ? sprintf(f, v) : "-" }

# A learning rate a row; then the sensitivity of Wortsman et al. (2023): the mean over rates of
# how far the last loss, at most the first, is above the best.
function rates(    i, j, g, n, groups, lr, rows, line, done)
{
    for (i = 1; i <= runs; i++) {
        if (run[i, "rate"] != "yes" || run[i, "weight-decay"] != 0.1 || run[i, "seed"] != run[1, "seed"])
            continue
        g = run[i, "placement"] " " run[i, "dt"]
        lr = run[i, "lr"] + 0
        done = run[i, "finished"] == "yes" && number(run[i, "final"])
        final[g, lr] = !done || run[i, "final"] > run[i, "first"] ? run[i, "first"] : run[i, "final"]
        shown[g, lr] = (done ? sprintf("%.3f", run[i, "final"]) : "") \
                       (run[i, "diverged"] == "yes" ? (done ? " diverged" : "diverged") : "")
        if (!rated[lr]++)
            rate[++rows] = lr
        tried[g]++
    }
    for (g in tried)
        if (tried[g] > 1)
            group[++groups] = g
    sort(group, groups)
    sort(rate, rows)
    line = "learning rate"
    for (j = 1; j <= groups; j++)
        line = line OFS group[j]
    print line
    for (i = 1; i <= rows; i++) {
        line = rate[i]
        for (j = 1; j <= groups; j++)
            line = line OFS shown[group[j], rate[i]]
        print line
    }
    line = "sensitivity"
    for (j = 1; j <= groups; j++)
        line = line OFS sprintf("%.3f", sensitivity(group[j], rows))
    print line
}

function sensitivity(g, rows,    i, best, sum)
{
    best = final[g, rate[1]] + 0
    for (i = 1; i <= rows; i++) {
        sum += final[g, rate[i]]
        if (final[g, rate[i]] + 0 < best)
            best = final[g, rate[i]] + 0
    }
    return sum / rows - best
}

function sort(list, n,    i, j, t)
{
    for (i = 2; i <= n; i++) {
        t = list[i]
        for (j = i - 1; j > 0 && list[j] > t; j--)
            list[j + 1] = list[j]
        list[j + 1] = t
    }
}

function attention(    i, a, b, other)
{
    for (i = 1; i <= runs; i++)
        if (run[i, "kind"] ~ /^(bf16|f32)$/)
            other = run[i, "kind"]
    print "placement", "attention in", "loss", "MA of the last state", "diverged"
    for (i = 3; i <= 4; i++) {
        a = base(placement[i], 1)
        b = key(other, placement[i], 0.1, 1)
        print placement[i], other == "bf16" ? "f32" : "bf16", cell(a SUBSEP "final", "%.3f"), \
            cell(a SUBSEP "MA", "%.3g"), share(a)
        print placement[i], other, cell(b SUBSEP "final", "%.3f"), cell(b SUBSEP "MA", "%.3g"), \
            share(b)
    }
}
