"""make_roberta_tiny.py PAIRS FOLDER - a small random RoBERTa with a byte-level vocabulary of its
own, as transformers saves it, and BERTScores of PAIRS in f64: FOLDER/exact.tsv holds, for each
pair, layer and idf, precision, recall and F as bert-score 0.3.13 defines them for a pair alone.
Made with transformers 5.23, tokenizers and torch 2.15."""
import math
import os
import sys

import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import RobertaConfig, RobertaModel, RobertaTokenizer

LAYERS = 0, 1, 2
pairs_file, folder = sys.argv[1:]
lines = open(pairs_file, encoding="utf-8", newline="\n").read().split("\n")[2:]
pairs = [[s.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r").replace("\\\\", "\\")
          for s in line.split("\t")] for line in lines if line]

bpe = ByteLevelBPETokenizer()
bpe.train_from_iterator([s for pair in pairs for s in pair], vocab_size=420, min_frequency=2,
                        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
os.makedirs(folder, exist_ok=True)
bpe.save_model(folder)
tokenizer = RobertaTokenizer.from_pretrained(folder, add_prefix_space=True, model_max_length=64)

torch.manual_seed(5)
config = RobertaConfig(vocab_size=bpe.get_vocab_size(), hidden_size=32, num_hidden_layers=2,
                       num_attention_heads=4, intermediate_size=64, max_position_embeddings=66,
                       type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2)
model = RobertaModel(config, add_pooling_layer=False).eval()
with torch.no_grad():
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape)
        if name.endswith("LayerNorm.weight"):
            p.copy_(1 + 0.2 * noise)
        elif name.endswith("bias"):
            p.copy_(0.1 * noise)
        else:
            p.copy_(noise * (0.5 if "embeddings" in name else 1.2 / math.sqrt(p.shape[-1])))
model.save_pretrained(folder)
model = model.double()


def encode(text):
    text = text.strip()
    return tokenizer.encode(text, truncation=True) if text else [0, 2]


def states(ids):
    with torch.no_grad():
        hidden = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
    return [h[0] / h[0].norm(dim=-1, keepdim=True) for h in hidden]


ids = [[encode(text) for text in pair] for pair in pairs]
weight = [{}, {}]
for candidate, reference in ids:
    for i in set(reference):
        weight[1][i] = weight[1].get(i, 0) + 1
n = len(ids)
weight[1] = {i: math.log((n + 1) / (count + 1)) for i, count in weight[1].items()}


def weights(tokens, idf):
    return torch.tensor([weight[1].get(i, math.log(n + 1)) if idf else float(i not in (0, 2))
                         for i in tokens], dtype=torch.double)


with open(os.path.join(folder, "exact.tsv"), "w") as out:
    out.write("id\tlayer\tidf\tP\tR\tF\n")
    for k, (c, r) in enumerate(ids):
        a, b = states(c), states(r)
        for layer in LAYERS:
            like = a[layer] @ b[layer].T
            for idf in 0, 1:
                p = q = f = 0.0
                if len(c) > 2 and len(r) > 2:
                    w, v = weights(c, idf), weights(r, idf)
                    p = float((like.max(1)[0] * w).sum() / w.sum())
                    q = float((like.max(0)[0] * v).sum() / v.sum())
                    f = 2 * p * q / (p + q)
                out.write(f"{k}\t{layer}\t{idf}\t{p!r}\t{q!r}\t{f!r}\n")
