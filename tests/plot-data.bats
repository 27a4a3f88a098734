# plot-data: grouping, statistics against Python's and a printed t table, pictures, faults.

load common

# A table of a run: placement, dt, seed, then rows "step loss" from stdin.
run_table()
{
    printf '# command=train\n# placement=%s\n# dt=%s\n# seed=%s\nstep\tloss\n' "$1" "$2" "$3"
    tr ' ' '\t'
}

# The rows below the header, without notes.
rows()
{
    grep -v '^#' | tail -n +2
}

@test "mean, sd, 95 % interval, min and max over seeds" {
    printf '0 4\n1 3\n' | run_table peri 0.1 1 >1.tsv
    printf '0 5\n1 2\n' | run_table peri 0.1 2 >2.tsv
    printf '0 9\n1 1\n' | run_table peri 0.1 3 >3.tsv
    plot-data -x step -y loss -g placement,dt ./*.tsv >out.tsv
    [ "$(grep -v '^#' out.tsv | head -n 1 | tr '\t' ' ')" = \
        "placement dt y step n mean sd low high min max diverged" ]
    # By hand: mean 6, sd sqrt(7), t(0.975, 2) = 4.302653 (any printed table), to 7 digits.
    rows <out.tsv | awk '
        function near(a, b) { return (a - b) ^ 2 < 1e-12 * b * b }
        NR == 1 { half = 4.30265273 * sqrt(7) / sqrt(3)
                  ok = $3 == "loss" && $4 == 0 && $5 == 3 && $6 == 6 && near($7, sqrt(7)) &&
                       near($8, 6 - half) && near($9, 6 + half) && $10 == 4 && $11 == 9 }
        NR == 2 { ok = ok && $4 == 1 && $6 == 2 && $7 == 1 && $12 == 0 }
        END { exit !(ok && NR == 2) }'
}

@test "Student's t at even and odd degrees of freedom, against a printed table" {
    # Two-sided 95 % points of 1, 2, 5, 10 and 30 degrees of freedom, to the table's 3 decimals.
    for row in 1:12.706 2:4.303 5:2.571 10:2.228 30:2.042; do
        n=$((${row%:*} + 1))
        { printf 'x\ty\n'; for i in $(seq "$n"); do printf '0\t%s\n' "$i"; done; } >t.tsv
        plot-data -x x -y y t.tsv | rows | awk -v n="$n" -v want="${row#*:}" '{
            t = ($7 - $4) / ($5 / sqrt(n)); exit !((t - want) ^ 2 < 0.0006 ^ 2) }'
    done
}

@test "groups keep their order, and are columns or notes" {
    printf '0 4\n' | run_table pre 1 1 >b.tsv
    printf '0 5\n' | run_table none 1 1 >a.tsv
    plot-data -x step -y loss -g placement b.tsv a.tsv | rows | cut -f 1 | paste -s >got
    [ "$(tr '\t' ' ' <got)" = "pre none" ]
    printf 'layer\tsub\tma\n0\tattn\t1\n0\tmlp\t2\n1\tattn\t3\n' >p.tsv
    [ "$(plot-data -x layer -y ma -g sub p.tsv | rows | cut -f 1,3,5 | tr '\t\n' ' ;')" = \
        "attn 0 1;attn 1 3;mlp 0 2;" ]
    [ "$(plot-data -x layer -y ma -w sub=mlp p.tsv | rows | cut -f 4)" = 2 ]
}

@test "tables one after the other on standard input" {
    printf '0 4\n' | run_table pre 1 1 >a.tsv
    printf '0 6\n' | run_table pre 1 2 >b.tsv
    printf '0 7\n' | run_table none 1 2 >c.tsv
    cat a.tsv b.tsv c.tsv | plot-data -x step -y loss -g placement | rows | cut -f 4,5 >got
    printf '2\t5\n1\t7\n' | cmp - got
    cat a.tsv | plot-data -x step -y loss -g placement - | rows | grep -q '^pre'
}

@test "a diverged series ends and is counted, a gap is not a divergence" {
    printf '0 4\n1 90\n2 nan\n' | run_table none 1 1 >1.tsv
    printf '0 4\n1 inf\n2 inf\n' | run_table none 1 2 >2.tsv
    printf '0 4\n1 nan\n2 3\n' | run_table none 1 3 >3.tsv
    plot-data -x step -y loss -g placement ./*.tsv | rows | cut -f 3,4,5,11 >got
    printf '0\t3\t4\t0\n1\t1\t90\t1\n2\t1\t3\t1\n' | cmp - got
    # Without -x: how the runs ended.
    [ "$(plot-data -y loss -g placement ./*.tsv | rows | cut -f 3,4,10 | tr '\t' ' ')" = "1 3 2" ]
    # The verdict of train stands in a note: the loss was finite where the gradient was not.
    { cat 3.tsv; printf '# diverged=2\n'; } >verdict.tsv
    [ "$(plot-data -x step -y loss verdict.tsv | rows | cut -f 2,3,10 | tr '\t\n' ' ;')" = \
        "0 1 0;2 1 1;" ]
    [ "$(plot-data -y loss verdict.tsv | rows | cut -f 2,9 | tr '\t' ' ')" = "0 1" ]
    # Nothing measured at all is not a divergence.
    printf 'x\ty\n0\tnan\n1\tnan\n' >nan.tsv
    [ -z "$(plot-data -x x -y y nan.tsv | rows)" ]
}

@test "empty cells are not measured" {
    printf 'step\tval_loss\n0\t4\n1\t\n2\t3\n' >a.tsv
    [ "$(plot-data -x step -y val_loss a.tsv | rows | cut -f 2,4,10 | tr '\t\n' ' ;')" = \
        "0 4 0;2 3 0;" ]
}

@test "smoothing over the last values, and exponentially" {
    printf 'x\ty\n0\t1\n1\t2\n2\t6\n3\t10\n' >a.tsv
    [ "$(plot-data -x x -y y --smooth 3 a.tsv | rows | cut -f 4 | paste -sd ' ')" = "1 1.5 3 6" ]
    # Weights 1, d, d^2 over their sum with d = 0.5: (2 + 0.5) / 1.5, (6 + 1 + 0.25) / 1.75, ...
    plot-data -x x -y y --decay 0.5 a.tsv | rows | cut -f 4 | paste -sd ' ' |
        awk '{ exit !($1 == 1 && ($2 - 2.5 / 1.5) ^ 2 < 1e-12 && ($3 - 7.25 / 1.75) ^ 2 < 1e-12 &&
                      ($4 - 13.625 / 1.875) ^ 2 < 1e-12) }'
}

@test "the order of files does not change a bit of the statistics" {
    for i in 1 2 3 4 5; do printf '0 0.%s7\n' "$((i * 7 % 5))" | run_table pre 1 $i >$i.tsv; done
    plot-data -x step -y loss 1.tsv 2.tsv 3.tsv 4.tsv 5.tsv | rows >a
    plot-data -x step -y loss 4.tsv 2.tsv 5.tsv 1.tsv 3.tsv | rows >b
    cmp a b
}

@test "PNG, SVG and terminal" {
    printf '0 5\n1 4\n2 3\n' | run_table "it's" 0.1 1 >1.tsv
    printf '0 5\n1 50000\n2 nan\n' | run_table none 1 1 >2.tsv
    printf '0 6\n1 4\n2 3\n' | run_table "it's" 0.1 2 >3.tsv
    plot-data -x step -y loss -g placement,dt --title 'a "b" $c `d`' --log-y \
        --png a.png --svg a.svg ./*.tsv >said 2>&1
    [ ! -s said ]
    [ "$(od -An -tx1 -N8 a.png | tr -d ' \n')" = 89504e470d0a1a0a ]
    tail -c 12 a.png | od -An -c | grep -q 'I   E   N   D'
    grep -q "it&apos;s, 0.1\|it's, 0.1" a.svg
    grep -q 'diverged' a.svg
    tail -n 2 a.svg | grep -q '</svg>'
    plot-data -x step -y loss -g placement --terminal --size 60x20 ./*.tsv >t.txt
    grep -q "it's" t.txt
    [ "$(wc -L <t.txt)" -le 60 ]
}

@test "an unknown column is answered with those there are" {
    printf '0 5\n' | run_table pre 1 1 >a.tsv
    fails 1 "a.tsv: no column or note 'los'; there are step, loss; notes command, placement" \
        plot-data -x step -y los a.tsv
}

@test "empty, cut and damaged tables" {
    : >empty.tsv
    fails 1 "empty.tsv:0: no header row; the table is empty" plot-data -x step -y loss empty.tsv
    printf '# a=b\n' >notes.tsv
    fails 1 "notes.tsv:1: no header row" plot-data -x step -y loss notes.tsv
    printf 'step\tloss\n0\t5\n1\t4.12' >cut.tsv
    fails 1 "cut.tsv:3: the last line has no end; the table was cut short" \
        plot-data -x step -y loss cut.tsv
    printf 'step\tloss\n0\t5\n1\n' >short.tsv
    fails 1 "short.tsv:3: fewer cells than the header has columns" \
        plot-data -x step -y loss short.tsv
    printf 'step\tloss\n0\t5\t6\n' >long.tsv
    fails 1 "long.tsv:2: more cells" plot-data -x step -y loss long.tsv
    printf 'step\tloss\n0\t5\n1\tfive\n' >word.tsv
    fails 1 "word.tsv:3: 'five' is not a number" plot-data -x step -y loss word.tsv
    fails 1 "none.tsv: No such file" plot-data -x step -y loss none.tsv
    fails 1 "Is a directory" plot-data -x step -y loss .
}

@test "mistakes on the command line" {
    printf '0 5\n' | run_table pre 1 1 >a.tsv
    fails 2 "-y is needed" plot-data -x step a.tsv
    fails 2 "-x is needed to draw" plot-data -y loss --terminal a.tsv
    fails 2 "is not KEY=VALUE" plot-data -x step -y loss -w loss a.tsv
    fails 2 "is not LOW:HIGH" plot-data -x step -y loss --y-range 5 a.tsv
    fails 2 "does not end with a number" plot-data -x step -y loss --y-range 5:x a.tsv
    fails 2 "not above 0 on a log" plot-data -x step -y loss --log-y --y-range 0:3 a.tsv
    fails 2 "is not WIDTHxHEIGHT" plot-data -x step -y loss --size 5 a.tsv
    fails 2 "holds an empty name" plot-data -x step -y loss, a.tsv
    fails 1 "nothing to draw" plot-data -x step -y loss -w dt=2 --terminal a.tsv
}

@test "without gnuplot a picture is refused and nothing is touched; a table needs none" {
    printf '0 5\n1 4\n' | run_table pre 1 1 >a.tsv
    echo before >a.png
    fails 1 "gnuplot is not installed; apt install gnuplot-nox" \
        env PATH=. "$BIN/plot-data" -x step -y loss --png a.png a.tsv
    [ "$(cat a.png)" = before ]
    env PATH=. "$BIN/plot-data" -x step -y loss a.tsv >out.tsv
    [ -s out.tsv ]
}

@test "a gnuplot that fails is reported" {
    printf '0 5\n1 4\n' | run_table pre 1 1 >a.tsv
    mkdir fake && printf '#!/bin/sh\nexit 7\n' >fake/gnuplot && chmod +x fake/gnuplot
    PATH=$PWD/fake:$PATH fails 1 "gnuplot failed" plot-data -x step -y loss --png a.png a.tsv
    [ ! -e a.png ]
}

@test "a full disk is reported, and leaves what was there" {
    printf '0 5\n1 4\n' | run_table pre 1 1 >a.tsv
    run bash -c 'plot-data -x step -y loss a.tsv >/dev/full'
    [ "$status" -eq 1 ]
    [[ "$output" == *"No space left on device"* ]]
    run bash -c 'plot-data -x step -y loss --terminal a.tsv >/dev/full'
    [ "$status" -eq 1 ]
    small_disk 16k || skip "no right to mount a small disk"
    echo before >small/a.png
    run plot-data -x step -y loss --png small/a.png a.tsv
    status_png=$status kept=$(cat small/a.png) said=$output left=$(ls -A small)
    umount small
    [ "$status_png" -eq 1 ]
    [[ "$said" == *"small/a.png: No space left on device"* ]]
    [ "$kept" = before ]
    [ "$left" = a.png ]
}
