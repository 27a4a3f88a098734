"""make_bert_mlm.py - bert-mlm/: a BertForMaskedLM of transformers with random weights large enough
to matter, and in f64 its logits for 24 ids and the mean loss of five of them that are hidden.
Made with transformers 5.24 and torch 2.15; run it in this folder."""
import json

import torch
from transformers import BertConfig, BertForMaskedLM

OUT, TIME = "bert-mlm/", 24
torch.manual_seed(1337)
config = BertConfig(vocab_size=60, hidden_size=24, num_hidden_layers=2, num_attention_heads=3,
                    intermediate_size=40, max_position_embeddings=TIME, type_vocab_size=2,
                    layer_norm_eps=1e-12)
model = BertForMaskedLM(config).eval()
with torch.no_grad():
    for name, p in model.named_parameters():
        r = torch.randn(p.shape)
        p.copy_(1 + 0.2 * r if "LayerNorm.weight" in name else 0.2 * r if p.dim() == 1 else 0.4 * r)
model.save_pretrained(OUT)
ids = torch.randint(0, 60, (1, TIME))
labels = torch.full_like(ids, -100)
for place in 1, 5, 6, 17, 23:
    labels[0, place] = (ids[0, place] * 7 + 3) % 60
with torch.no_grad():
    out = model.double()(ids, labels=labels)
out.logits[0].numpy().tofile(OUT + "logits.f64")
targets = [int(t) if t >= 0 else -1 for t in labels[0]]
json.dump({"ids": ids[0].tolist(), "targets": targets, "mean_ce": float(out.loss)},
          open(OUT + "expected.json", "w"))
