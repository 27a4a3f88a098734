#!/usr/bin/env python3
"""Write gpt2-tiny/: a GPT-2 of transformers with random weights large enough to matter, its
logits in f64 for two sequences, and the mean losses of a stream of 500 ids under the common
window policies (expected.json).  Needs torch and transformers 4.57; run it in this folder."""
import json, math
import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

OUT = "gpt2-tiny/"
torch.set_num_threads(1)
cfg = GPT2Config(vocab_size=64, n_positions=64, n_embd=32, n_layer=2, n_head=2,
                 layer_norm_epsilon=1e-5, activation_function="gelu_new", resid_pdrop=0,
                 embd_pdrop=0, attn_pdrop=0, bos_token_id=63, eos_token_id=63)
cfg._attn_implementation = "eager"
torch.manual_seed(1337)
model = GPT2LMHeadModel(cfg).eval()
g = torch.Generator().manual_seed(1337)
with torch.no_grad():
    for name, p in model.named_parameters():
        r = torch.randn(p.shape, generator=g)
        if name.endswith(".bias"): p.copy_(0.1 * r)
        elif "ln_" in name: p.copy_(1 + 0.2 * r)
        elif "wpe" in name: p.copy_(0.2 * r)
        else: p.copy_(0.35 * r)
model.save_pretrained(OUT, safe_serialization=True)

# A stream that is partly predictable: half of the ids are the model's own arg-max.
rg = np.random.RandomState(11)
stream = [int(x) for x in rg.randint(0, 63, size=500)]
with torch.no_grad():
    for i in range(1, 500):
        if rg.rand() < .5:
            seen = torch.tensor([stream[max(0, i - 40):i]])
            stream[i] = int(model(seen).logits[0, -1, :63].argmax())

model = model.double()
def logits(ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0]

out = {"seqs": {}, "stream": stream, "policies": {}}
for name, ids in {"len17": stream[3:20], "full64": stream[100:164]}.items():
    l = logits(ids)
    logp = torch.log_softmax(l, -1)
    ce = [float(-logp[t, ids[t + 1]]) for t in range(len(ids) - 1)]
    out["seqs"][name] = {"ids": ids, "ce": ce, "argmax": [int(x) for x in l.argmax(-1)],
                         "mean_ce": sum(ce) / len(ce), "ppl": math.exp(sum(ce) / len(ce))}
    l.numpy().astype("<f8").tofile(OUT + f"logits_{name}.f64")

def nll(inputs, targets):
    logp = torch.log_softmax(logits(inputs), -1)[-len(targets):]
    return [float(-logp[i, t]) for i, t in enumerate(targets)]

def summed(r):
    return {"n": len(r), "sum_nll": sum(r), "mean": sum(r) / len(r),
            "ppl": math.exp(sum(r) / len(r))}

def rolling(ids, prefix, size):     # lm-eval's loglikelihood_rolling with one token of context
    r, done = nll([prefix] + ids[:size - 1], ids[:size]), size
    while done < len(ids):
        n = min(len(ids) - done, size)
        r += nll(ids[done + n - size - 1:done + n - 1], ids[done:done + n])
        done += n
    return r

def strided(ids, size, stride):     # transformers' documentation: only new targets are scored
    r, before = [], 0
    for begin in range(0, len(ids), stride):
        end = min(begin + size, len(ids))
        window, logp = ids[begin:end], torch.log_softmax(logits(ids[begin:end]), -1)
        first = max(0, len(window) - (end - before))
        r += [float(-logp[t - 1, window[t]]) for t in range(max(first, 1), len(window))]
        before = end
        if end == len(ids):
            return r

for size in (64, 32):
    r = rolling(stream, 63, size)
    out["policies"][f"lmeval_rolling_max{size}"] = summed(r) | {"first8": r[:8], "last4": r[-4:]}
for size, stride in ((64, 64), (64, 32), (64, 1), (32, 16)):
    out["policies"][f"hf_max{size}_stride{stride}"] = summed(strided(stream, size, stride))
for size in (64, 32):               # nanoGPT's blocks; the mean of exp is OT's perplexity
    w = [nll(stream[i:i + size], stream[i + 1:i + 1 + size])
         for i in range(0, len(stream) - size, size)]
    w = [sum(x) / size for x in w]
    mean = sum(w) / len(w)
    out["policies"][f"nanogpt_blocks_T{size}"] = {
        "windows": len(w), "mean_ce": mean, "exp_mean_ce": math.exp(mean),
        "mean_exp_window_ce(OT evaluate_gpt2.py)": sum(map(math.exp, w)) / len(w), "window_ce": w}
with open(OUT + "expected.json", "w") as f:
    text = json.dumps(out, separators=(",", ":"))
    f.write(text.replace("],", "],\n").replace("},", "},\n") + "\n")
