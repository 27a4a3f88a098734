#!/usr/bin/env python3
"""Write probe.tsv: what lib/measure must say of small models whose weights are a hash of their
names (tests/measure.c fills the same ones), computed here with numpy in f64 from papers' formulas.
Run it in this folder; needs numpy."""
import math
import numpy as np

LAYERS, WIDTH, HEADS, TIME, VOCAB, WINDOWS = 3, 12, 2, 5, 16, 3
EPS = 0.1     # large, so that Lemma 1 says more than 1 = 1
PLACES = {"none": "", "post": "S", "pre": "IF", "peri": "IOF", "output": "OF", "sandwich": "EIOF"}
CASES = [   # placement, norm, dt, biases
    ("none", "layer", 1.0, 0), ("post", "layer", 1.0, 1), ("pre", "layer", 1.0, 0),
    ("pre", "rms", 0.25, 1), ("peri", "layer", 0.3, 1), ("output", "layer", 1.0, 0),
    ("sandwich", "rms", 0.5, 1),
]


def hashed(name, n):
    """n numbers in [-0.5, 0.5): FNV-1a of the name, then a mixing of 32 bits for each place."""
    site = 2166136261
    for c in name.encode():
        site = (site ^ c) * 16777619 & 0xffffffff
    h = (site + np.arange(n, dtype=np.uint64) * 2654435761) & 0xffffffff
    for shift, factor in ((15, 2246822519), (13, 3266489917)):
        h = (h ^ h >> np.uint64(shift)) * np.uint64(factor) & np.uint64(0xffffffff)
    h ^= h >> np.uint64(16)
    return h.astype("f8") / 2**32 - 0.5


def param(name, *shape):
    u = hashed(name, math.prod(shape))
    v = 1 + 0.8 * u if name.endswith(".gain") else 0.6 * u if name.endswith(".bias") else 1.2 * u
    return v.astype("f4").astype("f8").reshape(shape)


class Model:
    def __init__(self, placement, norm, dt, biases):
        self.places, self.rms, self.dt, self.biases = PLACES[placement], norm == "rms", dt, biases
        self.norms, self.out_gains, self.out_biases = [], [], []

    def linear(self, x, name, out):
        y = x @ param(name + ".weight", out, x.shape[-1]).T
        return y + param(name + ".bias", out) if self.biases else y

    def norm(self, place, x, name):
        """Remembers q and v / (v + eps), means over tokens."""
        if place not in self.places:
            return x
        c = x if self.rms else x - x.mean(-1, keepdims=True)
        v = (c * c).mean(-1, keepdims=True)
        gain = param(name + ".gain", WIDTH)
        bias = param(name + ".bias", WIDTH) if self.biases else np.zeros(WIDTH)
        z = c / np.sqrt(v + EPS) * gain + bias
        if place == "O":
            self.out_gains.append(gain)
            self.out_biases.append(bias)
        self.norms.append(((((z - bias) / gain) ** 2).mean(-1).mean(), (v / (v + EPS)).mean()))
        return z

    def attention(self, x, at):
        q, k, v = np.split(self.linear(x, at + ".qkv", 3 * WIDTH), 3, -1)
        y, d = np.zeros_like(q), WIDTH // HEADS
        for h in range(HEADS):
            s = slice(h * d, (h + 1) * d)
            a = q[:, s] @ k[:, s].T / math.sqrt(d)
            a = np.where(np.tri(TIME, dtype=bool), a, -np.inf)
            a = np.exp(a - a.max(-1, keepdims=True))
            y[:, s] = a / a.sum(-1, keepdims=True) @ v[:, s]
        return self.linear(y, at + ".proj", WIDTH)

    def mlp(self, x, at):
        h = self.linear(x, at + ".fc", 4 * WIDTH)
        return self.linear(h * 0.5 * (1 + np.vectorize(math.erf)(h / math.sqrt(2))), at + ".proj",
                           WIDTH)

    def states(self, ids):
        """X_0 ... X_2D, the branches, and the last norm's (q, lemma) of each."""
        x = param("embed.token.weight", VOCAB, WIDTH)[ids] + param("embed.position.weight", TIME,
                                                                   WIDTH)
        xs, fs = [self.norm("E", x, "embed.norm")], []
        lemma = [self.norms[-1] if self.norms else (math.nan, math.nan)]
        for i in range(LAYERS):
            for sub, f in (("attn", self.attention), ("mlp", self.mlp)):
                self.norms = []
                at = f"block.{i}.{sub}"
                h = self.norm("O", f(self.norm("I", xs[-1], at + ".in"), at), at + ".out")
                xs.append(self.norm("S", xs[-1] + self.dt * h, at + ".sum"))
                fs.append(h)
                lemma.append(self.norms[-1] if self.norms else (math.nan, math.nan))
        return np.array(xs), np.array(fs), np.array(lemma)


def r_squared(y, fitted):
    return 1 - ((y - fitted) ** 2).sum() / ((y - y.mean()) ** 2).sum()


def probe(case):
    m = Model(*case)
    ids = (hashed("ids", WINDOWS * TIME) * VOCAB + VOCAB / 2).astype(int).reshape(WINDOWS, TIME)
    xs, fs, lemma = [], [], []
    for w in ids:
        m.norms = []
        for found, one in zip((xs, fs, lemma), m.states(w)):
            found.append(one)
    x, f, lemma = np.array(xs), np.array(fs), np.array(lemma)       # [window, k, n, d]
    n, d = TIME, WIDTH
    fro = np.sqrt((x ** 2).mean((2, 3)))
    ma, var = abs(x).mean((2, 3)), x.reshape(WINDOWS, -1, n * d).var(-1, ddof=1)
    ks = range(2 * LAYERS + 1)
    out = {}
    for k in ks:
        row = {"mean": x[:, k].mean(), "MA": ma[:, k].mean(), "var_entry": var[:, k].mean(),
               "var_data": x[:, k].var(0, ddof=1).mean(), "var_token": x[:, k].var(-1).mean(),
               "max_abs": abs(x[:, k]).max(), "fro": fro[:, k].mean()}
        if k:
            b = f[:, k - 1]
            row["growth"] = (fro[:, k] / fro[:, k - 1] - 1).mean()
            row["fro_f"] = np.sqrt((b ** 2).mean((1, 2))).mean()
            row["cos_f"] = ((b * x[:, k - 1]).sum((1, 2)) / np.linalg.norm(b, axis=(1, 2))
                            / np.linalg.norm(x[:, k - 1], axis=(1, 2))).mean()
        if "O" in m.places and "S" not in m.places:
            g = np.abs(m.out_gains).max() + np.abs(m.out_biases).max()
            bound = fro[:, 0] + k * m.dt * g
            square = (fro[:, 0] * math.sqrt(n * d) + k * m.dt * math.sqrt(n * d) * g) ** 2
            row |= {"bound_MA": bound.mean(), "ratio_MA": (ma[:, k] / bound).max(),
                    "bound_Var": square.mean() / (n * d - 1),
                    "ratio_Var": (var[:, k] / square * (n * d - 1)).max()}
        c_hat = max((fro[:, i + 2] / fro[:, i] - 1).max() for i in range(0, 2 * LAYERS, 2))
        if m.places == "IF" and k % 2 == 0:
            bound = (1 + c_hat) ** (k // 2) * fro[:, 0]
            row |= {"bound_exp": bound.mean(), "ratio_exp": (ma[:, k] / bound).max()}
        row |= {"q": lemma[:, k, 0].mean(), "q_lemma": lemma[:, k, 1].mean()}
        out |= {(k, name): value for name, value in row.items()}
    y, t = ma.mean(0)[::2], np.arange(LAYERS + 1)
    line = np.polyfit(t, np.log(y), 1)
    out |= {(-1, "C_hat"): c_hat, (-1, "C_fit"): math.exp(line[0]) - 1,
            (-1, "R2_exponential"): r_squared(y, np.exp(np.polyval(line, t))),
            (-1, "R2_linear"): r_squared(y, np.polyval(np.polyfit(t, y, 1), t)),
            (-1, "R2_quadratic"): r_squared(y, np.polyval(np.polyfit(t, y, 2), t))}
    return out


with open("probe.tsv", "w") as file:
    file.write("case\tplacement\tnorm\tdt\tbiases\tsublayer\tname\tvalue\n")
    for i, case in enumerate(CASES):
        for (k, name), value in probe(case).items():
            file.write("\t".join(map(str, (i, *case, k, name, f"{value:.9g}"))) + "\n")
