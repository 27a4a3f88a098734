"""jacobian.tsv: spectral norms of pieces of tests/jacobian.c's model, in PyTorch's f64.

    python make_jacobian.py >jacobian.tsv       (torch 2.15, numpy 2.4)

The initial values are keel's (lib/base/random.h), written again here.
"""
import math
import numpy as np
import torch

WIDTH, TIME, HEADS, VOCAB, STD, SEED, DT = 12, 5, 2, 16, 0.4, 7, 0.5
PLACEMENTS = {"none": "", "post": "sum", "pre": "in final", "peri": "in out final",
              "output": "out final", "sandwich": "embed in out final"}


def philox(seed, site, step, quad):
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    c = [quad & 0xFFFFFFFF, quad >> 32, step, site]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k0, b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k1, a & 0xFFFFFFFF]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


def site_of(name):
    h = 2166136261
    for byte in name.encode():
        h = (h ^ byte) * 16777619 & 0xFFFFFFFF
    return h


def normal(name, rows, cols, std):
    out = []
    for e in range(rows * cols):
        r = philox(SEED, site_of(name), 0, e // 2)
        u = (r[0] + r[1] * 2.0**-32 + 2.0**-33) * 2.0**-32
        angle = 2 * math.pi * r[2] * 2.0**-32
        out.append(std * math.sqrt(-2 * math.log(u)) * (math.sin if e % 2 else math.cos)(angle))
    return torch.tensor(np.array(out, np.float32).reshape(rows, cols), dtype=torch.float64)


def norm(x):
    return torch.nn.functional.layer_norm(x, (WIDTH,), eps=1e-5)


class Model:
    def __init__(self, places):
        self.at = places.split()
        self.w = {}
        for i in range(2):
            for name, rows, cols in (("attn.qkv", 3 * WIDTH, WIDTH), ("attn.proj", WIDTH, WIDTH),
                                     ("mlp.fc", 4 * WIDTH, WIDTH), ("mlp.proj", WIDTH, 4 * WIDTH)):
                full = f"block.{i}.{name}.weight"
                std = STD / math.sqrt(4) if name.endswith("proj") else STD
                self.w[i, name] = normal(full, rows, cols, std)

    def place(self, name, x):
        return norm(x) if name in self.at else x

    def branch(self, k, x):
        i, h = k // 2, self.place("in", x)
        if k % 2:
            h = torch.nn.functional.gelu(h @ self.w[i, "mlp.fc"].T) @ self.w[i, "mlp.proj"].T
        else:
            q, key, v = (h @ self.w[i, "attn.qkv"].T).split(WIDTH, 1)
            split = lambda t: t.view(TIME, HEADS, -1).transpose(0, 1)
            h = torch.nn.functional.scaled_dot_product_attention(split(q), split(key), split(v),
                                                                 is_causal=True)
            h = h.transpose(0, 1).reshape(TIME, WIDTH) @ self.w[i, "attn.proj"].T
        return self.place("out", h)

    def step(self, k, x):
        return self.place("sum", x + DT * self.branch(k, x))

    def stack(self, x):
        for k in range(4):
            x = self.step(k, x)
        return x


def spectral(f, x):
    j = torch.autograd.functional.jacobian(f, x).reshape(x.numel(), x.numel())
    return torch.linalg.matrix_norm(j, 2).item()


print("placement\tpiece\tnorm")
ids = [3, 1, 4, 1, 5]
token = normal("embed.token.weight", VOCAB, WIDTH, STD)
position = normal("embed.position.weight", TIME, WIDTH, STD)
for name, places in PLACEMENTS.items():
    m = Model(places)
    x0 = m.place("embed", token[ids] + position)
    x1 = m.step(0, x0)
    x2 = m.step(1, x1)
    for piece, f, x in (("step", lambda x: m.step(1, x), x1), ("branch", lambda x: m.branch(2, x), x2),
                        ("stack", m.stack, x0)):
        print(f"{name}\t{piece}\t{spectral(f, x):.10g}")
