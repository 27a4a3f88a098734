#!/usr/bin/env python3
"""torch_peer - the same training steps and forward passes as bench/engine in PyTorch.

Reads lines "SIZE PRECISION MODE THREADS REPEATS" (MODE eager or compiled) and answers each with
one line "train T1 forward T2", tokens a second, medians.  A model is nanoGPT's: pre-norm GPT-2
with biases, tied head, GELU in its tanh form; fused AdamW; scaled_dot_product_attention; bf16 by
autocast.  Models stay ready between lines, so that runs can alternate."""
import gc
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
        taken = []
        for _ in range(repeats):
            begin = time.perf_counter()
            for _ in range(steps):
                step()
            taken.append((time.perf_counter() - begin) / steps)
        return self.ids.numel() / sorted(taken)[repeats // 2]


def main():
    ready = {}
    for line in sys.stdin:
        size, precision, mode, threads, repeats = line.split()
        torch.set_num_threads(int(threads))
        if any(key[0] != size for key in ready):
            ready.clear()
            gc.collect()
        key = (size, precision, mode, threads)
        if key not in ready:
            ready[key] = Runner(size, precision, mode)
        runner = ready[key]
        print(f"train {runner.speed(runner.train, int(repeats)):.1f} "
              f"forward {runner.speed(runner.forward, int(repeats)):.1f}", flush=True)


main()
