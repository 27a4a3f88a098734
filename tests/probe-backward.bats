#!/usr/bin/env bats
# probe-backward - probe's Jacobians, gradients and claims.  The norms themselves are held
# against PyTorch in tests/jacobian.c.
load common

setup()
{
    scratch
    corpus 20000 | tokenize -q -v bytes | shard -q -o data --val-tail 0.2
    small=(--init --layers 2 --width 16 --heads 2 --context 16 --init-std 0.2 -j1)
}

# Row $2 (from 0), column $3 of a table.
cell()
{
    grep -v '^#' "$1" | awk -F '\t' -v row="$2" -v name="$3" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i }
        NR == row + 2 { print $c }'
}

@test "a row for every state; the last has nothing after it" {
    probe "${small[@]}" --placement pre --jacobian --windows 2 data >j.tsv
    [ "$(grep -vc '^#' j.tsv)" -eq 6 ]
    [ "$(cell j.tsv 4 J_to_end)" = 1 ]
    [ "$(cell j.tsv 4 s_f)" = nan ]
    [ "$(cell j.tsv 0 saturation)" = 0 ]
}

# Two independent routes to the same number, both of f32 passes.
@test "from one state to the next, J_to_end is s_step; the chain bounds the whole" {
    for placement in none post pre peri output; do
        probe "${small[@]}" --placement $placement --jacobian --windows 1 data >j.tsv
        awk -v a="$(cell j.tsv 3 J_to_end)" -v b="$(cell j.tsv 3 s_step)" \
            -v all="$(cell j.tsv 0 J_to_end)" \
            -v p="$(cell j.tsv 0 s_step)" -v q="$(cell j.tsv 1 s_step)" \
            -v r="$(cell j.tsv 2 s_step)" \
            'BEGIN { d = a / b - 1; exit !(d < 1e-3 && d > -1e-3 && all <= p * q * r * b * 1.001) }'
    done
}

@test "Propositions 7 and 8: slope 1 for pre, 0 for peri, as the paper says" {
    probe "${small[@]}" --placement pre --scale-out 1,10,100 data >out.tsv
    grep -v '^#' out.tsv |
        awk 'NR > 1 && !($6 > 0.95 && $6 < 1.05) { bad = 1 } END { exit bad || NR != 13 }'
    probe "${small[@]}" --placement peri --scale-out 1,10,100 data >out.tsv
    grep -v '^#' out.tsv | awk 'NR > 1 && !($6 > -0.05 && $6 < 0.05) { bad = 1 } END { exit bad }'
    # The state's scale is divided out again: slope -1 for both.
    probe "${small[@]}" --placement peri --scale-in 1,10,100 data >in.tsv
    grep -v '^#' in.tsv | awk 'NR > 1 && !($6 > -1.05 && $6 < -0.95) { bad = 1 } END { exit bad }'
}

@test "the claims of each placement hold, and those of others are n/a" {
    probe "${small[@]}" --placement peri --claims data | grep -v '^#' >peri.tsv
    probe "${small[@]}" --placement pre --claims data | grep -v '^#' >pre.tsv
    run ! grep fails peri.tsv
    run ! grep fails pre.tsv
    [ "$(grep -c holds peri.tsv)" -eq 6 ]
    grep -q '^Proposition 8.*n/a' pre.tsv
    grep -q '^Theorem 4.*n/a' pre.tsv
}

@test "one window's mean gradient is its gradient; more windows cancel" {
    probe "${small[@]}" --gradients --windows 1 data | grep -v '^#' |
        awk 'NR > 1 && ($4 - $5) ^ 2 > 1e-12 * $4 ^ 2 { bad = 1 } END { exit bad || NR != 16 }'
    probe "${small[@]}" --gradients --windows 16 data | grep -v '^#' |
        awk 'NR > 1 && !($5 < $4) { bad = 1 } END { exit bad }'
}

# n entries of standard deviation s: s sqrt(n), give or take s / sqrt(2) a standard error.
@test "weight is the norm of the parameter: gains are 1, initial weights as gpt2's" {
    probe "${small[@]}" --gradients --windows 1 data | grep -v '^#' | awk -F '\t' '
        function far(want, slack) { return ($6 - want) ^ 2 > slack ^ 2 }
        NR == 1 && $6 != "weight"   { bad = 1 }
        $3 ~ /gain/ && far(4, 1e-6) { bad = 1 }
        $3 == "mlp.fc.weight" && far(0.2 * 32, 0.7)   { bad = 1 }
        $3 == "mlp.proj.weight" && far(0.1 * 32, 0.35) { bad = 1 }
        END { exit bad || NR != 16 }'
}

@test "mistakes in the command line" {
    fails 2 'exclude each other' probe "${small[@]}" --jacobian --claims data
    fails 2 "'x' is no positive number" probe "${small[@]}" --scale-out 1,x data
    fails 2 'two factors are needed' probe "${small[@]}" --scale-in 2 data
}
