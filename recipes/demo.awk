# demo.awk - the demo's table: a header (no files), or a row from a run's train.tsv, eval.tsv
# and probe.tsv.
BEGIN {
    FS = "\t"
    OFS = "\t"
    if (ARGC == 1) {
        print "placement", "dt", "val_loss", "perplexity", "MA_last", "diverged_at"
        exit
    }
    diverged = "-"
}

/^# placement=/ { placement = substr($0, 13) }
/^# dt=/        { dt = substr($0, 6) }
/^# diverged=/  { diverged = substr($0, 12) }
$1 == "loss"       { loss = $2 }
$1 == "perplexity" { perplexity = $2 }

# The columns of a probe; its last row is the last layer.
$1 == "sublayer" { for (i = 1; i <= NF; i++) if ($i == "MA") column = i }
column && /^[0-9]/ { ma = $column }

function short(v) { return v ~ /^[0-9.e+-]+$/ ? sprintf("%.4g", v) : v }

END {
    if (ARGC > 1)
        print placement, dt, short(loss), short(perplexity), short(ma), diverged
}
