# stability-plan.awk - a row a run and a sum, from `train --dry-run`'s tables, each after a note
# "run=NAME".  rate=FLOP/s and unit=WHAT say whose hours they are.
BEGIN {
    OFS = "\t"
    print "run", "parameters", "tokens", "FLOPs", "GiB", unit "_hours"
}

/^# run=/   { row(); run = substr($0, 7) }
/^# steps=/ { steps = substr($0, 9) }
/^#/        { next }
            { value[$1] = $2 }
END         { row(); printf "together, %d runs\t\t%.4g\t%.4g\t\t%.1f\n", runs, tokens, flops, hours(flops) }

function hours(f) { return f / rate / 3600 }

function row(    t, f)
{
    if (run == "")
        return
    t = steps * value["tokens_per_step"]
    f = t * value["flops_per_token"]
    printf "%s\t%d\t%.4g\t%.4g\t%.2f\t%.2g\n", run, value["parameters"], t, f, \
        value["bytes_total"] / 2 ^ 30, hours(f)
    runs++
    tokens += t
    flops += f
}
