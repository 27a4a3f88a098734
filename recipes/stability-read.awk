# stability-read.awk - for -f before another program: runs.tsv and means.tsv by name.
#   run[i, COLUMN], i from 1 to runs; mean[kind, placement, decay, dt, y], and half, the half
#   of its 95 % interval, and seeds; note[FILE, KEY]; counted[kind, placement, decay, dt], lost, those diverged
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
    id = get("kind") SUBSEP get("placement") SUBSEP get("weight-decay") SUBSEP get("dt") + 0
    counted[id]++
    if (get("diverged") == "yes") {
        lost[id]++
        when[id] = when[id] " " get("at")
    } else if (letters && get("final") > letters)
        worse[id]++
}

table == "means.tsv" {
    id = get("kind") SUBSEP get("placement") SUBSEP get("weight-decay") SUBSEP get("dt") + 0 \
          SUBSEP get("y")
    mean[id] = get("mean")
    half[id] = get("high") - get("mean")
    seeds[id] = get("n")
}

function get(what) { return $column[what] }

# "3 of 5 diverged" as "3 / 5"
function share(key) { return key in counted ? lost[key] + 0 " / " counted[key] : "not run" }

# A mean with its interval, where there are seeds for one.
function cell(key, form)
{
    if (!(key in mean))
        return "n/a"
    return sprintf(form, mean[key]) (seeds[key] > 1 ? " ± " sprintf(form, half[key]) : "")
}
