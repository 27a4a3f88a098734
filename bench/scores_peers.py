"""The peers of bench/scores.sh, where pip has them: rows as it writes them."""
import sys
import time

pairs = [line.rstrip("\n").split("\t") for line in open(sys.argv[1], encoding="utf-8")]


def row(what, f):
    wall, cpu = time.perf_counter(), time.process_time()
    score = f()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what}\t{len(pairs) / wall:.0f}\t{len(pairs) / cpu:.0f}\t{score!r}", flush=True)


def rouge(stem):
    from rouge_score import rouge_scorer
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stem)

    def run():
        return float(sum(scorer.score(r, c)["rougeL"].fmeasure for c, r in pairs) / len(pairs))
    row("rouge-score" + (", stems" if stem else ""), run)


def bleu(what, **options):
    from sacrebleu.metrics import BLEU
    metric = BLEU(**options)
    candidates, references = [c for c, _ in pairs], [[r for _, r in pairs]]
    row("sacrebleu " + what, lambda: metric.corpus_score(candidates, references).score)


def bertscore(folder):
    import os
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from bert_score import BERTScorer
    torch.set_num_threads(2)
    scorer = BERTScorer(model_type=folder, num_layers=6)
    candidates, references = [c for c, _ in pairs], [r for _, r in pairs]
    for name in "bert-score", "bert-score again":
        row(name, lambda: float(scorer.score(candidates, references)[2].double().mean()))


PEERS = ((rouge, (False,), {}), (rouge, (True,), {}), (bleu, ("13a",), {}),
         (bleu, ("intl",), {"tokenize": "intl"}), (bleu, ("none",), {"tokenize": "none"}),
         (bleu, ("13a, lower case",), {"lowercase": True}))
if len(sys.argv) > 2:           # an encoder's folder: BERTScore alone
    PEERS = ((bertscore, (sys.argv[2],), {}),)
for f, arguments, options in PEERS:
    try:
        f(*arguments, **options)
    except ImportError as e:
        print(f"bench: left out: {e}", file=sys.stderr)
