#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes net.golden: how the recipe's network looks, what it computes and how it learns in PyTorch.

    python3 make_net_golden.py

"seed" cases start from manual_seed(0); "formula" cases from weights and images that both sides compute from a formula,
so that they do not depend on random numbers. At the higher learning rate they are float64: within 20 steps an
activation comes as near to 0 as 4e-9, and float32 would fall to either side of the kink by chance. The numbers in the
repository are those of PyTorch 1.13.1.
"""
import math
from pathlib import Path

import torch
import torch.nn.functional as F
import torch.optim as optim

from golden_file import write
from recipe_net import Net

torch.set_num_threads(1)


def pattern(shape, scale, step, offset):
    """scale * sin(step * i + offset) for i = 0, 1, ..., computed in double. recipe_test.cpp has the same."""
    count = torch.Size(shape).numel()
    values = [scale * math.sin(step * i + offset) for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape).float()


def set_pattern(net):
    with torch.no_grad():
        for k, parameter in enumerate(net.parameters()):
            fan_in = parameter[0].numel() if parameter.dim() > 1 else 100
            parameter.copy_(pattern(parameter.shape, 1 / math.sqrt(fan_in), 0.7 + 0.13 * k, 0.1 * k))


def labels_for(batch):
    return torch.tensor([3, 1, 4, 1, 5, 9, 2, 6] * 4)[:batch]


def summary(tensor):
    """Sum, sum of magnitudes, first and last."""
    values = tensor.double().reshape(-1)
    return torch.stack([values.sum(), values.abs().sum(), values[0], values[-1]])


def train(net, images, labels, **options):
    optimizer = optim.SGD(net.parameters(), **options)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses, dtype=torch.float64)


def run(start, batch, dtype, options):
    torch.manual_seed(0)
    net = Net()
    if start == "formula":
        set_pattern(net)
        images = pattern((batch, 3, 32, 32), 1.5, 2.37, 0.2)
    else:
        images = torch.randn(batch, 3, 32, 32)
    net.to(dtype)
    images = images.to(dtype)
    labels = labels_for(batch)
    entries = {"batch": batch, "dtype": str(dtype).removeprefix("torch.")}
    entries |= {"lr": options["lr"], "momentum": options.get("momentum", 0.0)}
    entries["images"] = summary(images)
    # Parameters are "module/name": a dot would nest.
    entries["before"] = {k.replace(".", "/"): summary(v) for k, v in net.state_dict().items()}
    entries["outputs"] = net(images)[:4].double()
    entries["losses"] = train(net, images, labels, **options)
    entries["after"] = {k.replace(".", "/"): summary(v) for k, v in net.state_dict().items()}
    return entries


def curve():
    """A loss a step, each from a batch of its own."""
    torch.manual_seed(0)
    net = Net()
    optimizer = optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
    losses = []
    for _ in range(100):
        images, labels = torch.randn(8, 3, 32, 32), torch.randint(10, (8,))
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"losses": torch.tensor(losses, dtype=torch.float64)}


cases = [("printed", {"net": str(Net()), "keys": " ".join(Net().state_dict())})]
for start in ["seed", "formula"]:
    for batch in [4, 32]:
        for dtype, options in [(torch.float32, {"lr": 0.001, "momentum": 0.9}), (torch.float64, {"lr": 0.01})]:
            cases.append((f"{start}, batch {batch}, {dtype}, lr {options['lr']}", run(start, batch, dtype, options)))
cases.append(("curve", curve()))
write(Path(__file__).with_name("net.golden"), cases)
