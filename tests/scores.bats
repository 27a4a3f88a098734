# eval: ROUGE and BLEU of pairs of texts, and what goes wrong.

load common

@test "ROUGE of 383 golden pairs: rouge-score's means and numpy's bootstrap" {
    gzip -dc "$ROOT/tests/golden/rouge/pairs.tsv.gz" >pairs.tsv
    for stem in stem nostem; do
        option=--stem
        [ $stem = stem ] || option=
        # shellcheck disable=SC2086
        "$BIN/eval" -q --rouge $option --kinds 1,2,3,L,Lsum --bootstrap 1000 -s 42 pairs.tsv \
            2>warning | grep -v '^#' | tail -n +3 >got
        grep -q 'pairs have a text beyond ASCII without a word: words are of ASCII' warning
        paste got "$ROOT/tests/golden/rouge/means-$stem.tsv" | awk -F '\t' '
            { d = $2 - $4; if ($1 != $3 || d > 1e-12 || d < -1e-12) { print; bad = 1 } }
            END { exit bad || NR != 60 }'
    done
}

@test "ROUGE-1 ... 9: rouge-score's means of the same pairs" {
    gzip -dc "$ROOT/tests/golden/rouge/pairs.tsv.gz" >pairs.tsv
    "$BIN/eval" -q --rouge --kinds 1,2,3,4,5,6,7,8,9 pairs.tsv 2>warning | grep -v '^#' |
        tail -n +3 | paste - "$ROOT/tests/golden/rouge/means-orders.tsv" | awk -F '\t' '
            { d = $2 - $4; if ($1 != $3 || d > 1e-12 || d < -1e-12) { print; bad = 1 } }
            END { exit bad || NR != 27 }'
}

@test "pairs on stdin, in a file and in two files score the same" {
    printf 'the cat sat\non a mat\n' >c
    printf 'the cat sat down\non the mat\n' >r
    paste c r >p
    for mode in --rouge '--bleu --lowercase'; do
        # shellcheck disable=SC2086
        "$BIN/eval" -q $mode c r | grep -v '^#' >want
        # shellcheck disable=SC2086
        "$BIN/eval" -q $mode p | grep -v '^#' | cmp - want
        # shellcheck disable=SC2086
        "$BIN/eval" -q $mode - <p | grep -v '^#' | cmp - want
        # shellcheck disable=SC2086
        "$BIN/eval" -q $mode -o out p
        grep -v '^#' out | cmp - want
    done
}

@test "words of any script on request" {
    printf 'кошка спит\tкошка не спит\nde Äpfel\tDE äpfel\n' >p
    "$BIN/eval" -q --rouge --kinds 1 p 2>warning | value rouge1_f >f
    near "$(cat f)" 0.5 1e-12                       # none; de, pfel
    [ "$(cat warning)" = "eval: 1 pairs have a text beyond ASCII without a word: words are of \
ASCII letters and digits; use --words unicode" ]
    "$BIN/eval" -q --rouge --words unicode --kinds 1 p 2>warning >out
    near "$(value rouge1_f <out)" 0.9 1e-12         # 2 * 1 * 2/3 / (1 + 2/3), and 1
    [ ! -s warning ]
    grep -q '^# score=ROUGE|words:unicode|stem:no|refs:highest-f|as:keel' out
}

@test "plain lines keep their backslashes, escaped ones are undone" {
    printf 'a\\nb\ta b\n' | "$BIN/eval" -q --rouge --kinds 1 | value rouge1_f >f
    near "$(cat f)" 0.5 1e-12                         # words a, nb
    printf '# pairs=escaped\ncandidate\treference\na\\nb\ta b\n' |
        "$BIN/eval" -q --rouge --kinds 1 | value rouge1_f >f
    near "$(cat f)" 1 1e-12
}

@test "BLEU prints the peer's signature line" {
    for k in hyp ref0; do gzip -dc "$ROOT/tests/golden/bleu/A_en.$k.gz" >$k; done
    bleu() { "$BIN/eval" -q --bleu "$@" hyp ref0 | sed -n 's/^# score=//p'; }
    parts='59.46 87.3/70.1/56.6/45.5 (BP = 0.944 ratio = 0.945 hyp_len = 5759 ref_len = 6091)'
    [ "$(bleu)" = "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0 = $parts" ]
    bleu --smooth floor | grep -F 'smooth:floor[0.10]|'
    parts='51.05, 84.0/61.8/45.8/33.6 (BP=0.960, ratio=0.961, syslen=4403, reflen=4582)'
    [ "$(bleu --tokenizer fairseq)" = "BLEU4 = $parts" ]
    parts='58.58, 88.6/68.7/54.0/42.2 (BP=0.960, ratio=0.961, hyp_len=4403, ref_len=4582)'
    [ "$(bleu --tokenizer multi-bleu --lowercase)" = "BLEU = $parts" ]
    "$BIN/eval" -q --bleu --each hyp ref0 | grep -v '^#' | tail -n +2 | cut -f 2 >got
    gzip -dc "$ROOT/tests/golden/bleu/A_en.sent.gz" | paste got - | awk '
        { d = $1 - $2; if (d > 1e-12 || d < -1e-12) { print; bad = 1 } }
        END { exit bad || NR != 400 }'
}

# The other system: some lines of the first made worse, some made right.
@test "BLEU of two systems: sacrebleu's draws, intervals and p-value" {
    for k in hyp ref0; do gzip -dc "$ROOT/tests/golden/bleu/A_en.$k.gz" >$k; done
    paste hyp ref0 | awk -F '\t' '{ t = $1 } NR % 9 == 0 { sub(/the/, "a", t) }
        NR % 25 == 0 { sub(/ [^ ]+/, "", t) } NR % 35 == 1 { t = $2 } { print t }' >other
    "$BIN/eval" -q --bleu -s 12345 --against other hyp ref0 >out
    while read -r name number; do
        echo "$name"
        case $name in       # what it prints itself, from sums in f32
            sacrebleu_*) near "$(value "bleu_${name#*_}" <out)" "$number" 1e-5 ;;
            *) near "$(value "$name" <out)" "$number" 1e-11 ;;
        esac
    done <"$ROOT/tests/golden/bleu/paired.tsv"
    "$BIN/eval" -q --bleu -s 12345 --bootstrap 1000 hyp ref0 >one
    [ "$(value bleu_high <one)" = "$(value bleu_high <out)" ]
    parts='(μ = 59.40 ± 2.29) 87.3/70.1/56.6/45.5 (BP = 0.944 ratio = 0.945'
    signature='BLEU|nrefs:1|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0'
    for table in one out; do
        grep -F "# score=$signature = 59.46 $parts hyp_len = 5759 ref_len = 6091)" $table
    done
    "$BIN/eval" -q --bleu --against hyp hyp ref0 | value p_value >same
    near "$(cat same)" "$(awk 'BEGIN { print 1 / 1001 }')" 1e-5     # none differs
    fails 2 'only --bleu compares systems' "$BIN/eval" --rouge --against other hyp ref0
    fails 2 'two files or more' "$BIN/eval" --bleu --against other hyp
    head -n 9 other >short
    fails 1 'has more lines than short' "$BIN/eval" --bleu --against short hyp ref0
}

# Of two empty texts no word matches: rouge-score and sacrebleu say 0, keel too (D_short and
# E_empty_hyp ... of the golden corpora, tests/bleu.c).
@test "empty texts are pairs that score 0" {
    printf '\t\na b c d\t\n\ta b c d\na b c d\ta b c d\n' >p
    "$BIN/eval" -q --rouge p >out
    [ "$(value pairs <out)" -eq 4 ]
    for kind in rouge1 rouge2 rougeL rougeLsum; do
        near "$(value ${kind}_f <out)" 0.25 1e-12
    done
    "$BIN/eval" -q --bleu --each p | grep -v '^#' | tail -n +2 | cut -f 2 >rows
    [ "$(tr '\n' ' ' <rows | sed 's/100[0-9.]*/100/')" = '0 0 0 100 ' ]
    printf '\t\n' | "$BIN/eval" -q --bleu | value bleu | grep -x 0
}

@test "bad pairs are told with their place" {
    printf 'a\tb\nc\n' >p
    fails 1 'p:2: no TAB between the candidate and its reference' "$BIN/eval" --rouge p
    printf 'a\nb\n' >c
    printf 'a\n' >r
    fails 1 'c: has more lines than r, which has 1' "$BIN/eval" --rouge c r
    fails 1 'c: has more lines than r, which has 1' "$BIN/eval" --bleu c r
    printf 'a\t\377b\n' >p
    fails 1 'p:1: byte 3 is not UTF-8' "$BIN/eval" --bleu p
    for mode in --rouge --bleu; do          # nothing but the message: no half of a table
        [ "$("$BIN/eval" $mode c r 2>&1 | grep -vc 'has more lines')" = 0 ]
    done
    : >p
    fails 1 'no pairs: the input is empty' "$BIN/eval" --rouge p
    printf '# pairs=escaped\ncandidate\treference\na\\x\tb\n' >p
    fails 1 'p:3: a backslash that begins none of' "$BIN/eval" --rouge p
    printf 'a\tb\nc\td\te\n' >p
    fails 1 'pair 2: 2 references where the first pair has 1' "$BIN/eval" --bleu p
    fails 1 'nothere: No such file or directory' "$BIN/eval" --rouge nothere
    fails 2 'standard input can be one of the files only' "$BIN/eval" --rouge - -
    fails 2 '--smooth-value: -0.5 is less than 0' \
        "$BIN/eval" --bleu --smooth floor --smooth-value -0.5 c c
}

# Golden pairs many times over, so that several blocks and threads are at work.
@test "any number of threads gives the same rows and sums, and the same first error" {
    gzip -dc "$ROOT/tests/golden/rouge/pairs.tsv.gz" | tail -n +3 >some
    { printf '# pairs=escaped\ncandidate\treference\n'; cat some some some some some; } >p
    [ "$(wc -c <p)" -gt 400000 ]
    for mode in --rouge '--rouge --stem --each' --bleu '--bleu --each --tokenizer intl'; do
        for j in 1 2 5; do
            # shellcheck disable=SC2086
            "$BIN/eval" -q -j $j $mode p 2>/dev/null | grep -v '^# command' >got.$j
            cmp got.1 got.$j
        done
        [ "$(wc -l <got.1)" -gt 10 ]
    done
    "$BIN/eval" -q -j 1 --rouge --each p 2>/dev/null | grep -v '^#' | cut -f 2- | tail -n +2 >rows
    n=$(wc -l <some)
    for k in 2 3 4 5; do
        head -n $((k * n)) rows | tail -n "$n" | cmp - <(head -n "$n" rows)
    done
    { cat p; echo 'no tab'; cat some; printf 'a\t\\x\n'; } >bad
    for j in 1 4; do
        fails 1 "bad:$((5 * n + 3)): no TAB" "$BIN/eval" -q -j $j --rouge bad
        fails 1 "bad:$((5 * n + 3)): no TAB" "$BIN/eval" -q -j $j --bleu bad
    done
}

@test "files of lines of very different lengths, and without a last line end" {
    awk 'BEGIN { for (i = 0; i < 3000; i++) { printf "a"; for (k = 0; k < i % 700; k++) printf " b"
        if (i < 2999) print "" } }' >c
    awk 'BEGIN { for (i = 0; i < 3000; i++) { printf "a"; for (k = 0; k < 700 - i % 700; k++)
        printf " b"; if (i < 2999) print "" } }' >r
    "$BIN/eval" -q --rouge --kinds 1,L c r | grep -v '^#' >want
    paste c r | "$BIN/eval" -q --rouge --kinds 1,L | grep -v '^#' | cmp - want
    [ "$(value pairs <want)" -eq 3000 ]
    echo >>c
    "$BIN/eval" -q --rouge --kinds 1,L c r | grep -v '^#' | cmp - want
    echo x >>c
    fails 1 'c: has more lines than r, which has 3000' "$BIN/eval" --rouge c r
    fails 1 'c: has more lines than r, which has 3000' "$BIN/eval" --rouge r c
}

# 30 MB of pairs; the peak is read while the program still waits for more.
@test "ROUGE and BLEU take the same memory for any number of pairs" {
    gzip -dc "$ROOT/tests/golden/bleu/A_en.hyp.gz" >c
    for _ in {1..20}; do paste c c; done >p
    mkfifo feed
    for mode in --rouge --bleu; do
        "$BIN/eval" -q -j 2 $mode feed >out &
        exec 8>feed
        for _ in {1..20}; do cat p; done >&8
        grep VmHWM "/proc/$!/status" >peak
        exec 8>&-
        wait $!
        cat peak
        [ -n "$KEEL_SANITIZE" ] || [ "$(tr -cd 0-9 <peak)" -lt 24000 ]
        [ "$(value pairs <out)" -eq 160000 ]
    done
}
