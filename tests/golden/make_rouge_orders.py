"""Means of ROUGE-1 ... 9 over rouge/pairs.tsv.gz by rouge-score: rouge/means-orders.tsv.

    pip install rouge-score==0.1.2; python3 make_rouge_orders.py
"""
import gzip
import pathlib

from rouge_score import rouge_scorer

rouge = pathlib.Path(__file__).parent / "rouge"
KINDS = [f"rouge{n}" for n in range(1, 10)]
scorer = rouge_scorer.RougeScorer(KINDS)


def text(escaped):
    parts = escaped.split("\\\\")
    for letter, c in ("n", "\n"), ("t", "\t"), ("r", "\r"):
        parts = [p.replace("\\" + letter, c) for p in parts]
    return "\\".join(parts)


lines = gzip.open(rouge / "pairs.tsv.gz", "rt", encoding="utf-8", newline="\n").read()
rows = [line.split("\t") for line in lines.split("\n")[2:] if line]
scores = [scorer.score(text(r), text(c)) for c, r in rows]
with open(rouge / "means-orders.tsv", "w") as out:
    for kind in KINDS:
        for part in "precision", "recall", "fmeasure":
            mean = sum(getattr(s[kind], part) for s in scores) / len(scores)
            print(f"{kind}_{part[0] if part[0] == 'f' else part}", repr(mean), sep="\t", file=out)
