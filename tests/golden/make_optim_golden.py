#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes optim_golden.h: what PyTorch 1.13's optimisers and schedulers compute in the cases of tests/nn/optim/.

    /usr/bin/python3 tests/golden/make_optim_golden.py > tests/golden/optim_golden.h
"""
import warnings

import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.optim import Adagrad, Adam, AdamW, RMSprop, lr_scheduler

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


def clip_grads():
    for name, clip in [
        ("kClipNorm2", lambda ps: clip_grad_norm_(ps, 1.5)),
        ("kClipNorm1", lambda ps: clip_grad_norm_(ps, 1.5, norm_type=1)),
        ("kClipNorm3", lambda ps: clip_grad_norm_(ps, 1.5, norm_type=3)),
        ("kClipNormInf", lambda ps: clip_grad_norm_(ps, 1.5, norm_type=float("inf"))),
        ("kClipNormLarge", lambda ps: clip_grad_norm_(ps, 100)),
        ("kClipValue", lambda ps: clip_grad_value_(ps, 1.25)),
    ]:
        a, b, none = parameter(), parameter(), parameter()
        a.grad = torch.tensor([1.0, -2.0, 3.0, 0.5, 0.0])
        b.grad = torch.tensor([-1.5, 0.25, 1.0, 4.0, -0.125])
        norm = clip([a, none, b])
        floats(name, ([] if norm is None else [norm]) + a.grad.tolist() + b.grad.tolist())


def two_groups(kind=torch.optim.SGD, **options):
    a, b = parameter(), parameter()
    return kind([{"params": [a]}, {"params": [b], "lr": 0.5}], lr=0.1, **options)


def rates(name, make, steps=20, metrics=None):
    """The rates of both groups in each epoch, and the keys of the state dict."""
    optimizer = two_groups()
    scheduler = make(optimizer)
    values = []
    for step in range(steps):
        values += [group["lr"] for group in optimizer.param_groups]
        scheduler.step(*([metrics[step]] if metrics else []))
    floats(name, values)
    texts(name + "Keys", sorted(scheduler.state_dict()))


def schedulers():
    rates("kStepLR", lambda o: lr_scheduler.StepLR(o, step_size=3, gamma=0.3))
    rates("kMultiStepLR", lambda o: lr_scheduler.MultiStepLR(o, [2, 5, 5, 11], gamma=0.7))
    rates("kExponentialLR", lambda o: lr_scheduler.ExponentialLR(o, 0.9))
    rates("kConstantLR", lambda o: lr_scheduler.ConstantLR(o, factor=0.3, total_iters=4))
    rates("kLinearLR", lambda o: lr_scheduler.LinearLR(o, start_factor=0.2, end_factor=0.9, total_iters=7))
    rates("kCosineAnnealingLR", lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=6, eta_min=0.01))
    rates("kLambdaLR", lambda o: lr_scheduler.LambdaLR(o, [lambda e: 1 / (1 + e), lambda e: 0.95**e]))
    rates("kSequentialLR", lambda o: lr_scheduler.SequentialLR(o, [
        lr_scheduler.LinearLR(o, start_factor=0.1, total_iters=4), lr_scheduler.CosineAnnealingLR(o, T_max=8),
        lr_scheduler.ExponentialLR(o, 0.5)], [4, 12]))
    rates("kChainedScheduler", lambda o: lr_scheduler.ChainedScheduler([
        lr_scheduler.LinearLR(o, start_factor=0.1, total_iters=4), lr_scheduler.StepLR(o, 5)]))
    metrics = [1, 0.9, 0.95, 0.9, 0.91, 0.8, 0.81, float("nan"), 0.81, 0.79999,
               0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.4, 9, 9]
    for name, options in [
        ("kPlateau", dict(factor=0.5, patience=1)),
        ("kPlateauMax", dict(mode="max", factor=0.1, patience=2, threshold_mode="abs", threshold=0.05, cooldown=2,
                             min_lr=[0.001, 0.1])),
        ("kPlateauEps", dict(factor=0.9, patience=0, eps=0.03, threshold_mode="abs")),
    ]:
        rates(name, lambda o: lr_scheduler.ReduceLROnPlateau(o, **options), metrics=metrics)


def one_cycle():
    for name, kind, options in [
        ("kOneCycle", torch.optim.SGD, dict(max_lr=0.1, total_steps=20)),
        ("kOneCycleThree", torch.optim.SGD, dict(max_lr=[0.1, 1.0], total_steps=20, three_phase=True, pct_start=0.35,
                                                 anneal_strategy="linear", div_factor=10, final_div_factor=50)),
        ("kOneCycleAdam", Adam, dict(max_lr=0.1, epochs=4, steps_per_epoch=5, base_momentum=0.5, max_momentum=0.75)),
    ]:
        optimizer = two_groups(kind, **({} if kind is Adam else {"momentum": 0.9}))
        scheduler = lr_scheduler.OneCycleLR(optimizer, **options)
        values = []
        for _ in range(20):
            for group in optimizer.param_groups:
                values += [group["lr"], group["betas"][0] if kind is Adam else group["momentum"]]
            scheduler.step()
        floats(name, values)
        texts(name + "GroupKeys", sorted(optimizer.state_dict()["param_groups"][0]))


print("// SPDX-License-Identifier: MIT")
print(f"// Written by make_optim_golden.py with PyTorch {torch.__version__}. Do not edit.")
print("// clang-format off")
print("#pragma once\n\n#include <string>\n#include <vector>\n\nnamespace teff::golden {\n")
for part in [optimizers, schedulers, one_cycle, clip_grads]:
    part()
    print()
print("}  // namespace teff::golden")
