#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes modules.golden: what PyTorch prints of a layer, how it begins after manual_seed(5), and what it computes.

    python3 make_module_golden.py

tests/nn/module_golden_test.cpp makes the same layers by these names. The numbers in the repository are those of PyTorch
1.13.1.
"""
from pathlib import Path

import torch
from torch import nn

from golden_file import write

cases = []


def case(name, make, *shape, indices=None):
    torch.manual_seed(5)
    module = make()
    state = {key: value.clone() for key, value in module.state_dict().items()}
    x = torch.randn(shape) if indices is None else torch.tensor(indices)
    torch.manual_seed(6)
    entries = {"printed": str(module), "state": state, "input": x, "output": module(x.clone())}
    cases.append((name, entries))


case("Conv1d", lambda: nn.Conv1d(2, 4, 3), 2, 2, 7)
case("Conv1d, all options", lambda: nn.Conv1d(4, 4, 3, stride=2, padding=1, dilation=2, groups=2, bias=False), 1, 4, 9)
case("Conv2d, same", lambda: nn.Conv2d(2, 3, (2, 3), padding="same", dilation=(1, 2)), 1, 2, 5, 6)
case("Conv2d, valid", lambda: nn.Conv2d(2, 3, 3, padding="valid"), 1, 2, 5, 6)
case("Conv2d, same, reflect", lambda: nn.Conv2d(2, 3, (4, 3), padding="same", padding_mode="reflect"), 1, 2, 5, 6)
case("Conv2d, reflect", lambda: nn.Conv2d(2, 3, 3, padding=(1, 2), bias=False, padding_mode="reflect"), 1, 2, 5, 6)
case("Conv2d, replicate", lambda: nn.Conv2d(2, 3, 3, stride=2, padding=1, padding_mode="replicate"), 1, 2, 5, 6)
case("Conv2d, circular", lambda: nn.Conv2d(2, 3, 3, padding=(2, 1), padding_mode="circular"), 1, 2, 5, 6)
case("ConvTranspose2d", lambda: nn.ConvTranspose2d(3, 2, 3, 2, 1, 1), 1, 3, 4, 3)
case("ConvTranspose2d, all options",
     lambda: nn.ConvTranspose2d(4, 6, (3, 2), stride=(1, 2), output_padding=(1, 0), groups=2, bias=False, dilation=2),
     1, 4, 3, 2)
case("BatchNorm1d", lambda: nn.BatchNorm1d(4), 5, 4)
case("BatchNorm1d, rows", lambda: nn.BatchNorm1d(2, eps=1e-3, momentum=None, affine=False), 3, 2, 4)
case("GroupNorm", lambda: nn.GroupNorm(2, 4), 2, 4, 3, 2)
case("GroupNorm, plain", lambda: nn.GroupNorm(1, 4, 1e-3, False), 2, 4)
case("LayerNorm", lambda: nn.LayerNorm(4), 3, 4)
case("LayerNorm, plain", lambda: nn.LayerNorm((2, 3), 1e-6, False), 3, 2, 3)
case("AdaptiveAvgPool2d, square", lambda: nn.AdaptiveAvgPool2d(2), 1, 2, 5, 4)
case("AdaptiveAvgPool2d", lambda: nn.AdaptiveAvgPool2d((1, 1)), 1, 2, 5, 4)
case("AdaptiveMaxPool2d, square", lambda: nn.AdaptiveMaxPool2d(2), 1, 2, 5, 4)
case("AdaptiveMaxPool2d", lambda: nn.AdaptiveMaxPool2d((3, 2)), 1, 2, 5, 4)
case("Upsample", lambda: nn.Upsample(scale_factor=2), 1, 2, 2, 3)
case("Upsample, bilinear", lambda: nn.Upsample(scale_factor=(2.5, 1.5), mode="bilinear"), 1, 2, 2, 3)
case("Upsample, size", lambda: nn.Upsample(size=(4, 5), mode="bilinear", align_corners=True), 1, 2, 2, 3)
case("Upsample, square", lambda: nn.Upsample(size=4), 1, 2, 2, 3)
case("Dropout2d", lambda: nn.Dropout2d(), 3, 5, 2, 2)
case("Dropout, inplace", lambda: nn.Dropout(0.2, inplace=True), 3, 5)
case("Embedding", lambda: nn.Embedding(5, 3), indices=[[0, 4], [2, 2]])
case("Embedding, padding_idx", lambda: nn.Embedding(5, 3, padding_idx=-2), indices=[3, 0])
case("ZeroPad2d", lambda: nn.ZeroPad2d(1), 1, 2, 3, 4)
case("ZeroPad2d, sides", lambda: nn.ZeroPad2d((1, -1, 0, 3)), 1, 2, 3, 4)
case("ReflectionPad2d", lambda: nn.ReflectionPad2d((1, 2, 0, 2)), 1, 2, 3, 4)
case("ReplicationPad2d", lambda: nn.ReplicationPad2d(2), 1, 2, 3, 4)
case("PReLU", lambda: nn.PReLU(), 2, 3, 2)
case("PReLU, channels", lambda: nn.PReLU(3, 0.1), 2, 3, 2)
for name, make in {
    "ReLU, inplace": lambda: nn.ReLU(inplace=True), "ReLU6": nn.ReLU6, "ReLU6, inplace": lambda: nn.ReLU6(True),
    "LeakyReLU, inplace": lambda: nn.LeakyReLU(0.1, True), "Hardtanh": nn.Hardtanh,
    "Hardtanh, inplace": lambda: nn.Hardtanh(-0.5, 2.0, inplace=True), "ELU": nn.ELU,
    "ELU, inplace": lambda: nn.ELU(0.5, True), "GELU": nn.GELU, "GELU, tanh": lambda: nn.GELU("tanh"),
    "SiLU": nn.SiLU, "SiLU, inplace": lambda: nn.SiLU(True), "Hardswish": nn.Hardswish, "Hardsigmoid": nn.Hardsigmoid,
    "Softplus": nn.Softplus, "Softplus, options": lambda: nn.Softplus(0.5, 10.5), "LogSoftmax": lambda: nn.LogSoftmax(1),
}.items():
    case(name, make, 3, 5)

write(Path(__file__).with_name("modules.golden"), cases)
