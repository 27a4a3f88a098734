#!/usr/bin/env python3
"""torch_peer - what bench/engine measures, in PyTorch and transformers.

torch_peer SIZE PRECISION MODE THREADS (MODE eager or compiled) reads lines "WHAT REPEATS" and
answers each with one number: for "train" and "forward" tokens a second, the median; for "memory"
the peak of resident memory in MiB after that many training steps, asked first of a new process;
for "generate" tokens a second, one by one, of transformers' GPT-2 with its cache.

A model is nanoGPT's: pre-norm GPT-2 with biases, tied head, GELU in its tanh form; fused AdamW;
scaled_dot_product_attention; bf16 by autocast, in generation bf16 weights.  A process has one
size, precision and mode, so that nothing compiled for one is in the way of another."""
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

SIZES = {  # layers, heads, width, vocab, batch, time
    "124m": (12, 12, 768, 50304, 4, 256), "124m-long": (12, 12, 768, 50304, 1, 1024),
    "small": (6, 6, 384, 50304, 8, 256), "mid": (12, 12, 192, 8192, 8, 256),
    "tiny": (4, 4, 128, 512, 12, 64), "demo": (12, 4, 64, 256, 16, 64),
}
GENERATED, GENERATED_CONTEXT = 128, 1024


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc, self.out = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (y.view(b, t, self.heads, -1).transpose(1, 2)
                   for y in self.qkv(self.norm1(x)).split(c, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(b, t, c))
        return x + self.out(F.gelu(self.fc(self.norm2(x)), approximate="tanh"))


class Model(nn.Module):
    def __init__(self, layers, heads, width, vocab, time_):
        super().__init__()
        self.token, self.place = nn.Embedding(vocab, width), nn.Embedding(time_, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        for p in self.parameters():
            if p.dim() == 2:
                nn.init.normal_(p, std=0.02)

    def forward(self, ids, targets):
        x = self.token(ids) + self.place(torch.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.norm(x), self.token.weight)
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


class Runner:
    def __init__(self, size, precision, mode):
        layers, heads, width, vocab, batch, time_ = SIZES[size]
        self.bf16 = precision == "bf16"
        model = Model(layers, heads, width, vocab, time_)
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95),
                                           weight_decay=0.1, fused=True)
        self.model = torch.compile(model) if mode == "compiled" else model
        self.ids = torch.randint(vocab, (batch, time_))
        self.parameters = list(model.parameters())

    def loss(self):
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            return self.model(self.ids, self.ids)

    def train(self):
        self.optimiser.zero_grad(set_to_none=True)
        self.loss().backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()

    def forward(self):
        with torch.no_grad():
            self.loss()

    def speed(self, step, repeats, seconds=0.4):
        step()
        begin = time.perf_counter()
        step()
        steps = max(1, int(seconds / (time.perf_counter() - begin)))
        return self.ids.numel() * steps / median_time(lambda: [step() for _ in range(steps)],
                                                      repeats)

    def memory(self, steps):
        for _ in range(steps):
            self.train()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def median_time(what, repeats):
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        what()
        taken.append(time.perf_counter() - begin)
    return sorted(taken)[repeats // 2]


class Generator:
    def __init__(self, size, precision):
        import transformers
        layers, heads, width, vocab, _, _ = SIZES[size]
        self.model = transformers.GPT2LMHeadModel(transformers.GPT2Config(
            n_layer=layers, n_head=heads, n_embd=width, vocab_size=vocab, bos_token_id=0,
            eos_token_id=0, n_positions=GENERATED_CONTEXT)).eval()
        if precision == "bf16":
            self.model = self.model.to(torch.bfloat16)

    def run(self):
        ids = torch.ones((1, 1), dtype=torch.long)
        with torch.no_grad():
            out = self.model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False,
                                      min_new_tokens=GENERATED, max_new_tokens=GENERATED,
                                      use_cache=True, pad_token_id=0)
        assert out.shape[1] == 1 + GENERATED

    def speed(self, repeats):
        self.run()
        return GENERATED / median_time(self.run, repeats)


def main():
    size, precision, mode, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    runner = generator = None
    for line in sys.stdin:
        what, repeats = line.split()
        if what == "generate":
            generator = generator or Generator(size, precision)
            answer = generator.speed(int(repeats))
        else:
            runner = runner or Runner(size, precision, mode)
            answer = (runner.memory(int(repeats)) if what == "memory"
                      else runner.speed(getattr(runner, what), int(repeats)))
        print(f"{answer:.1f}", flush=True)


main()
