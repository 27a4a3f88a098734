# stability-long.awk - a long run's row of long.tsv, from its train.tsv and weights.tsv: slopes
# of log MA and of log weight norms against log step, over the last nine tenths; without a
# file the header row.
BEGIN {
    FS = OFS = "\t"
    if (ARGC == 1) {
        print "placement", "dt", "steps", "diverged_at", "MA_last", "slope_MA", "slope_W_o", \
              "slope_W_2", "largest_MA_over_bound"
        exit
    }
    diverged = "-"
}

FNR == 1        { file++ }
/^# placement=/ { placement = substr($0, 13) }
/^# dt=/        { dt = substr($0, 6) }
/^# steps=/     { steps = substr($0, 9) }
/^# diverged=/  { diverged = substr($0, 12) }
!/^[0-9]/       { next }
file == 1       { ma = $7; add("MA", $1, $7); next }
{
    add("W_o", $1, $4)
    add("W_2", $1, $5)
    if ($3 !~ /n/ && $2 / $3 > ratio)
        ratio = $2 / $3
}

function add(what, step, value)
{
    if (step < steps / 10 || value ~ /n/ || value <= 0)
        return
    step = log(step)
    value = log(value)
    n[what]++
    sx[what] += step; sy[what] += value; sxx[what] += step * step; sxy[what] += step * value
}

function slope(what,    xx)
{
    xx = n[what] ? sxx[what] - sx[what] ^ 2 / n[what] : 0
    return xx > 0 ? (sxy[what] - sx[what] * sy[what] / n[what]) / xx : "nan"
}

END {
    if (ARGC > 1)
        print placement, dt, steps, diverged, ma, slope("MA"), slope("W_o"), slope("W_2"), \
              ratio ? ratio : "nan"
}
