#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes script/: small networks as TorchScript archives, traced, scripted and frozen, each with inputs, outputs, and, of
some, what five steps of SGD make of the loss.

    python3 make_script_golden.py

tests/serialize/script/script_golden_test.cpp loads them. The files in the repository are those of PyTorch 1.13.1.
"""
import warnings
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

FOLDER = Path(__file__).parent / "script"


class Residual(nn.Module):
    """Batch norm and dropout, which follow the mode."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.down = nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4))
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.drop = nn.Dropout(0.0)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        y = self.pool(F.relu(self.bn1(self.conv1(x)) + self.down(x)))
        return self.fc(self.drop(torch.flatten(F.adaptive_avg_pool2d(y, 1), 1)))


class Attention(nn.Module):
    """Sizes that are read, and reach every shape; a weight that two layers share."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 8)
        self.query, self.key, self.value = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 20)
        self.head.weight = self.embedding.weight

    def forward(self, words):
        x = self.embedding(words)
        rows, length, channels = x.shape
        q = self.query(x).view(rows, length, 2, 4).transpose(1, 2)
        k = self.key(x).view(rows, length, 2, 4).transpose(1, 2)
        v = self.value(x).view(rows, length, 2, 4).transpose(1, 2)
        weights = torch.softmax(q @ k.transpose(-1, -2) / 2.0, -1)
        y = (weights @ v).transpose(1, 2).reshape(rows, length, channels)
        return self.head(self.norm(x + y))


class Images(nn.Module):
    """Height and width that are read; a part of a tensor; None for a size."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(3, 3, 1)

    def forward(self, x):
        x = self.mix(x)
        y = F.interpolate(x, size=(x.shape[2] * 2, x.shape[3] * 2), mode="bilinear", align_corners=False)
        z = F.pad(y, (1, 1, 0, 0))
        return z[:, :, ::2, 1:-1].mean((2, 3), keepdim=True) + x.flatten(2).mean(2)[:, :, None, None]


class InPlace(nn.Module):
    """Operators in place, seen through every name of the tensor."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x):
        y = self.first(x)
        before = y
        y.relu_()
        y += 1
        z = self.second(before)
        z.mul_(2).clamp_(max=1.5)
        return z + before


class Pair(NamedTuple):
    total: torch.Tensor
    parts: List[torch.Tensor]


class Control(nn.Module):
    """Loops, lists, conditions, named tuples and dictionaries; a buffer that is an index."""

    def __init__(self):
        super().__init__()
        self.steps = nn.ModuleList([nn.Linear(5, 5) for _ in range(3)])
        self.register_buffer("order", torch.tensor([4, 2, 0, 1, 3]))
        self.scale: Optional[float] = 0.5
        self.names = ["a", "b"]

    def collect(self, x: torch.Tensor, limit: int = 2) -> Pair:
        parts: List[torch.Tensor] = []
        for i, step in enumerate(self.steps):
            x = torch.tanh(step(x))
            if i < limit:
                parts.append(x[:, self.order])
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return Pair(total, parts)

    def forward(self, x: torch.Tensor, mask: Optional[torch.Tensor] = None) -> Dict[str, torch.Tensor]:
        pair = self.collect(x)
        scale = self.scale
        if scale is not None:
            total = pair.total * scale
        else:
            total = pair.total
        count = 0
        while count < 7:
            count += 3
        if mask is not None:
            total = total * mask
        if x.dim() == 2:
            return {self.names[0]: total + count, self.names[1]: torch.stack(pair.parts, dim=1).max(1)[0]}
        return {self.names[0]: total}


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2, batch_first=True, bidirectional=True)
        self.gru = nn.GRU(8, 4, batch_first=True)

    def forward(self, x):
        y, (h, _) = self.lstm(x)
        z, _ = self.gru(y)
        return z[:, -1] + h[0]


def arrays_of(module, inputs, others, trains):
    arrays = {}
    for i, x in enumerate((inputs, others)):
        y = module(x)
        arrays[f"x{i}"] = x.numpy()
        for name, value in y.items() if isinstance(y, dict) else [("", y)]:
            arrays[f"y{i}{name}"] = value.detach().numpy()
    if trains:
        module.train()
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            loss = module(others).square().mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        arrays["losses"] = np.array(losses)
    return arrays


def write(name, module, inputs, others, kinds=("traced", "scripted", "frozen"), trains=False):
    """`others`: inputs of other sizes."""
    module.eval()
    made = {"scripted": lambda: torch.jit.script(module),
            "traced": lambda: torch.jit.trace(module, inputs),
            "frozen": lambda: torch.jit.freeze(torch.jit.script(module))}
    for kind in kinds:
        made[kind]().save(str(FOLDER / f"{name}_{kind}.pt"))
    np.savez_compressed(FOLDER / f"{name}.npz", **arrays_of(module, inputs, others, trains))


warnings.filterwarnings("ignore")
torch.manual_seed(0)
FOLDER.mkdir(exist_ok=True)
write("residual", Residual(), torch.randn(2, 3, 8, 8), torch.randn(4, 3, 10, 12), trains=True)
write("attention", Attention(), torch.randint(0, 20, (2, 7)), torch.randint(0, 20, (3, 4)), ("scripted",))
write("images", Images(), torch.randn(2, 3, 8, 8), torch.randn(1, 3, 6, 9), ("scripted", "traced"))
write("in_place", InPlace(), torch.randn(2, 6), torch.randn(5, 6), ("scripted", "traced"))
write("control", Control(), torch.randn(2, 5), torch.randn(3, 5), ("scripted", "frozen"))
write("recurrent", Recurrent(), torch.randn(2, 7, 3), torch.randn(3, 4, 3), ("scripted", "traced"))
torch.jit.script(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))).save(str(FOLDER / "in_training.pt"))
