#!/usr/bin/env python3
"""Write curve/: initial weights, batches, and the losses that PyTorch computes in f64 when it
trains from them for 50 steps, for several models and optimisers (curve.json).  Run it in this
folder; needs torch, numpy and ../../share/shakespeare/tinyshakespeare.txt."""
import json, math, struct
import numpy as np
import torch
import torch.nn.functional as F

STEPS, BATCH, TIME, VOCAB, WIDTH, HEADS, LAYERS = 50, 4, 16, 64, 16, 2, 2
PLACES = {"none": "", "post": "S", "pre": "IF", "peri": "IOF", "sandwich": "EIOF"}
BASE = {"layers": LAYERS, "width": WIDTH, "heads": HEADS, "context": TIME, "vocab": VOCAB,
        "batch": BATCH, "steps": STEPS}
CASES = {       # settings by the names of train's options; the rest are train's defaults
    "pre, layer, adamw, clip, cosine": {
        "placement": "pre", "lr": 1e-2, "warmup": 5, "schedule": "cosine", "min-lr": 1e-3},
    "peri, rms, dt 0.1, biases": {
        "placement": "peri", "norm": "rms", "dt": 0.1, "bias": "on", "norm-bias": "on",
        "lr": 2e-2, "warmup": 0, "schedule": "constant"},
    "post, adam, linear, relu, untied": {
        "placement": "post", "activation": "relu", "tied": "off", "bias": "on", "optimizer": "adam",
        "beta2": 0.98, "lr": 3e-3, "warmup": 10, "schedule": "linear", "min-lr": 0, "clip": 0},
    "pre, sgd with momentum, inverse square root, sum of 2 passes": {
        "placement": "pre", "norm-gain": "off", "optimizer": "sgd", "momentum": 0.9, "lr": 2e-2,
        "warmup": 8, "schedule": "inverse-sqrt", "accumulate": 2, "accumulate-by": "sum"},
    "none, sgd, tanh gelu, label smoothing, mean of 3 passes": {
        "placement": "none", "activation": "gelu-tanh", "label-smoothing": 0.1, "optimizer": "sgd",
        "lr": 0.3, "warmup": 0, "schedule": "constant", "accumulate": 3, "accumulate-by": "mean"},
    "sandwich, sinusoidal positions, scaled embeddings, hard clipping": {
        "placement": "sandwich", "positions": "sinusoidal", "embed-scale": 4, "hidden": 24,
        "norm-bias": "on", "lr": 1e-2, "weight-decay": 0.5, "clip": 0.05, "warmup": 0,
        "schedule": "constant"},
    "peri, learned dt": {
        "placement": "peri", "dt": 0.4, "learn-dt": "on", "lr": 1e-2, "warmup": 0,
        "schedule": "constant"},
}
DEFAULTS = {"norm": "layer", "norm-gain": "on", "norm-bias": "off", "bias": "off", "tied": "on",
            "dt": 1, "learn-dt": "off", "activation": "gelu", "positions": "learned",
            "embed-scale": 1, "hidden": 64,
            "label-smoothing": 0, "eps": 1e-5, "optimizer": "adamw", "beta1": 0.9, "beta2": 0.95,
            "adam-eps": 1e-8, "momentum": 0, "clip": 1, "accumulate": 1, "accumulate-by": "mean"}


def make_weights():
    """Every parameter that any case has, far enough from its usual start to matter."""
    rng = np.random.RandomState(1)
    w = {"embed.token.weight": 0.3 * rng.randn(VOCAB, WIDTH),
         "embed.position.weight": 0.1 * rng.randn(TIME, WIDTH),
         "head.weight": 0.2 * rng.randn(VOCAB, WIDTH)}
    norms = ["embed.norm", "final.norm"]
    for i in range(LAYERS):
        for sub in ("attn", "mlp"):
            norms += [f"block.{i}.{sub}.{place}" for place in ("in", "out", "sum")]
        for name, out, cols in (("attn.qkv", 3 * WIDTH, WIDTH), ("attn.proj", WIDTH, WIDTH),
                                ("mlp.fc", 4 * WIDTH, WIDTH), ("mlp.proj", WIDTH, 4 * WIDTH)):
            w[f"block.{i}.{name}.weight"] = rng.randn(out, cols) / math.sqrt(cols)
            w[f"block.{i}.{name}.bias"] = 0.05 * rng.randn(out)
    for name in norms:
        w[name + ".gain"] = 1 + 0.1 * rng.randn(WIDTH)
        w[name + ".bias"] = 0.1 * rng.randn(WIDTH)
    for i in range(2 * LAYERS):             # learned steps, as if trained for a while
        w[f"block.{i // 2}.{('attn', 'mlp')[i % 2]}.dt.weight"] = np.array([0.4 + 0.1 * i])
    return {k: v.astype("<f4") for k, v in w.items()}


def write_safetensors(path, tensors):
    header, at = {}, 0
    for name, x in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(x.shape), "data_offsets": [at, at + x.nbytes]}
        at += x.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        f.writelines(x.tobytes() for x in tensors.values())


def sinusoids():
    half = WIDTH // 2
    angle = np.arange(TIME)[:, None] * np.exp(-np.arange(half) * math.log(10000) / (half - 1))
    return torch.tensor(np.concatenate([np.sin(angle), np.cos(angle)], 1))


class Model:
    def __init__(self, weights, s):
        self.s, self.places, self.params = s, PLACES[s["placement"]], {}
        self.weights = weights

    def param(self, name, rows=None, cols=None):
        if name not in self.params:         # the first rows and columns, where a case has fewer
            x = self.weights[name].astype("f8")
            x = x if rows is None else x[:rows] if cols is None else x[:rows, :cols]
            self.params[name] = torch.tensor(x, requires_grad=True)
        return self.params[name]

    def linear(self, x, name, out):
        bias = self.param(name + ".bias", out) if self.s["bias"] == "on" else None
        return F.linear(x, self.param(name + ".weight", out, x.shape[-1]), bias)

    def norm(self, place, x, name):
        if place not in self.places:
            return x
        if self.s["norm"] == "layer":
            x = x - x.mean(-1, keepdim=True)
        x = x / torch.sqrt((x * x).mean(-1, keepdim=True) + self.s["eps"])
        if self.s["norm-gain"] == "on":
            x = x * self.param(name + ".gain")
        return x + self.param(name + ".bias") if self.s["norm-bias"] == "on" else x

    def attention(self, x, at):
        b, t, c = x.shape
        q, k, v = (y.view(b, t, HEADS, c // HEADS).transpose(1, 2)
                   for y in self.linear(x, at + ".qkv", 3 * c).split(c, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.linear(y.transpose(1, 2).reshape(b, t, c), at + ".proj", c)

    def mlp(self, x, at):
        h = self.linear(x, at + ".fc", self.s["hidden"])
        h = {"gelu": F.gelu, "relu": F.relu,
             "gelu-tanh": lambda y: F.gelu(y, approximate="tanh")}[self.s["activation"]](h)
        return self.linear(h, at + ".proj", WIDTH)

    def loss(self, ids, targets):
        token = self.param("embed.token.weight")
        position = (sinusoids() if self.s["positions"] == "sinusoidal"
                    else self.param("embed.position.weight"))
        x = self.norm("E", self.s["embed-scale"] * F.embedding(ids, token) + position, "embed.norm")
        for i in range(LAYERS):
            for sub, f in (("attn", self.attention), ("mlp", self.mlp)):
                at = f"block.{i}.{sub}"
                h = self.norm("O", f(self.norm("I", x, at + ".in"), at), at + ".out")
                dt = self.param(at + ".dt.weight") if self.s["learn-dt"] == "on" else self.s["dt"]
                x = self.norm("S", x + dt * h, at + ".sum")
        x = self.norm("F", x, "final.norm")
        logits = F.linear(x, token if self.s["tied"] == "on" else self.param("head.weight"))
        return F.cross_entropy(logits.view(-1, VOCAB), targets.reshape(-1),
                               label_smoothing=self.s["label-smoothing"])


def learning_rate(s, it):
    lr, w, n = s["lr"], s["warmup"], STEPS
    if it < w:
        return lr * it / w
    low = s.get("min-lr", 0)
    return {"constant": lambda: lr,
            "linear": lambda: low + (lr - low) * (1 - it / n),
            "cosine": lambda: low + 0.5 * (1 + math.cos(math.pi * (it - w) / (n - w))) * (lr - low),
            "inverse-sqrt": lambda: lr * math.sqrt(max(w, 1)) / math.sqrt(max(it, 1)),
            }[s["schedule"]]()


def optimizer(s, params):
    if s["optimizer"] == "sgd":
        return torch.optim.SGD(params, lr=0, momentum=s["momentum"])
    decay = s.get("weight-decay", 0.1) if s["optimizer"] == "adamw" else 0
    groups = [{"params": [p for p in params if p.dim() == 2], "weight_decay": decay},
              {"params": [p for p in params if p.dim() < 2], "weight_decay": 0}]
    return torch.optim.AdamW(groups, lr=0, betas=(s["beta1"], s["beta2"]), eps=s["adam-eps"])


def train(weights, windows, s):
    model = Model(weights, s)
    model.loss(*windows[0])                 # makes the parameters
    params, losses, k = list(model.params.values()), [], s["accumulate"]
    opt = optimizer(s, params)
    for it in range(STEPS):
        opt.zero_grad()
        total = 0
        for j in range(k):
            loss = model.loss(*windows[(it * k + j) % len(windows)])
            (loss / (k if s["accumulate-by"] == "mean" else 1)).backward()
            total += loss.item()
        losses.append(total / k)
        if s["clip"]:
            torch.nn.utils.clip_grad_norm_(params, s["clip"])
        for g in opt.param_groups:
            g["lr"] = learning_rate(s, it)
        opt.step()
    return losses


text = open("../../share/shakespeare/tinyshakespeare.txt", "rb").read()[:STEPS * BATCH * (TIME + 1)]
ids = np.frombuffer(text, "u1") % VOCAB
ids.tofile("curve/ids.u8")
x = torch.tensor(ids.astype("i8")).view(STEPS, BATCH, TIME + 1)
windows = [(b[:, :-1], b[:, 1:]) for b in x]
weights = make_weights()
write_safetensors("curve/weights.safetensors", weights)
out = []
for name, case in CASES.items():
    losses = train(weights, windows, DEFAULTS | BASE | case)
    print(f"{name}: {losses[0]:.4f} -> {losses[-1]:.4f}")
    out.append({"name": name, "settings": {k: str(v) for k, v in (BASE | case).items()},
                "losses": [round(v, 9) for v in losses]})
with open("curve/curve.json", "w") as f:
    json.dump(out, f, indent=1)
    f.write("\n")
