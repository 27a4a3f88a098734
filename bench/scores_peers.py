"""The peers of bench/scores.sh.  Reads requests "CORES TEXT PEER ARGUMENT..." on stdin and answers
each with seconds and score; "nan nan" where pip has not the peer."""
import functools
import os
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"


@functools.lru_cache(None)
def pairs(text):
    rows = [line.rstrip("\n").split("\t") for line in open(text, encoding="utf-8")]
    return [c for c, _ in rows], [r for _, r in rows]


@functools.lru_cache(None)
def rouge(*stems):
    from rouge_score import rouge_scorer
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=bool(stems))
    return lambda c, r: sum(scorer.score(b, a)["rougeL"].fmeasure for a, b in zip(c, r)) / len(c)


def bleu(tokenizer, *lower):        # a new one each time: it remembers the texts that it has cut
    from sacrebleu.metrics import BLEU
    metric = BLEU(tokenize=tokenizer, lowercase=bool(lower))
    return lambda c, r: metric.corpus_score(c, [r]).score


@functools.lru_cache(None)
def bertscore(folder):
    import torch
    from bert_score import BERTScorer
    torch.set_num_threads(2)
    scorer = BERTScorer(model_type=folder, num_layers=6)
    return lambda c, r: float(scorer.score(c, r)[2].double().mean())


PEERS = {"rouge-score": rouge, "sacrebleu": bleu, "bert-score": bertscore}
for line in sys.stdin:
    cores, text, peer, *arguments = line.split()
    os.sched_setaffinity(0, {int(c) for c in cores.split(",")})
    try:
        score = PEERS[peer](*arguments)
        candidates, references = pairs(text)
        begin = time.perf_counter()
        result = score(candidates, references)
        print(time.perf_counter() - begin, result, flush=True)
    except ImportError as e:
        print(f"bench: left out: {e}", file=sys.stderr)
        print("nan nan", flush=True)
