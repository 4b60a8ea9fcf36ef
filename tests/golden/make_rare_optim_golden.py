#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes rare_optim_golden.h: what PyTorch 1.13's less usual optimisers and schedulers compute, in double, in the cases
of tests/nn/optim/rare_optimizers_test.cpp and rare_schedules_test.cpp.

    /usr/bin/python3 tests/golden/make_rare_optim_golden.py > tests/golden/rare_optim_golden.h
"""
import warnings

import torch
from torch.optim import ASGD, LBFGS, SGD, Adadelta, Adamax, NAdam, RAdam, Rprop, lr_scheduler, swa_utils

warnings.simplefilter("ignore")

STEPS = 12

VARIANTS = {
    NAdam: [dict(), dict(lr=0.1, betas=(0.5, 0.75), eps=0.5), dict(lr=0.1, weight_decay=0.25, momentum_decay=0.5)],
    RAdam: [dict(), dict(lr=0.1, betas=(0.5, 0.75)), dict(lr=0.1, betas=(0.8, 0.6), weight_decay=0.25, eps=0.5)],
    Adamax: [dict(), dict(lr=0.1, betas=(0.5, 0.75), eps=0.5), dict(lr=0.1, weight_decay=0.25, maximize=True)],
    Adadelta: [dict(), dict(lr=0.5, rho=0.5, eps=0.25), dict(weight_decay=0.25, maximize=True)],
    Rprop: [dict(), dict(lr=0.1, etas=(0.25, 1.5), step_sizes=(0.05, 0.5)), dict(lr=0.5, maximize=True)],
    ASGD: [dict(), dict(lr=0.1, lambd=0.5, alpha=0.5, t0=4), dict(lr=0.1, weight_decay=0.25, t0=0, maximize=True)],
}


def floats(name, values):
    print(f"inline const std::vector<double> {name} = {{{', '.join(repr(float(x)) for x in values)}}};")


def texts(name, values):
    quoted = ", ".join('"' + value + '"' for value in values)
    print(f"inline const std::vector<std::string> {name} = {{{quoted}}};")


def parameter():
    return torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0], dtype=torch.float64))


def run(optimizer, p):
    for step in range(STEPS):
        p.grad = torch.tensor([0.25 * (i + 1) - 0.125 * step for i in range(5)], dtype=torch.float64)
        optimizer.step()


def optimizers():
    for kind, variants in VARIANTS.items():
        rows = []
        for options in variants:
            p = parameter()
            optimizer = kind([p], **options)
            run(optimizer, p)
            rows += p.detach().tolist()
        name = "k" + kind.__name__
        state = optimizer.state_dict()
        floats(name, rows)
        texts(name + "StateKeys", state["state"][0])
        floats(name + "State", [x for value in state["state"][0].values()
                                for x in torch.as_tensor(value).reshape(-1).tolist()])
        texts(name + "GroupKeys", sorted(state["param_groups"][0]))


def lbfgs():
    """Rosenbrock's function of two pairs, and a third parameter with a square."""
    for name, options in [
        ("kLbfgs", dict(lr=0.001, max_iter=4)),
        ("kLbfgsWolfe", dict(line_search_fn="strong_wolfe", max_iter=5, history_size=3)),
        ("kLbfgsLong", dict(line_search_fn="strong_wolfe", max_iter=200)),
    ]:
        x = torch.nn.Parameter(torch.tensor([-1.2, 1.0, 0.5, 2.0], dtype=torch.float64))
        y = torch.nn.Parameter(torch.tensor([[3.0]], dtype=torch.float64))
        optimizer = LBFGS([x, y], **options)

        def closure():
            optimizer.zero_grad()
            a, b = x[::2], x[1::2]
            loss = (100 * (b - a * a) ** 2 + (1 - a) ** 2).sum() + ((y - x[0]) ** 2).sum()
            loss.backward()
            return loss

        values = []
        for _ in range(6 if name != "kLbfgsLong" else 1):
            values.append(optimizer.step(closure).item())
            values += x.detach().tolist() + y.detach().reshape(-1).tolist()
        state = optimizer.state_dict()
        values += [state["state"][0]["func_evals"], state["state"][0]["n_iter"]]
        floats(name, values)
    texts("kLbfgsStateKeys", sorted(state["state"][0]))
    texts("kLbfgsGroupKeys", sorted(state["param_groups"][0]))


def two_groups():
    a, b = parameter(), parameter()
    return SGD([{"params": [a]}, {"params": [b], "lr": 0.5}], lr=0.1, momentum=0.9)


def rates(name, make, momentum=False, epochs=None):
    optimizer = two_groups()
    scheduler = make(optimizer)
    values = []
    for step in range(20):
        for group in optimizer.param_groups:
            values += [group["lr"]] + ([group["momentum"]] if momentum else [])
        scheduler.step(*([epochs[step]] if epochs else []))
    floats(name, values)
    texts(name + "Keys", sorted(k for k in scheduler.state_dict() if k not in ("_scale_fn_ref", "anneal_func")))


def schedulers():
    restarts = lr_scheduler.CosineAnnealingWarmRestarts
    rates("kRestarts", lambda o: restarts(o, 3, T_mult=2, eta_min=0.01))
    rates("kRestartsEqual", lambda o: restarts(o, 4))
    epochs = [i * 0.37 for i in range(20)]
    rates("kRestartsPart", lambda o: restarts(o, 2, T_mult=2), epochs=epochs)
    rates("kRestartsPartEqual", lambda o: restarts(o, 2), epochs=epochs)
    rates("kCyclic", lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.2, step_size_up=3, step_size_down=4), momentum=True)
    rates("kCyclic2", lambda o: lr_scheduler.CyclicLR(o, [0.01, 0.02], [0.2, 1.0], step_size_up=3, mode="triangular2",
                                                     base_momentum=0.5, max_momentum=0.75), momentum=True)
    rates("kCyclicExp", lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.2, step_size_up=3, mode="exp_range", gamma=0.9,
                                                       cycle_momentum=False))
    rates("kPolynomial", lambda o: lr_scheduler.PolynomialLR(o, total_iters=7, power=2.0))
    rates("kMultiplicative", lambda o: lr_scheduler.MultiplicativeLR(o, [lambda e: 1 / (1 + e), lambda e: 0.95]))
    rates("kSwaLr", lambda o: swa_utils.SWALR(o, [0.05, 0.7], anneal_epochs=6))
    rates("kSwaLrLinear", lambda o: swa_utils.SWALR(o, 0.05, anneal_epochs=3, anneal_strategy="linear"))
    rates("kSwaLrAtOnce", lambda o: swa_utils.SWALR(o, 0.05, anneal_epochs=0))


def averages():
    """Three updates of a Linear(2, 1) with a BatchNorm1d(1), by mean and with buffers; then update_bn."""
    x = torch.tensor([[0.5, -1.0], [2.0, 0.25], [1.5, 3.0], [-0.75, 1.0]], dtype=torch.float64)
    for name, options in [("kSwa", dict()), ("kEma", dict(avg_fn=lambda a, p, n: 0.75 * a + 0.25 * p, use_buffers=True))]:
        net = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.BatchNorm1d(1)).double()
        with torch.no_grad():
            for i, p in enumerate(net.parameters()):
                p.copy_(torch.arange(p.numel(), dtype=torch.float64).view(p.shape) * 0.5 + i)
        averaged = swa_utils.AveragedModel(net, **options)
        for step in range(3):
            net(x)
            with torch.no_grad():
                for p in net.parameters():
                    p.mul_(0.75).add_(0.25 * step)
            averaged.update_parameters(net)
        state = averaged.state_dict()
        texts(name + "Keys", state)
        floats(name, [v for t in state.values() for v in t.reshape(-1).tolist()])
        swa_utils.update_bn([x, x * 2 + 1], averaged)
        state = averaged.state_dict()
        floats(name + "Bn", [v for t in state.values() for v in t.reshape(-1).tolist()])


print("// SPDX-License-Identifier: MIT")
print(f"// Written by make_rare_optim_golden.py with PyTorch {torch.__version__}. Do not edit.")
print("// clang-format off")
print("#pragma once\n\n#include <string>\n#include <vector>\n\nnamespace teff::golden {\n")
for part in [optimizers, lbfgs, schedulers, averages]:
    part()
    print()
print("}  // namespace teff::golden")
