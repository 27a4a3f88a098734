# stability - paper A's laboratory at a size that takes seconds: every part of it runs, and the
# report has every section, table and figure.

load common
TAB=$'\t'

lab()
{
    make -s -C "$ROOT" -f recipes/stability.mk BIN="$BIN" RUNS="$PWD/lab" "$@"
}

# Column $3 of the row of $1 whose first cells are $2.
cell()
{
    awk -F '\t' -v cells="$2" -v name="$3" '
        /^#/   { next }
        !at    { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
        cells == "" || index($0, cells "\t") == 1 { print $at }' "$1"
}

# A least-squares slope, written apart from the recipe's.
slope()
{
    awk '{ x[NR] = log($1); y[NR] = log($2); mx += x[NR]; my += y[NR] }
        END {
            for (i = 1; i <= NR; i++) {
                a += (x[i] - mx / NR) * (y[i] - my / NR)
                b += (x[i] - mx / NR) ^ 2
            }
            print a / b
        }'
}

# Mean BERTScore, in percent, of peri's two runs.
bertscore()
{
    for s in 1 2; do cell lab/peri-1-wd0.1-s$s/bertscore.tsv bertscore_f value; done |
        awk '{ sum += 100 * $1 } END { print sum / 2 }'
}

absent()
{
    if grep "$@"; then
        return 1
    fi
}

near() { awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a - b; exit !(d <= t && -d <= t) }'; }

@test "the whole of it, in small: complete, right in samples, and nothing is done twice" {
    lab -j2 SCALE=smoke >first
    absent -i warning first

    # Every section, every table with rows, every figure drawn.
    [ "$(grep -c '^## ' lab/report.src)" -eq 11 ]
    [ "$(grep -c '<h2>' lab/report.html)" -eq 11 ]
    while read -r _ name _; do
        [ "$(grep -vc '^#' "lab/$name.tsv")" -ge 2 ] || { echo "$name is empty"; false; }
    done < <(grep '^@table' lab/report.src)
    figures=$(grep -c '^@figure' lab/report.src)
    [ "$(ls lab/figures/*.svg | wc -l)" -eq "$figures" ]
    [ "$(ls lab/table-*.tsv | wc -l)" -eq "$(grep -c '^@table table-' lab/report.src)" ]
    [ "$(grep -c '<svg' lab/report.html)" -eq "$figures" ]
    [ "$(grep -c '</svg>' lab/report.html)" -eq "$figures" ]
    [ "$(grep -c '^Figure' lab/report.txt)" -eq "$figures" ]
    while read -r _ name _; do
        [ -s "lab/figures/$name.txt" ]
    done < <(grep '^@figure' lab/report.src)
    # Nothing is fetched from elsewhere, and no id stands twice.
    absent -E '(src|href)="?http' lab/report.html
    [ -z "$(grep -o " id=[\"'][^\"']*" lab/report.html | sort | uniq -d)" ]

    # Every claim is judged, and theorems hold whatever the weights.
    [ "$(cut -f 6 lab/claims.tsv | grep -vcxE 'verdict|holds|fails')" -eq 0 ]
    absent -E '^(Lemma 1|Theorem 4|Proposition [78]|Gradient).*fails' lab/claims.tsv

    # The commands show something: those of runs, and one of a model's.
    cut -f 7 lab/claims.tsv | sed '1d;s|^bin/|'"$BIN"/'|' | sort -u | grep -v 'probe.*-[02]' >shows
    [ "$(wc -l <shows)" -ge 8 ]
    while read -r command; do
        [ "$(bash -c "$command" | wc -l)" -ge 2 ] || { echo "nothing from: $command"; false; }
    done <shows

    # Samples, by another way: a mean over seeds, a share, a slope, a sensitivity.
    mean=$(for s in 1 2; do cell lab/peri-0.1-wd0.1-s$s/eval.tsv loss value; done |
        awk '{ sum += $1 } END { print sum / 2 }')
    shown=$(cell lab/table-a2.tsv "base${TAB}peri${TAB}0.1${TAB}ours" "val. loss")
    near "${shown%% *}" "$mean" 6e-4
    lost=$(cat lab/none-1-wd0-s{1,2}-lr1/status | grep -c 3 || true)
    [ "$(cell lab/table-a1.tsv none "0: ours")" = "$lost / 2" ]
    [ "$lost" -gt 0 ]
    slope=$(awk -F '\t' '/^[0-9]/ && $1 >= 24 { print $1, $7 }' lab/pre-1-wd0-s1-long/train.tsv |
        slope)
    near "$(cell lab/long.tsv "pre${TAB}1" slope_MA)" "$slope" 1e-3
    slope=$(awk '$1 == "trained" && $2 == "peri" && $3 == 1 { print $4, $5 }' lab/depth.tsv | slope)
    near "$(cell lab/depth-fit.tsv "trained${TAB}peri${TAB}1" power)" "$slope" 1e-3
    # Learned steps are learned, and probed: as a mean, and in Theorem 4's bound.
    steps=$(for s in 1 2; do cell lab/peri-0.1-wd0.1-s$s-learned/probe.tsv "" dt_k; done |
        awk '!/n/ { sum += $1; n++ } END { print sum / n }')
    shown=$(cell lab/table-ladder.tsv "peri${TAB}learned from 0.1" "learned dt: mean")
    near "${shown%% *}" "$steps" 6e-4
    [ "${shown%% *}" != 0.100 ]
    # With biases, Theorem 4's b_max is no longer 0.
    most=$(cell lab/table-bias.tsv "peri${TAB}1" "largest |bias| after f")
    awk -v b="$most" 'BEGIN { exit !(b > 0) }'

    # BERTScore, by an encoder of our own.
    row="base${TAB}peri${TAB}1${TAB}ours"
    shown=$(cell lab/table-a2.tsv "$row" "bert-proxy F1")
    near "${shown%% *}" "$(bertscore)" 6e-2
    [ "${shown%% *}" != 0.0 ]

    find lab -type f -printf '%p %T@ %s\n' | sort >before
    lab -j2 SCALE=smoke >second
    absent training second
    find lab -type f -printf '%p %T@ %s\n' | sort | cmp before -

    # Another encoder scores anew, and trains nothing.
    lab -j2 SCALE=smoke ENCODER="$ROOT/tests/golden/bert-tiny" BERTSCORE="--layer 1" >scored
    absent training scored
    again=$(cell lab/table-a2.tsv "$row" "BERT F1")
    near "${again%% *}" "$(bertscore)" 6e-2
    [ "$again" != "$shown" ]
}

@test "the paper's scale prints every command and what it would cost, without data" {
    lab -n SCALE=paper OWT=none >commands
    grep -q -- '--model gpt2 --steps 60000 .*--placement pre --dt 0.1 .*--model gpt2-xl' commands
    lab SCALE=paper plan >plan
    # 6 x 40 windows of 1,024 tokens, 60,000 times; papers count 123.59 million parameters
    # without 1,024 x 768 of positions.
    near "$(cell plan pre-1-wd0.1-s1 tokens)" 14745600000 1e7
    near "$(cell plan pre-1-wd0.1-s1 parameters)" 124.37e6 0.02e6
    runs=$(grep -o 'echo "[^ ]*: training"' commands | sort -u | wc -l)
    [ "$(tail -n +2 plan | grep -vc together)" -eq "$runs" ]
}

# Of OpenWebText in each of the forms that its users have.
owt()
{
    rm -rf lab
    lab SCALE=paper OWT="$1" DUCKDB="$PWD/duckdb" "$PWD/lab/data/manifest.json" 2>errors ||
        { cat errors; return 1; }
    shard -q --info lab/data
}

@test "OpenWebText as text, JSON lines or parquet is one data set" {
    mkdir text json parquet
    for i in $(seq 30); do
        head -c $((i * 100)) "$ROOT/share/shakespeare/tinyshakespeare.txt" | tail -c 100 |
            tr '\n"\\' ' ' >"text/$(printf %02d "$i")"
        printf '{"text":"%s"}\n' "$(cat "text/$(printf %02d "$i")")x"
        printf x >>"text/$(printf %02d "$i")"       # $() takes no blanks off the end
    done >owt.jsonl
    zstd -q owt.jsonl -o json/owt.jsonl.zst
    # Stands in for DuckDB, whose rows it has: it must be asked for this folder's.
    touch parquet/0.parquet
    query="COPY (SELECT text FROM '$PWD/parquet/**/*.parquet') TO '/dev/stdout' (FORMAT json)"
    printf '#!/bin/sh\n[ "$1" = -c ] && [ "$2" = "%s" ] && cat "%s"\n' "$query" "$PWD/owt.jsonl" \
        >duckdb
    chmod +x duckdb
    owt "$PWD/owt.jsonl" >want
    [ "$(awk '/-documents/ { n += $2 } END { print n }' want)" -eq 30 ]
    for form in json text parquet; do
        owt "$PWD/$form" | diff want -
    done
    from_nowhere() { lab SCALE=paper OWT="$PWD/nowhere" "$PWD/lab/data/manifest.json"; }
    rm -rf lab
    run from_nowhere
    [ "$status" -ne 0 ]
    [[ "$output" == *"'$PWD/nowhere' is not there; give OWT=PATH"* ]]
}
