# stability-plan.awk - a row a run and a sum, from `train --dry-run`'s tables, each after a note
# "run=NAME".  The hours are those of an H200 at 350 TFLOP/s, a usual rate in bf16.
BEGIN {
    OFS = "\t"
    print "run", "parameters", "tokens", "FLOPs", "GiB", "GPU_hours"
}

/^# run=/   { row(); run = substr($0, 7) }
/^# steps=/ { steps = substr($0, 9) }
/^#/        { next }
            { value[$1] = $2 }
END         { row(); printf "together, %d runs\t\t%.4g\t%.4g\t\t%.1f\n", runs, tokens, flops, hours(flops) }

function hours(f) { return f / 350e12 / 3600 }

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
