# stability-fit.awk - depth-fit.tsv from depth.tsv: MA of the last state against the number of
# blocks D, as a power of D and as an exponential, by least squares of ln MA.
BEGIN { FS = OFS = "\t"; print "state", "placement", "dt", "depths", "power", "R2_power", \
                               "rate", "R2_exponential", "better" }

FNR == 1 { next }
$5 !~ /n/ && $5 > 0 {
    g = $1 OFS $2 OFS $3
    if (!(g in n))
        order[++groups] = g
    add(g, "power", log($4), log($5))
    add(g, "rate", $4, log($5))
    n[g]++
}

function add(g, law, x, y)
{
    sx[g, law] += x; sy[g, law] += y; sxx[g, law] += x * x; sxy[g, law] += x * y
    syy[g, law] += y * y
}

# The slope; the share of the variance it explains goes to R2.
function slope(g, law,    xx, xy, yy)
{
    xx = sxx[g, law] - sx[g, law] ^ 2 / n[g]
    xy = sxy[g, law] - sx[g, law] * sy[g, law] / n[g]
    yy = syy[g, law] - sy[g, law] ^ 2 / n[g]
    R2 = xx > 0 && yy > 0 ? xy ^ 2 / (xx * yy) : "nan"
    return xx > 0 ? xy / xx : "nan"
}

END {
    for (i = 1; i <= groups; i++) {
        g = order[i]
        p = slope(g, "power"); r2p = R2
        r = slope(g, "rate"); r2r = R2
        print g, n[g], p, r2p, r, r2r, (r2p > r2r ? "power" : "exponential")
    }
}
