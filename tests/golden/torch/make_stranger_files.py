#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes files with what people save beside tensors, as PyTorch 1.13 and numpy 1.24 do: content*.pt, objects*.pt, tree*.pt,
*script*.pt. What the trees print as goes to tree.txt.

    cd tests/golden/torch && /usr/bin/python3 make_stranger_files.py

Their values follow from formulas, which stranger_test.cpp repeats.
"""
import argparse
import collections
import datetime
import enum
import pathlib
import types
import warnings

import numpy as np
import torch
import torch.nn as nn

warnings.simplefilter("ignore")


def save(name, value, **options):
    torch.save(value, name + ".pt", **options)


def save_all(name, value):
    """The zip of protocols 2 and 5, the old chain of pickles of protocols 1 and 4."""
    save(name, value)
    save(name + "5", value, pickle_protocol=5)
    save(name + "_legacy1", value, pickle_protocol=1, _use_new_zipfile_serialization=False)
    save(name + "_legacy4", value, pickle_protocol=4, _use_new_zipfile_serialization=False)


def arrays():
    values = np.arange(6).reshape(2, 3)
    made = {name: values.astype(name) for name in "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 ?".split()}
    made["fortran"] = np.asfortranarray(values.astype("f4"))
    made["big"] = values.astype(">i4")
    made["scalar"] = np.array(2.5)
    made["empty"] = np.zeros((0, 4), "f4")
    return made


def scalars():
    return [np.float64(0.5), np.float32(0.25), np.float16(-1.5), np.int64(-12), np.int8(-3), np.uint8(200), np.uint64(2**64 - 1),
            np.bool_(True), np.str_("caf\u00e9"), np.bytes_(b"ab")]


def content():
    weight = torch.arange(3.0)
    history = collections.defaultdict(list)
    history["loss"].append(0.5)
    parameter = nn.Parameter(torch.arange(2.0))
    parameter.note = "x"
    return {
        "arrays": arrays(), "scalars": scalars(), "history": history, "counter": collections.Counter("aab"),
        "deque": collections.deque([1, weight]), "set": {7}, "frozenset": frozenset([8]), "bytes": b"\x00\xff", "no_bytes": b"",
        "bytearray": bytearray(b"\x01\xfe"), "namespace": argparse.Namespace(lr=0.1, inner=types.SimpleNamespace(a=None)),
        "size": torch.Size([2, 3]), "dtype": torch.float16, "device": torch.device("cuda:1"), "parameter": parameter,
        "subclass": weight.as_subclass(Named), "keys": {1.5: "a", True: "b", None: "c", 7: "d", np.int64(9): "e"},
        "same": {1: "a", "1": "b"}, "large": [2**64 - 1, -(2**70), 2**63 - 1, -(2**63)], "weight": weight,
    }


class Named(torch.Tensor):
    pass


class Config(dict):
    pass


class Names(list):
    pass


class Color(enum.Enum):
    red = 1


class Node:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


Pair = collections.namedtuple("Pair", "mean std")


def objects():
    weight = torch.arange(3.0)
    node, config, parent = Node(a=1, w=weight), Config(lr=0.1, inner=Config(n=3)), Node(name="parent")
    parent.child = Node(parent=parent)
    with_state = Config(a=1)
    with_state.extra = 2
    ring = [1]
    ring.append(ring)
    return {
        "node": node, "config": config, "with_state": with_state, "names": Names(["cat", weight]), "pair": Pair(weight, 2),
        "color": Color.red, "time": datetime.timedelta(1, 2), "path": pathlib.PurePosixPath("runs/a"), "complex": 1 + 2j,
        "range": range(3), "class": Node, "function": torch.nn.functional.relu, "class_keys": {Node: 1}, "tuple_keys": {(1, "a"): 2},
        "parent": parent, "ring": ring, "weight": weight,
    }


def unsupported():
    weight = torch.arange(3.0)
    places = torch.tensor([[0, 1], [1, 0]])
    return {
        "weight": weight, "phase": torch.ones(2, dtype=torch.complex64),
        "coo": torch.sparse_coo_tensor(places, torch.ones(2), (2, 2)), "csr": torch.eye(2).to_sparse_csr(),
        "quantised": torch.quantize_per_tensor(torch.ones(2), 0.5, 0, torch.qint8), "meta": torch.empty(2, device="meta"),
        "deep": torch.ones([1] * 9), "list": [1, 2j], "text": np.array(["a"]), "bias": weight,
    }


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(2)
        self.register_parameter("absent", None)
        self.scale = nn.Parameter(torch.ones(2))
        self.register_buffer("offset", torch.ones(1))
        self.register_buffer("scratch", torch.ones(9), persistent=False)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block()
        self.head = nn.Sequential(nn.Linear(2, 3), nn.ReLU(inplace=True), nn.Dropout(0.25), nn.Linear(2, 3))
        self.head[3].weight = self.head[0].weight
        self.act = torch.relu
        self.config = argparse.Namespace(width=2)
        self.plain = torch.ones(5)


class Scripted(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.ones(2))
        self.fc = nn.Linear(2, 2)
        self.scale = nn.Parameter(torch.ones(1))
        self.plain = torch.ones(3)

    def forward(self, x):
        return self.fc(x - self.mean) * self.scale + self.plain.sum()


def count(module):
    """Fills all that the state dict has with 0, 1, 2, ..."""
    n = 0
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.copy_(torch.arange(n, n + tensor.numel()).reshape(tensor.shape))
            n += tensor.numel()
    return module


torch.manual_seed(0)
save_all("content", content())
save_all("objects", objects())
save("unsupported", unsupported())
# Old files hold the source of each class: not needed here.
torch.serialization.get_source_lines_and_file = lambda cls: (["pass\n"], 1, "net.py")
net = count(Net())
save_all("tree", {"model": net, "list": [count(nn.DataParallel(nn.Linear(1, 1, bias=False)))]})
open("tree.txt", "w").write(repr(net) + "\n")
script = torch.jit.script(count(Scripted()))
script.save("script.pt")
torch.jit.freeze(torch.jit.script(count(Scripted()).eval())).save("script_frozen.pt")
quantised = torch.quantization.quantize_dynamic(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), {nn.Linear}, dtype=torch.qint8)
torch.jit.script(quantised).save("script_quantised.pt")
open("script.txt", "w").write(repr(torch.jit.load("script.pt")) + "\n")
