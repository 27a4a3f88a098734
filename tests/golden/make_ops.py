#!/usr/bin/env python3
"""make_ops.py - norm, attention and cross-entropy by PyTorch, for tests/torch.c: ops.tsv.

usage: make_ops.py > ops.tsv.  Inputs are numbers of a generator that the test repeats; a line
holds a case, a tensor's name and its numbers: results, then gradients for an incoming gradient
of more such numbers.  Computed in f64 with PyTorch 2.x on the CPU.
"""
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
state = 1


def numbers(*shape):
    """[-1, 1) in 2^24 steps, as tests/torch.c makes them."""
    global state
    out = []
    for _ in range(torch.Size(shape).numel()):
        state = (state * 1664525 + 1013904223) % 2**32
        out.append((state >> 8) / 2**23 - 1)
    return torch.tensor(out).reshape(shape).requires_grad_()


def show(case, **tensors):
    for name, t in tensors.items():
        print(case, name, *(f"{x:.9g}" for x in t.detach().flatten().tolist()), sep="\t")


def norm(case, n, c, center):
    x, gain, bias = numbers(n, c), numbers(c), numbers(c)
    if center:
        y = F.layer_norm(x, (c,), gain, bias, 1e-5)
    else:
        y = F.rms_norm(x, (c,), gain, 1e-5) + bias
    y.backward(numbers(n, c))
    show(case, y=y, dx=x.grad, dgain=gain.grad, dbias=bias.grad)


def attention(case, b, heads, d, tq, tk, causal):
    q, k, v = numbers(b, tq, heads * d), numbers(b, tk, heads * d), numbers(b, tk, heads * d)
    split = [t.unflatten(2, (heads, d)).transpose(1, 2) for t in (q, k, v)]
    y = F.scaled_dot_product_attention(*split, is_causal=causal)
    y = y.transpose(1, 2).flatten(2)
    y.backward(numbers(b, tq, heads * d))
    show(case, y=y, dq=q.grad, dk=k.grad, dv=v.grad)


def xent(case, n, vocab, smoothing):
    logits = numbers(n, vocab)
    targets = torch.tensor([i * 7 % vocab for i in range(n)])
    loss = F.cross_entropy(4 * logits, targets, reduction="none", label_smoothing=smoothing)
    loss.backward(numbers(n))
    show(case, loss=loss, dlogits=logits.grad / 4)


norm("layer", 5, 37, True)
norm("rms", 5, 40, False)
attention("causal", 2, 2, 5, 17, 17, True)
attention("cross", 1, 2, 16, 3, 33, False)
attention("wide", 1, 1, 80, 5, 5, True)
xent("xent", 4, 33, 0.0)
xent("smooth", 4, 70, 0.1)
