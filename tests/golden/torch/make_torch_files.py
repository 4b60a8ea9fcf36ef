#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes the .pt files of this folder, as PyTorch 1.13 does.

    cd tests/golden/torch && /usr/bin/python3 make_torch_files.py

Their values follow from formulas, which torch_file_test.cpp repeats.
"""
import warnings
from collections import OrderedDict

import torch
import torch.nn as nn

warnings.simplefilter("ignore")


class Net(nn.Module):
    """What is pickled whole."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 2)
        self.pool = nn.MaxPool2d(2)
        self.act = torch.relu


def count(module):
    """Fills all parameters and buffers with 0, 1, 2, ..."""
    n = 0
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.copy_(torch.arange(n, n + tensor.numel()).reshape(tensor.shape))
            n += tensor.numel()
    return module


def save(name, value, **options):
    torch.save(value, name + ".pt", **options)


def save_both(name, value):
    save(name, value)
    save(name + "_legacy", value, _use_new_zipfile_serialization=False)


def dtypes():
    names = "float32 float64 int64 int32 int16 int8 uint8 float16 bfloat16".split()
    values = {name: torch.arange(-3, 4).to(getattr(torch, name)) for name in names}
    values["bool"] = torch.tensor([True, False, True])
    values["special"] = torch.tensor([float("nan"), float("inf"), -float("inf"), -0.0, 1e-45])
    return values


def views():
    base = torch.arange(24.0).reshape(2, 3, 4)
    small = torch.arange(6.0).reshape(2, 3)
    return OrderedDict([
        ("base", base), ("same", base), ("flat", base.view(24)), ("row", base[1]), ("transposed", base.transpose(0, 2)),
        ("transposed_again", base.transpose(0, 2)), ("column", base[:, 1, 2]), ("every_second", base.view(24)[1::2]),
        ("expanded", small[:, :1].expand(2, 5)), ("channels_last", small.reshape(1, 2, 3, 1).to(memory_format=torch.channels_last)),
        ("scalar", torch.tensor(2.5)), ("empty", torch.empty(0)), ("empty_rows", torch.empty(0, 3)),
    ])


def checkpoint():
    model = count(nn.Sequential(OrderedDict([("fc", nn.Linear(2, 3)), ("norm", nn.BatchNorm1d(3)), ("relu", nn.ReLU())])))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for i, parameter in enumerate(model.parameters()):
        parameter.grad = torch.full_like(parameter, i + 1)
    optimizer.step()
    return {
        "epoch": 5, "loss": 0.4, "model_state_dict": model.state_dict(), "optimizer_state_dict": optimizer.state_dict(),
        "done": False, "nothing": None, "big": 2**40, "negative": -(2**33), "name": "caf\u00e9", "list": [1, [2.5, "x"]],
        "tuple": (1, 2, 3, 4), "set": {7}, "keys": {0: "a", -1: "b"}, "bytes": b"\x00\xff",
        "parameter": nn.Parameter(torch.ones(2)), "size": torch.Size([2, 3]), "dtype": torch.float16,
        "device": torch.device("cuda:0"), "long": list(range(1001)),
    }


save_both("state_dict", count(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))).state_dict())
save_both("dtypes", dtypes())
save_both("views", views())
save_both("checkpoint", checkpoint())
save("protocol4", checkpoint(), pickle_protocol=4)
# Old files hold the source of each class: not needed here.
torch.serialization.get_source_lines_and_file = lambda cls: (["pass\n"], 1, "net.py")
save_both("model", count(Net()))
save("parameters", list(count(nn.Linear(2, 1)).parameters()))
save_both("complex", OrderedDict(a=torch.ones(2), z=torch.ones(2, dtype=torch.complex64), b=torch.ones(3, dtype=torch.int64)))
save("quantized", {"q": torch.quantize_per_tensor(torch.ones(2), 0.5, 0, torch.qint8), "a": torch.ones(2)})
