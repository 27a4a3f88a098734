# stability-tables.awk - a table of the report, after stability-read.awk; want= names it,
# letters= is the loss of letter frequencies, or empty.

END {
    split("none post pre peri output", placement, " ")
    base = "base"
    if (want == "a1") a1()
    if (want == "a2") a2()
    if (want == "scores") scores()
    if (want == "ladder") ladder()
    if (want == "rms") rms()
    if (want == "rates") rates()
    if (want == "attention") attention()
}

function key(kind, p, decay, dt) { return kind SUBSEP p SUBSEP decay SUBSEP dt + 0 }

# Diverged runs; the steps at which they did; those that ended above letter frequencies.
function a1(    i, p, on, off)
{
    paper["pre", "on"] = "1 / 5"; paper["pre", "off"] = "3 / 5"
    paper["peri", "on"] = paper["peri", "off"] = "0 / 5"
    paper["none", "on"] = "5 / 5"
    print "placement", "decay 0.1: paper", "decay 0.1: ours", "decay 0: paper", "decay 0: ours", "diverged at steps", \
          "not diverged, but worse than letter frequencies"
    for (i = 1; i <= 5; i++) {
        p = placement[i]
        on = key(base, p, 0.1, 1)
        off = key(base, p, 0, 1)
        print p, ours(paper[p, "on"]), share(on), ours(paper[p, "off"]), share(off), \
              (when[on] when[off] == "" ? "-" : when[on] " |" when[off]), \
              (letters ? worse[on] + 0 " and " worse[off] + 0 : "n/a")
    }
}

function ours(text) { return text == "" ? "-" : text }

function a2(    i, t, p, k, kinds, kind, dts)
{
    loss["pre", 1] = "5.43";  loss["pre", 0.1] = "3.13"
    loss["peri", 1] = "3.12"; loss["peri", 0.1] = "3.10"
    ppl["pre", 1] = "247.52"; ppl["pre", 0.1] = "24.43"
    ppl["peri", 1] = "24.17"; ppl["peri", 0.1] = "23.63"
    print "model", "placement", "dt", "loss: paper", "loss: ours", "window perplexity: paper", \
          "window perplexity: ours", "perplexity", "diverged"
    kinds = split("base large xl", kind, " ")
    split("1 0.1", dts, " ")
    for (k = 1; k <= kinds; k++)
        for (i = 1; i <= 5; i++)
            for (t = 1; t <= 2; t++) {
                p = key(kind[k], placement[i], 0.1, dts[t])
                if (p in counted)
                    print kind[k], placement[i], dts[t], known(loss, i, dts[t], k), \
                        cell(p SUBSEP "loss", "%.3f"), known(ppl, i, dts[t], k), \
                        cell(p SUBSEP "window_perplexity", "%.2f"), \
                        cell(p SUBSEP "perplexity", "%.2f"), share(p)
            }
}

function known(table, i, dt, k)
{
    return k == 1 && (placement[i], dt + 0) in table ? table[placement[i], dt + 0] : "-"
}

function scores(    i, t, p, dts)
{
    print "placement", "dt", "ROUGE-1 F", "ROUGE-2 F", "ROUGE-L F", "BERTScore P", "BERTScore R", "BERTScore F"
    split("1 0.1", dts, " ")
    for (i = 1; i <= 5; i++)
        for (t = 1; t <= 2; t++) {
            p = key(base, placement[i], 0.1, dts[t]) SUBSEP
            print placement[i], dts[t], cell(p "rouge1_f", "%.4f"), cell(p "rouge2_f", "%.4f"), \
                cell(p "rougeL_f", "%.4f"), cell(p "bertscore_precision", "%.4f"), \
                cell(p "bertscore_recall", "%.4f"), cell(p "bertscore_f", "%.4f")
        }
}

# Every residual step of pre and peri, the largest first.
function ladder(    i, j, n, t, dt, p)
{
    print "placement", "dt", "loss", "MA of the last state", "diverged"
    for (p = 3; p <= 4; p++) {
        n = 0
        split("", seen)
        for (i = 1; i <= runs; i++) {
            dt = run[i, "dt"] + 0
            if (run[i, "kind"] == base && run[i, "placement"] == placement[p] && !seen[dt]++) {
                for (j = n++; j > 0 && t[j] < dt; j--)
                    t[j + 1] = t[j]
                t[j + 1] = dt
            }
        }
        for (j = 1; j <= n; j++) {
            k = key(base, placement[p], 0.1, t[j])
            print placement[p], t[j], cell(k SUBSEP "final", "%.3f"), cell(k SUBSEP "MA", "%.3g"), \
                share(k)
        }
    }
}

function rms(    i, t, a, b, dts)
{
    print "placement", "dt", "loss: layer norm", "loss: RMS norm", "MA: layer norm", "MA: RMS norm", \
          "diverged: layer norm", "diverged: RMS norm"
    split("1 0.1", dts, " ")
    for (i = 2; i <= 5; i++)
        for (t = 1; t <= 2; t++) {
            a = key(base, placement[i], 0.1, dts[t])
            b = key("rms", placement[i], 0.1, dts[t])
            print placement[i], dts[t], cell(a SUBSEP "final", "%.3f"), \
                cell(b SUBSEP "final", "%.3f"), cell(a SUBSEP "MA", "%.3g"), \
                cell(b SUBSEP "MA", "%.3g"), share(a), share(b)
        }
}

# A learning rate a row; then the sensitivity of Wortsman et al. (2023): the mean over rates of
# how far the last loss, at most the first, is above the best.
function rates(    i, j, g, n, groups, lr, rows, line)
{
    for (i = 1; i <= runs; i++) {
        if (run[i, "rate"] != "yes" || run[i, "weight-decay"] != 0.1 || run[i, "seed"] != run[1, "seed"])
            continue
        g = run[i, "placement"] " " run[i, "dt"]
        lr = run[i, "lr"] + 0
        final[g, lr] = run[i, "diverged"] == "yes" || run[i, "final"] > run[i, "first"] ? \
            run[i, "first"] : run[i, "final"]
        shown[g, lr] = run[i, "diverged"] == "yes" ? "diverged" : sprintf("%.3f", run[i, "final"])
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
        a = key(base, placement[i], 0.1, 1)
        b = key(other, placement[i], 0.1, 1)
        print placement[i], other == "bf16" ? "f32" : "bf16", cell(a SUBSEP "final", "%.3f"), \
            cell(a SUBSEP "MA", "%.3g"), share(a)
        print placement[i], other, cell(b SUBSEP "final", "%.3f"), cell(b SUBSEP "MA", "%.3g"), \
            share(b)
    }
}
