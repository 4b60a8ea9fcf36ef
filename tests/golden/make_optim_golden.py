#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes optim_golden.h: what PyTorch 1.13's optimisers and schedulers compute in the cases of tests/nn/optim/.

    /usr/bin/python3 tests/golden/make_optim_golden.py > tests/golden/optim_golden.h
"""
import warnings

import torch
from torch.optim import Adagrad, Adam, AdamW, RMSprop

warnings.simplefilter("ignore")

STEPS = 12

VARIANTS = {
    Adam: [
        dict(),
        dict(lr=0.1, betas=(0.5, 0.75)),
        dict(lr=0.1, weight_decay=0.25, eps=0.5),
        dict(lr=0.1, betas=(0.8, 0.6), amsgrad=True),
        dict(lr=0.1, maximize=True, amsgrad=True, weight_decay=0.125),
    ],
    AdamW: [
        dict(),
        dict(lr=0.1, betas=(0.5, 0.75), weight_decay=0.5),
        dict(lr=0.1, weight_decay=0, eps=0.5),
        dict(lr=0.1, betas=(0.8, 0.6), amsgrad=True),
        dict(lr=0.1, maximize=True, amsgrad=True, weight_decay=0.125),
    ],
    RMSprop: [
        dict(),
        dict(lr=0.1, alpha=0.5, eps=0.25),
        dict(lr=0.1, momentum=0.9),
        dict(lr=0.1, centered=True, weight_decay=0.25),
        dict(lr=0.01, momentum=0.5, centered=True, alpha=0.75, maximize=True),
    ],
    Adagrad: [
        dict(),
        dict(lr=0.1, lr_decay=0.5),
        dict(lr=0.1, weight_decay=0.25, initial_accumulator_value=0.75),
        dict(lr=0.5, eps=0.5, maximize=True),
    ],
}


def floats(name, values):
    print(f"inline const std::vector<double> {name} = {{{', '.join(repr(float(x)) for x in values)}}};")


def texts(name, values):
    quoted = ", ".join('"' + value + '"' for value in values)
    print(f"inline const std::vector<std::string> {name} = {{{quoted}}};")


def parameter():
    return torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0]))


def run(optimizer, parameters, begin=0, end=STEPS):
    for step in range(begin, end):
        for p in parameters:
            p.grad = torch.tensor([0.25 * (i + 1) - 0.125 * step for i in range(p.numel())])
        optimizer.step()


def optimizers():
    for kind, variants in VARIANTS.items():
        rows = []
        for options in variants:
            p = parameter()
            run(kind([p], **options), [p])
            rows += p.detach().tolist()
        name = "k" + kind.__name__
        floats(name, rows)
        # The last variant has most of the state: half of its steps here, the other half in C++.
        p = parameter()
        optimizer = kind([p], **variants[-1])
        run(optimizer, [p], 0, STEPS // 2)
        state = optimizer.state_dict()
        floats(name + "Half", p.detach().tolist())
        texts(name + "StateKeys", state["state"][0])
        floats(name + "State", [x for key, value in state["state"][0].items() if key != "step" for x in value.tolist()])
        texts(name + "GroupKeys", sorted(state["param_groups"][0]))


print("// SPDX-License-Identifier: MIT")
print(f"// Written by make_optim_golden.py with PyTorch {torch.__version__}. Do not edit.")
print("// clang-format off")
print("#pragma once\n\n#include <string>\n#include <vector>\n\nnamespace teff::golden {\n")
for part in [optimizers]:
    part()
    print()
print("}  // namespace teff::golden")
