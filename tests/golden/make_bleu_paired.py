"""make_bleu_paired.py SYSTEM OTHER REFERENCE - the paired bootstrap of two systems' BLEU by
sacrebleu 2.6.0's statistics, scores and p-value, with the draws of np.random.seed: 1000 resamples,
seed 12345.  Prints paired.tsv."""
import sys
import numpy as np
from sacrebleu.metrics import BLEU
from sacrebleu.significance import _compute_p_value

texts = [open(name, encoding="utf-8").read().splitlines() for name in sys.argv[1:]]
system, other, reference = texts
bleu = BLEU()
stats = [np.array(bleu._extract_corpus_statistics(s, [reference])) for s in (system, other)]
score = [bleu._compute_score_from_stats(list(s.sum(0))).score for s in stats]
draws = np.random.RandomState(12345)
picks = [draws.randint(0, len(system), size=len(system)) for _ in range(1000)]
scores = [np.array([bleu._compute_score_from_stats(list(s[i].sum(0))).score for i in picks])
          for s in stats]
gap = np.abs(scores[0] - scores[1])
p = _compute_p_value(gap - gap.mean(), abs(score[0] - score[1]))


def rows(name, value, values):
    print(name, repr(float(value)), sep="\t")
    for end, q in (("low", 0.025), ("mid", 0.5), ("high", 0.975)):
        print(f"{name}_{end}", repr(float(np.quantile(values, q))), sep="\t")


rows("bleu", score[0], scores[0])
rows("against_bleu", score[1], scores[1])
rows("difference", score[0] - score[1], scores[0] - scores[1])
print("p_value", repr(p), sep="\t")
