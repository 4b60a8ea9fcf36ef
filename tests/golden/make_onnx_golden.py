#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes onnx/: small networks as PyTorch's exporter writes them, each with inputs, outputs, and, of some, what five
steps of SGD make of the loss.

    python3 make_onnx_golden.py

tests/serialize/onnx/onnx_golden_test.cpp loads them. The files in the repository are those of PyTorch 1.13.1.
"""
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

FOLDER = Path(__file__).parent / "onnx"


class Attention(nn.Module):
    """Sizes that are read, and reach every shape."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 8)
        self.query, self.key, self.value = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 5)

    def forward(self, words):
        x = self.embedding(words)
        rows, length, channels = x.shape
        heads = [f(x).view(rows, length, 2, 4).transpose(1, 2) for f in (self.query, self.key, self.value)]
        weights = torch.softmax(heads[0] @ heads[1].transpose(-1, -2) / 2.0, -1)
        y = (weights @ heads[2]).transpose(1, 2).reshape(rows, length, channels)
        return self.head(self.norm(x + y))


class Images(nn.Module):
    """Height and width that are read."""

    def forward(self, x):
        y = F.interpolate(x, size=(x.shape[2] * 2, x.shape[3] * 2), mode="bilinear", align_corners=False)
        z = F.pad(y, (1, 1, 0, 0))
        return z[:, :, ::2, 1:-1].mean((2, 3), keepdim=True) + x.flatten(2).mean(2)[:, :, None, None]


class Residual(nn.Module):
    """Batch norm, which trains."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.down = nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4))
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        y = self.pool(F.relu(self.bn1(self.conv1(x)) + self.down(x)))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(y, 1), 1))


def write(name, module, inputs, others, axes, trains=False):
    """`others`: inputs of other sizes."""
    module.eval()
    warnings.filterwarnings("ignore")
    torch.onnx.export(module, inputs, str(FOLDER / f"{name}.onnx"), opset_version=13, input_names=["x"],
                      output_names=["y"], dynamic_axes={"x": axes}, do_constant_folding=not trains,
                      training=torch.onnx.TrainingMode.PRESERVE)
    arrays = {}
    for i, x in enumerate((inputs, others)):
        arrays[f"x{i}"], arrays[f"y{i}"] = x.numpy(), module(x).detach().numpy()
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
    np.savez(FOLDER / f"{name}.npz", **arrays)


torch.manual_seed(0)
FOLDER.mkdir(exist_ok=True)
write("attention", Attention(), torch.randint(0, 20, (2, 7)), torch.randint(0, 20, (3, 4)), {0: "batch", 1: "length"})
write("images", Images(), torch.randn(2, 3, 8, 8), torch.randn(1, 3, 6, 9), {0: "N", 2: "H", 3: "W"})
write("residual", Residual(), torch.randn(2, 3, 8, 8), torch.randn(4, 3, 10, 12), {0: "N", 2: "H", 3: "W"}, True)
