#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes gradient_golden.h: second and third derivatives by PyTorch 1.13, in double, of the functions of
tests/engine/second_derivatives_test.cpp.

    /usr/bin/python3 tests/golden/make_gradient_golden.py > tests/golden/gradient_golden.h
"""
import math

import torch
import torch.nn.functional as F


def wave(*shape, seed):
    n = math.prod(shape)
    values = [math.sin(1.7 * i + seed) for i in range(n)]
    return torch.tensor(values, dtype=torch.float64).view(shape).requires_grad_()


def numbers(name, tensors):
    values = torch.cat([t.reshape(-1) for t in tensors]).tolist()
    print(f"inline const std::vector<double> {name} = {{{', '.join(repr(x) for x in values)}}};")


def penalty():
    """The gradient penalty of a small network: d |d loss / d x|^2 / d weights."""
    x, w, b, v = wave(2, 3, 7, 6, seed=1), wave(4, 3, 3, 3, seed=2), wave(4, seed=3), wave(2, 16, seed=4)
    y = F.max_pool2d(F.softplus(F.conv2d(x, w, b, stride=(2, 1), padding=1)), 2)
    loss = F.cross_entropy(F.linear(F.layer_norm(y, y.shape[1:]).mean(3).flatten(1)[:, :8], v[:, :8]),
                           torch.tensor([1, 0]))
    (g,) = torch.autograd.grad(loss, [x], create_graph=True)
    numbers("kPenalty", torch.autograd.grad((g * g).sum(), [x, w, b, v]))


def third():
    x = wave(5, seed=0.5)
    y = (torch.sigmoid(x) * torch.exp(-x) + F.gelu(x) + F.silu(x)).sum()
    for _ in range(2):
        (y,) = torch.autograd.grad(y, [x], create_graph=True)
        y = y.sum()
    numbers("kThird", torch.autograd.grad(y, [x]))


print("// SPDX-License-Identifier: MIT")
print(f"// Written by make_gradient_golden.py with PyTorch {torch.__version__}. Do not edit.")
print("// clang-format off")
print("#pragma once\n\n#include <vector>\n\nnamespace teff::golden {\n")
penalty()
third()
print("\n}  // namespace teff::golden")
