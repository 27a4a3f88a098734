# stability-weights.awk - a row a checkpoint, from pairs of probe's tables: the states, then
# --gradients.  W_o and W_2 are the largest norms of a block's output maps, of attention and of
# the feed-forward.
BEGIN { FS = OFS = "\t" }

/^# placement=/ { placement = substr($0, 13) }
/^# dt=/        { dt = substr($0, 6) }
/^# step=/      { step = substr($0, 8) }
$1 == "sublayer" || $1 == "parameter" { for (i = 1; i <= NF; i++) at[$i] = i; table = $1; next }
table == "sublayer" && /^[0-9]/ { ma = $at["MA"]; bound = $at["bound_MA"] }
$3 == "attn.proj.weight" && $at["weight"] + 0 > W_o { W_o = $at["weight"] + 0 }
$3 == "mlp.proj.weight" && $at["weight"] + 0 > W_2  { W_2 = $at["weight"] + 0 }

# The next table of states, or the end, completes a row.
/^# command=/ && table == "parameter" { row() }
END { row() }

function row()
{
    if (!rows++) {
        print "# placement=" placement
        print "# dt=" dt
        print "step", "MA", "bound_MA", "W_o", "W_2"
    }
    print step, ma, bound, W_o, W_2
    W_o = W_2 = 0
    table = ""
}
