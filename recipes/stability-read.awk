# stability-read.awk - for -f before another program: runs.tsv and means.tsv by name.
#   run[i, COLUMN]      i from 1 to runs
#   mean[id, y]         id is kind, placement, decay, dt; half: half of its 95 % interval; seeds
#   counted[id], lost   runs, those that diverged; early: steps at which some did before the end,
#                       high: how many ended with too high a loss
#   note[FILE, KEY]
BEGIN { FS = OFS = "\t" }

FNR == 1 {
    split("", column)
    header = 0
    table = FILENAME
    sub(/.*\//, "", table)
}
/^# /   { i = index($0, "="); note[FILENAME, substr($0, 3, i - 3)] = substr($0, i + 1) }
/^#/    { next }
!header { for (i = 1; i <= NF; i++) column[name[i] = $i] = i; header = NF; next }

table == "runs.tsv" {
    runs++
    for (i = 1; i <= NF; i++)
        run[runs, name[i]] = $i
    id = key(get("kind"), get("placement"), get("weight-decay"), get("dt"))
    counted[id]++
    if (get("diverged") == "yes") {
        lost[id]++
        if (get("finished") == "yes")
            high[id]++
        else
            early[id] = early[id] " " get("at")
    }
}

table == "means.tsv" {
    id = key(get("kind"), get("placement"), get("weight-decay"), get("dt")) SUBSEP get("y")
    mean[id] = get("mean")
    half[id] = get("high") - get("mean")
    seeds[id] = get("n")
}

function get(what) { return $column[what] }

function key(kind, p, decay, dt) { return kind SUBSEP p SUBSEP decay + 0 SUBSEP dt + 0 }

function number(v) { return v !~ /n/ && v != "" }

# "3 / 5" where 3 of 5 diverged
function share(id) { return id in counted ? lost[id] + 0 " / " counted[id] : "not run" }

# A mean with its interval, where there are seeds for one.
function cell(id, form)
{
    if (!(id in mean))
        return "n/a"
    return sprintf(form, mean[id]) (seeds[id] > 1 ? " ± " sprintf(form, half[id]) : "")
}
