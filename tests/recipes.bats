# recipes: runs are made once, go on where they stopped, and a diverged one is a result.

load common

# The demo at a size that takes a second a run.
TINY="--layers 4 --width 16 --heads 2 --context 16 --batch 4 --steps 30 --lr 3e-2 --warmup 0"
TINY="$TINY --schedule constant --eval-every 0 --eval-batches 1 --checkpoint-every 10"

demo()
{
    make -s -C "$ROOT" -f recipes/demo.mk -j2 BIN="$BIN" RUNS="$PWD/runs" TRAIN="$TINY" \
        GRID="none-1e9 pre-1 peri-0.1" "$@"
}

@test "the demo: a table of every run, two plots, and nothing is done twice" {
    demo >first
    cat first
    [ "$(cat runs/{none-1e9,pre-1,peri-0.1}/status | paste -sd ' ')" = "3 0 0" ]
    [ "$(cut -f 1,2 runs/table.tsv | paste -sd ' ' | tr '\t' '-')" = \
        "placement-dt none-1e+09 pre-1 peri-0.1" ]
    # Without a norm such a step overflows; the table has when.
    [ "$(awk -F '\t' '/^none/ { print $6 }' runs/table.tsv)" = \
        "$(sed -n 's/^# diverged=//p' runs/none-1e9/train.tsv)" ]
    # Its figures are those of the parts.
    for r in pre-1 peri-0.1; do
        loss=$(awk '$1 == "loss" { print $2 }' runs/$r/eval.tsv)
        awk -F '\t' -v r="$r" -v loss="$loss" '
            $1 "-" $2 == r { near = ($3 - loss) ^ 2 < 1e-6 * loss ^ 2 && $6 == "-" }
            END { exit !near }' runs/table.tsv
    done
    for p in loss growth; do [ "$(head -c 4 runs/$p.png | tail -c 3)" = PNG ]; done
    find runs -type f -printf '%p %T@ %s\n' | sort >before
    demo >second
    run ! grep training second
    find runs -type f -printf '%p %T@ %s\n' | sort | cmp before -
}

@test "a run that was killed goes on, to what it would have been" {
    demo GRID=peri-0.1 "$PWD/runs/peri-0.1/status" >/dev/null
    cp runs/peri-0.1/train.tsv whole.tsv
    rm -r runs/peri-0.1
    train -q -j1 -o runs/peri-0.1 $TINY --placement peri --dt 0.1 runs/data &
    until [ -d runs/peri-0.1/step-00000010 ]; do sleep 0.01; done
    kill -9 $! 2>/dev/null || true
    wait $! || true
    demo GRID=peri-0.1 "$PWD/runs/peri-0.1/status" | grep "going on"
    # All but the speed.
    cmp <(grep '^[0-9]' whole.tsv | cut -f 1-7) \
        <(grep '^[0-9]' runs/peri-0.1/train.tsv | cut -f 1-7)
}

@test "a run that fails stops the recipe, says why, and is no result" {
    run demo TRAIN="--layers 2 --width 15 --heads 2" GRID=pre-1 "$PWD/runs/pre-1/status"
    [ "$status" -ne 0 ]
    [[ "$output" == *"does not divide"* ]]
    [ ! -e runs/pre-1/status ]
}
