"""keel's checkpoints in transformers and back, and transformers' encoders in keel.

    make check-hf        python3 tests/peers/check_hf.py BIN STATES ROOT SCRATCH

BIN holds keel's programs, STATES is tests/peers/states.c built, ROOT the repository.  Logits and
hidden states are in f32 on both sides and must agree within 1e-4."""
import glob
import os
import subprocess
import sys

import numpy as np
import torch
import transformers
from transformers import (AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer, BertConfig,
                          BertModel, RobertaConfig, RobertaForMaskedLM)

bin_folder, states_program, root, scratch = sys.argv[1:]
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
LIMIT = 1e-4
bad = 0


def report(good, what):
    global bad
    bad += not good
    print("ok" if good else "not ok", "-", what)


def keel(*words, text=None):
    return subprocess.run([os.path.join(bin_folder, words[0]), *words[1:]], input=text, check=True,
                          stdout=subprocess.PIPE, cwd=scratch).stdout


def states(folder, ids, *layer):
    text = " ".join(map(str, ids)) + "\n"
    out = subprocess.run([states_program, folder, *map(str, layer)], input=text.encode(),
                         check=True, stdout=subprocess.PIPE).stdout
    return np.frombuffer(out, dtype="<f4").reshape(len(ids), -1)


def gap(a, b):
    return float(np.abs(a - b).max()) if a.shape == b.shape else float("inf")


def check_decoder(name, *options, data="data-vocab"):
    """Train a GPT-2; compare keel, transformers, and keel again."""
    run = os.path.join(scratch, name)
    keel("train", "-q", "-o", run, "--placement", "pre", "--layers", "2", "--width", "48",
         "--heads", "3", "--context", "64", "--batch", "8", "--steps", "40", "--lr", "1e-2",
         *options, data)
    folder = sorted(glob.glob(os.path.join(run, "step-*")))[-1]
    ids = np.random.default_rng(3).integers(0, 256, size=50)
    model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    with torch.no_grad():
        theirs = model.eval()(torch.tensor(ids[None])).logits[0].numpy()
    ours = states(folder, ids)
    report(type(model).__name__ == "GPT2LMHeadModel" and not info["unexpected_keys"],
           f"{name}: from_pretrained takes a step's folder as a GPT-2")
    report(gap(ours, theirs) <= LIMIT, f"{name}: keel's logits of up to {np.abs(ours).max():.1f} "
           f"in transformers, within {gap(ours, theirs):.1e}")
    back = os.path.join(scratch, name + "-back")
    model.save_pretrained(back)
    again = states(back, ids)
    report(gap(again, theirs) <= LIMIT, f"{name}: saved by transformers, in keel again, within "
           f"{gap(again, theirs):.1e}")
    return folder


def token_ids(vocab, text):
    out = keel("tokenize", "-q", "-v", vocab, text=text.encode()).decode()
    return [int(i) for line in out.split("\n") if line[:1] != "#" for i in line.split()]


def check_tokenizer(name, folder, vocab, text):
    """keel's ids, transformers' by the checkpoint's files, keel's by what transformers saves."""
    ours = token_ids(vocab, text)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    theirs = tokenizer(text, add_special_tokens=False)["input_ids"]
    report(ours == theirs, f"{name}: the checkpoint's tokenizer gives keel's {len(ours)} ids")
    saved = os.path.join(scratch, name + "-saved")
    tokenizer.save_pretrained(saved)
    for file in "vocab.json", "merges.txt", "vocab.txt":
        if os.path.exists(os.path.join(saved, file)):
            os.remove(os.path.join(saved, file))
    report(token_ids(saved, text) == ours,
           f"{name}: so does its tokenizer.json, saved by transformers, in keel")


def shake(model):
    """Norms and biases away from 1 and 0, and weights large enough to tell layers apart."""
    torch.manual_seed(7)
    with torch.no_grad():
        for p in model.parameters():
            p.add_((0.1 if p.dim() == 1 else 0.3 / p.shape[-1] ** 0.5) * torch.randn(p.shape))
    return model.eval()


def check_bert(name, *options):
    """Train a BERT; compare its logits in keel, transformers, and keel again."""
    run = os.path.join(scratch, name)
    keel("train", "-q", "-o", run, "--architecture", "encoder", "--placement", "post", "--layers",
         "2", "--width", "48", "--heads", "3", "--context", "64", "--batch", "8", "--steps", "40",
         "--lr", "1e-2", *options, "data-pieces")
    folder = sorted(glob.glob(os.path.join(run, "step-*")))[-1]
    ids = np.random.default_rng(3).integers(0, PIECES, size=64)
    model, info = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True)
    with torch.no_grad():
        theirs = model.eval()(torch.tensor(ids[None])).logits[0].numpy()
    report(type(model).__name__ == "BertForMaskedLM" and not info["unexpected_keys"],
           f"{name}: from_pretrained takes a step's folder as a BERT")
    ours = states(folder, ids)
    report(gap(ours, theirs) <= LIMIT, f"{name}: keel's logits of up to {np.abs(ours).max():.1f} "
           f"in transformers, within {gap(ours, theirs):.1e}")
    back = os.path.join(scratch, name + "-back")
    model.save_pretrained(back)
    report(gap(states(back, ids), theirs) <= LIMIT, f"{name}: saved by transformers, in keel "
           f"again, within {gap(states(back, ids), theirs):.1e}")
    return folder


def check_encoder(name, model):
    folder = os.path.join(scratch, name)
    shake(model).save_pretrained(folder)
    ids = np.random.default_rng(4).integers(5, 300, size=40)
    with torch.no_grad():
        hidden = model(torch.tensor(ids[None]), output_hidden_states=True).hidden_states
    worst = max(gap(states(folder, ids, k), h[0].numpy()) for k, h in enumerate(hidden))
    report(worst <= LIMIT, f"{name}: keel's {len(hidden)} hidden states are transformers', "
           f"within {worst:.1e}")


corpus = open(os.path.join(root, "share/shakespeare/tinyshakespeare.txt"), encoding="utf-8").read()
text, other = corpus[:50000], corpus[60000:70000] + "\u00e9\u4e2d \U0001f600"
keel("tokenize", "-q", "--learn", "500", "-o", "vocab", text=text.encode())
LEARNED = os.path.join(scratch, "vocab")
for vocab in LEARNED, "bytes", "gpt2":
    name = os.path.basename(vocab)
    tokens = keel("tokenize", "-q", "-v", vocab, text=text.encode())
    keel("shard", "-q", "-o", "data-" + name, "--split", "none", text=tokens)
check_tokenizer("biases", check_decoder("biases", "--bias", "on", "--norm-bias", "on"), LEARNED,
                other)
check_decoder("plain")
check_decoder("untied", "--tied", "off", "--bias", "on", "--activation", "relu")
for vocab in "bytes", "gpt2":
    check_tokenizer(vocab, check_decoder(vocab, data="data-" + vocab), vocab, other)
# WordPieces: those of the golden encoder.
wordpieces = os.path.join(os.path.abspath(root), "tests/golden/bert-tiny")
PIECES = len(open(os.path.join(wordpieces, "vocab.txt"), encoding="utf-8").read().split())
tokens = keel("tokenize", "-q", "-v", wordpieces, text=text.encode())
keel("shard", "-q", "-o", "data-pieces", "--split", "none", text=tokens)
check_bert("bert-plain")
check_tokenizer("pieces", check_bert("bert-biases", "--bias", "on", "--norm-bias", "on", "--eps",
                                     "1e-12"), wordpieces, other)
sizes = dict(vocab_size=300, hidden_size=48, num_hidden_layers=3, num_attention_heads=4,
             intermediate_size=80)
check_encoder("bert", BertModel(BertConfig(max_position_embeddings=64, **sizes)))
check_encoder("roberta", RobertaForMaskedLM(RobertaConfig(max_position_embeddings=66,
                                                          type_vocab_size=1, **sizes)))
sys.exit(bad > 0)
