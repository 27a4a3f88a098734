#!/usr/bin/env bash
# stability-report.sh - the report's source, which report-html.awk and report-txt.awk read.
# From the environment: SCALE RUNS DATA BIN ENCODER NOTE SETTING COUNT.
# Every table and figure that it names was made by stability.mk.
set -eu

figure() { echo; echo "@figure $*"; }
table() { echo; echo "@table $*"; }

count() { awk -F '\t' -v want="$1" '$6 == want { n++ } END { print n + 0 }' "$RUNS/claims.tsv"; }
# The options of the run with a table of the report, as typed.
command_of() { sed -n 's/^# command=/bin\//p;/^[^#]/q' "$RUNS/$1"; }
usual() { echo "$1-wd$3-s$2"; }

cat <<END
# Stability of Transformers under layer normalisation: measured, $SCALE scale

The tables, figures and claims of Kan et al. (2025, arXiv 2510.09904) beside our own numbers,
from $COUNT runs. $NOTE Nothing was tuned for any placement. A
sub-layer f acts on the stream x as x + dt f(x), and the placement says where norms stand:
none; post, on the sum; pre, before f; peri, before and after f; output, after f.

Of the claims below $(count holds) hold, $(count fails) fail and $(count n/a) could not be judged.

\$ make -f recipes/stability.mk -j2 SCALE=$SCALE

Every run is a folder in $RUNS and was made with these options, and those of its name:

\$ bin/train -o $RUNS/NAME $SETTING ... $DATA

## Claims
END
table claims Each claim where it was looked at. The command shows the numbers behind it.

cat <<END

## A1: stability

A run has diverged if its loss or gradient is no longer a number, or its last validation loss
is 0.5 nats above its best or above what the options say. The paper counts diverged runs of five.
END
[ -z "${LETTERS-}" ] || cat <<END
A model that knows only how frequent each letter is has a loss of $LETTERS nats.
END
table table-a1 Diverged runs, dt 1, with weight decay and without.
figure loss \
    "Training loss, mean of ten steps, of seed 1 with weight decay. A cross ends a run that" \
    "diverged."

cat <<END

## A2: performance

Means over seeds with 95 % intervals (Student), of runs that did not diverge. The paper's
perplexity is the mean over windows of exp of the window's loss; perplexity is exp of the mean.
END
table table-a2 \
    "Validation loss and perplexity. The paper's are of GPT-2 on OpenWebText: compare their" \
    "order, not their size."
echo
echo "ROUGE and BERTScore compare the likeliest token at every position with the true text."
if [ -z "$ENCODER" ]; then
    echo "BERTScore needs an encoder and says n/a: give ENCODER=FOLDER, a BERT as transformers"
    echo "saves it (roberta-large for the paper's), to make; nothing is trained again."
fi
table table-scores \
    "ROUGE with Porter stems, and BERTScore. The paper prints these, but we could read no" \
    "numbers of it."

cat <<END

## A3: growth of hidden states

MA is the mean of |X| over a window's state; var_entry the variance of its entries; var_data
that of each entry over windows.
END
for s in MA var_entry var_data; do
    figure "$s-untrained" "$s against depth before training."
    figure "$s-trained" "$s against depth after training."
done
figure bounds \
    "MA after training under Theorem 4's bound (peri) and Theorem 3's with the C that was" \
    "seen (pre), both dashed."
echo
echo "$ $(command_of "$(usual pre-1 1 0.1)/probe.tsv")"
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
    "W_2)."
figure long MA of the last state against step.
figure weights The largest norm of W_o, and dashed of W_2, against step.

cat <<END

## Beyond the paper: residual steps

The paper has dt 1 and 0.1. In between and below stand 0.5, 1 / sqrt(2D) and 1 / (2D) for D blocks.
END
table table-ladder Validation loss of the last step and MA of the last state, by dt.
figure ladder Validation loss against dt.

echo
echo "## Beyond the paper: RMS norm"
table table-rms Each placement with layer norm and with RMS norm.

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
