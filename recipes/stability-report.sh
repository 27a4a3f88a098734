#!/usr/bin/env bash
# stability-report.sh - the report's source, which report-html.awk and report-txt.awk read.
# From the environment: SCALE RUNS DATA BIN ENCODER NOTE SETTING COUNT LR HARD WHY
# LIMIT LETTERS REMARKS.
# Every table and figure that it names was made by stability.mk.
set -eu

figure() { echo; echo "@figure $*"; }
table() { echo; echo "@table $*"; }

count() { awk -F '\t' -v want="$1" '$6 == want { n++ } END { print n + 0 }' "$RUNS/claims.tsv"; }
# The options of the run with a table of the report, as typed.
command_of()
{
    sed -n 's/ -q\| -j1\| -o [^ ]*//g;s/^# command=/bin\//p;/^[^#]/q' "$RUNS/$1"
}
usual() { echo "$1-wd$3-s$2"; }
# The law that fits a placement's last state, dt 1, over numbers of blocks.
law()
{
    awk -F '\t' -v p="$1" '$1 == "trained" && $2 == p && $3 == 1 {
        printf($NF == "power" ? "D ^ %.2f" : "exp(%.3f D)", $NF == "power" ? $5 : $7) }' \
        "$RUNS/depth-fit.tsv"
}

cat <<END
# Stability of Transformers under layer normalisation: measured, $SCALE scale

The tables, figures and claims of Kan et al. (2025, arXiv 2510.09904) beside our own numbers,
from $COUNT runs. $NOTE Nothing was tuned for any placement. A
sub-layer f acts on the stream x as x + dt f(x), and the placement says where norms stand:
none; post, on the sum; pre, before f; peri, before and after f; output, after f.

Of the claims and checks below $(count holds) hold, $(count fails) fail and $(count n/a) could not
be judged.

\$ make -f recipes/stability.mk -j2 SCALE=$SCALE

Every run is a folder in $RUNS and was made with these options, and those of its name:

\$ bin/train -o $RUNS/NAME $SETTING ... $DATA

## Claims
END
table table-claims What the paper claims of runs. The command shows the numbers behind it.
table table-checks \
    "What theory says of every model, whatever its weights. q, s_f and the others are explained" \
    "below and in probe(1)."
table table-models \
    "The same model by model: of each check the number that is farthest off; a dash where it is" \
    "about another placement."
[ -z "$REMARKS" ] || { echo; echo "$REMARKS"; }

cat <<END

## A1: stability

A run has diverged if its loss or gradient is no longer a number, or its last validation loss
is 0.5 nats above its best or above $LIMIT. The paper counts diverged runs of five.
The learning rate of these runs is $HARD, the usual one $LR. $WHY
END
[ -z "${LETTERS-}" ] || cat <<END
A model that knows only how frequent each letter is has a loss of $LETTERS nats.
END
table table-a1 \
    "Diverged runs, dt 1, with weight decay 0.1 and 0, how they did, and the mean last validation" \
    "loss of those that took all their steps."
figure hard "Training loss at learning rate $HARD, mean of ten steps, seed 1 with weight decay."
figure loss \
    "Training loss at the usual learning rate, mean of ten steps, seed 1 with weight decay. A" \
    "cross ends a run that diverged."

cat <<END

## A2: performance

Means over seeds with 95 % intervals (Student), of runs that took all their steps. Perplexity is
the paper's, the mean over windows of exp of the window's loss. ROUGE (F, with Porter stems) and
BERTScore compare the likeliest token at every position with the true text, in percent.
END
case $ENCODER in
    "") echo "BERTScore needs an encoder and says n/a: give ENCODER=FOLDER, a BERT as transformers"
        echo "saves it (roberta-large for the paper's), to make; nothing is trained again." ;;
    */bert-proxy/bert)
        echo "BERTScore is by a small BERT of our own, \"bert-proxy\", trained on the same text: it"
        echo "compares these rows with each other and with nothing else. ENCODER=FOLDER, a BERT as"
        echo "transformers saves it, gives make another; nothing is trained again." ;;
    *)  echo "BERTScore's encoder is $(basename "$ENCODER")." ;;
esac
table table-a2 \
    "The paper's rows are of GPT-2 on OpenWebText: compare their order, not their size. We could" \
    "read no ROUGE and no BERTScore of it; a dash means that."

cat <<END

## A3: growth of hidden states

MA is the mean of |X| over a window's state; var_entry the variance of its entries; var_data
that of each entry over windows.
END
for s in MA var_entry var_data; do
    figure "$s-untrained" "$s against depth before training."
    figure "$s-trained" "$s against depth after training."
done
figure bounds-peri-untrained "MA of peri before training, under Theorem 4's bound (dashed)."
figure bounds-peri "The same after training."
figure bounds-pre-untrained \
    "MA of pre before training, under Theorem 3's bound with the C that was seen (dashed)."
figure bounds-pre \
    "The same after training: one block alone makes C large, and the bound loose from there on."
figure bounds-var "var_entry of peri after training, under Theorem 4's bound (dashed)."
echo
echo "$ $(command_of "$(usual pre-1 1 0.1)/probe.tsv")"
cat <<END

Theorem 3 bounds the growth with pre by an exponential, Theorem 4 that with peri by a line. R2 is
how much of MA's variance over the depth of one model each law explains. Over models of several
depths, $(law pre) fits pre's last state better, $(law peri) peri's.
END
table depth \
    "Models of several depths: the last state, and how much of ln MA or MA over the depth of" \
    "one model an exponential, a line and a parabola explain."
table depth-fit \
    "MA of the last state against the number of blocks D: D to a power, or exp of a rate" \
    "times D."
figure depth MA of the last state against the number of blocks.

cat <<END

## Backward stability

s_f is the spectral norm of a sub-layer's Jacobian, s_step that of the step I + dt df,
J_to_end that from a state to the last one, grad_X the norm of the loss's gradient there.
END
echo
echo "$ $(command_of "$(usual pre-1 1 0.1)/jacobian.tsv")"
for s in s_f s_step J_to_end grad_X; do
    figure "$s" "$s against depth after training."
done
figure gradient-qkv "Norm of the gradient of the maps to queries, keys and values, by block."
figure gradient-W_2 "Norm of the gradient of the feed-forward's output map, by block."
figure saturation \
    "Theorem 2: <-p, f> of the adjoint p over its supremum on what the norm after f can put out." \
    "With pre there is no such supremum."
figure scaled \
    "Propositions 7 and 8: s_f, mean over sub-layers, with the output map times a factor." \
    "Slope 1 for pre, 0 for peri."

cat <<END

## Theorem 2 over time

Without weight decay, for longer. Theorem 2 says that the problem with pre has optimal solutions
of unbounded size. Slopes are of the logarithm against log step, over the last nine tenths.
END
table long \
    "Growth of the last state and of the largest output maps (attention W_o, feed-forward" \
    "W_2; Frobenius norms)."
figure long MA of the last state against step.
figure weights The largest norm of W_o, and dashed of W_2, against step.

cat <<END

## Beyond the paper: residual steps

The paper has dt 1 and 0.1. In between and below stand 0.5, 1 / sqrt(2D) and 1 / (2D) for D blocks;
a learned dt is a number of each sub-layer's own.
END
table table-ladder \
    "Validation loss of the last step and MA of the last state, by dt; of learned steps the mean," \
    "the least and the most over sub-layers."
figure ladder Validation loss against dt.
figure learned Learned residual steps against depth, by what they began at.

echo
echo "## Beyond the paper: RMS norm, biases"
table table-rms Each placement with layer norm and with RMS norm.
table table-bias \
    "A bias in every linear map and every norm, seed 1; the largest of those after f is what" \
    "Theorem 4 calls b_max. Without biases it is 0."

cat <<END

## Beyond the paper: learning rates

The sensitivity of Wortsman et al. (2023, arXiv 2309.14322): the mean over learning rates of the
last loss, at most that before training, minus the best of them. Smaller is better.
END
table table-rates \
    "Validation loss of the last step by learning rate, placement and dt, and the" \
    "sensitivity."
figure rates Validation loss against learning rate.
figure rates-MA MA of the last state against learning rate.

echo
echo "## Beyond the paper: precision of attention"
echo
echo "The same seeds with another precision inside attention, to tell rounding from optimisation."
table table-attention Pre and peri, dt 1, with weight decay.

cat <<END

## Data and files

Every run's row is in runs.tsv, means over seeds in means.tsv, both in $RUNS; what a program
measured of a run lies in the run's folder, with the command in its first line.
END
