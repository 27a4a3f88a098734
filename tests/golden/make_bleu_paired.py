"""make_bleu_paired.py SYSTEM OTHER REFERENCE - the bootstrap of two systems' BLEU by sacrebleu
2.6.0's draws (seed 12345, 1000 resamples), statistics, interval and p-value.  Its counts are
added in f64 here: in sacrebleu they are f32, and what it prints itself stands in the rows
sacrebleu_mean and sacrebleu_ci.  Prints paired.tsv."""
import sys
import numpy as np
from sacrebleu.metrics import BLEU
from sacrebleu.significance import _compute_p_value

texts = [open(name, encoding="utf-8").read().splitlines() for name in sys.argv[1:]]
system, other, reference = texts
bleu = BLEU()
stats = [np.array(bleu._extract_corpus_statistics(s, [reference])) for s in (system, other)]
score = [bleu._compute_score_from_stats(list(s.sum(0))).score for s in stats]
picks = np.random.default_rng(12345).choice(len(system), size=(1000, len(system)), replace=True)
scores = [np.array([bleu._compute_score_from_stats(list(s[i].sum(0))).score for i in picks])
          for s in stats]
gap = np.abs(scores[0] - scores[1])
p = _compute_p_value(gap - gap.mean(), abs(score[0] - score[1]))


def rows(name, value, values):
    values = sorted(values)
    low, high = values[1000 // 40], values[1000 - 1000 // 40 - 1]
    for end, v in (("", value), ("_mean", np.mean(values)), ("_ci", (high - low) / 2),
                   ("_low", low), ("_high", high)):
        print(name + end, repr(float(v)), sep="\t")


rows("bleu", score[0], scores[0])
rows("against_bleu", score[1], scores[1])
rows("difference", score[0] - score[1], scores[0] - scores[1])
print("p_value", repr(p), sep="\t")
own = bleu.corpus_score(system, [reference], n_bootstrap=1000)
print("sacrebleu_mean", repr(own._mean), sep="\t")
print("sacrebleu_ci", repr(own._ci), sep="\t")
