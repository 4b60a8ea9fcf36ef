#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes exported/: small networks as programs of torch.export, and expected.safetensors with inputs and outputs of each,
and, of some, the state dict, and what five steps of SGD make of the loss.

    python3 make_exported_golden.py

tests/serialize/exported/exported_golden_test.cpp loads them. The files in the repository are those of PyTorch 2.6.0.
fixed.pt2 is as PyTorch wrote it; in the others the graph is compressed, and without traces of the stack, which are most
of it. PyTorch 2.6 cannot write the archives of later versions: newer.pt2 and newer_pickled.pt2 are made of residual.pt2 here, to the layout that PyTorch documents (pt2_archive).
"""
import copy
import io
import json
import os
import struct
import zipfile
from pathlib import Path

import torch
from torch import nn
from torch.export import Dim
from torch.nn import functional as F
from torch.utils import _pytree as pytree

FOLDER = Path(__file__).parent / "exported"
PROGRAM = "serialized_exported_program.json"
ARRAYS = {}


class Residual(nn.Module):
    """Batch norm and dropout, an operator in place, the batch flattened."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        y = F.relu(self.bn(self.conv(x)), inplace=True)
        return self.fc(self.drop(torch.flatten(F.adaptive_avg_pool2d(y, 1), 1)))


class Normed(nn.Module):
    """Exported in training mode."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 4)
        self.bn = nn.BatchNorm1d(4)

    def forward(self, x):
        return torch.tanh(self.bn(self.fc(x)))


class Words(nn.Module):
    """A dictionary in, a dictionary out; a shared weight; buffers that the state dict has, and one that it has not."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 6)
        self.head = nn.Linear(6, 10, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("scale", torch.tensor(2.0))
        self.register_buffer("mask", torch.rand(6), persistent=False)
        self.weights = torch.arange(6.0)

    def forward(self, tokens):
        x = self.embedding(tokens["ids"]) * self.scale + self.mask + self.weights + torch.tensor([0.5])
        return {"logits": self.head(x), "rows": x.view(x.size(0) * x.size(1), -1)[:, :3]}


class Attention(nn.Module):
    """Sizes that are computed."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, query, key):
        return self.attention(query, key, key)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 2, batch_first=True)

    def forward(self, x):
        y, (h, _) = self.lstm(x)
        return y, h


class InPlace(nn.Module):
    """Parts of a tensor, changed in place."""

    def forward(self, x):
        y = x * 2
        y[:, 0] = 5
        y[:, 1:].mul_(3)
        z = y.transpose(0, 1)
        z.add_(1)
        return y, z.relu_()


class Pieces(nn.Module):
    """Functions whose overloads call their arguments otherwise."""

    def forward(self, x):
        small = F.interpolate(x, size=(3, 5), mode="bilinear")
        return (torch.max(x, -x), x.split([1, 2], 1)[1], F.interpolate(x, scale_factor=2.0), small,
                torch.arange(x.size(0)), x.mean((2, 3)).norm(dim=1), torch.tensor_split(x, 2, 1)[0])


class Cond(nn.Module):
    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda x: x + 1, lambda x: x - 1, (x,))


class Counts(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("total", torch.zeros(3))

    def forward(self, x):
        self.total.add_(x.mean(0))
        return x + self.total


def without_traces(data):
    """The zip, with nothing in the nodes' metadata but the modules that they are of."""
    result = io.BytesIO()
    with zipfile.ZipFile(data) as old, zipfile.ZipFile(result, "w") as new:
        for entry in old.namelist():
            content = old.read(entry)
            if entry == PROGRAM:
                program = json.loads(content)
                for node in program["graph_module"]["graph"]["nodes"]:
                    node["metadata"] = {k: v for k, v in node["metadata"].items() if k == "nn_module_stack"}
                content = json.dumps(program).encode()
            packed = zipfile.ZIP_DEFLATED if entry == PROGRAM else zipfile.ZIP_STORED
            new.writestr(zipfile.ZipInfo(entry), content, packed)
    return result.getvalue()


def tensors_of(tree):
    return [leaf for leaf in pytree.tree_flatten(tree)[0] if isinstance(leaf, torch.Tensor)]


def losses_of(program, x):
    module = program.module()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = module(x).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)


def write(name, module, inputs, others=None, sizes=None, training=False, decomposed=False, trains=False, traces=False):
    """`others`: inputs of other sizes."""
    module.train(training)
    program = torch.export.export(module, inputs, dynamic_shapes=sizes)
    if decomposed:
        program = program.run_decompositions()
    data = io.BytesIO()
    torch.export.save(program, data)
    (FOLDER / f"{name}.pt2").write_bytes(data.getvalue() if traces else without_traces(data))
    for i, of in enumerate([inputs] + ([others] if others else [])):
        for j, tensor in enumerate(tensors_of(of)):
            ARRAYS[f"{name}.x{i}_{j}"] = tensor
        with torch.no_grad():
            results = copy.deepcopy(program).module()(*of) if training else module(*of)
        for j, tensor in enumerate(tensors_of(results)):
            ARRAYS[f"{name}.y{i}_{j}"] = tensor
    if trains:
        ARRAYS[name + ".losses"] = losses_of(copy.deepcopy(program), tensors_of(others or inputs)[0])
        for key, tensor in program.state_dict.items():
            ARRAYS[f"{name}.state.{key}"] = tensor.detach()


def bytes_of(tensor):
    form = {torch.float32: "f", torch.int64: "q"}[tensor.dtype]
    values = tensor.contiguous().flatten().tolist()
    return struct.pack(f"<{len(values)}{form}", *values)


def write_arrays():
    header, data = {}, b""
    for name, tensor in ARRAYS.items():
        content = bytes_of(tensor)
        header[name] = {"dtype": {torch.float32: "F32", torch.int64: "I64"}[tensor.dtype],
                        "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    (FOLDER / "expected.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def add(archive, name, content):
    """In the folder that PyTorch's writer has them in."""
    packed = zipfile.ZIP_DEFLATED if name.endswith(".json") else zipfile.ZIP_STORED
    archive.writestr(zipfile.ZipInfo("newer/" + name), content, packed)


def meta_of(tensor):
    def number(value):
        return {"as_int": value}
    return {"dtype": {torch.float32: 7, torch.int64: 5}[tensor.dtype], "sizes": [number(n) for n in tensor.shape],
            "requires_grad": tensor.requires_grad, "device": {"type": "cpu", "index": None},
            "strides": [number(n) for n in tensor.stride()], "storage_offset": number(tensor.storage_offset()),
            "layout": 7}


def write_newer(name, pickled):
    """The archive of PyTorch 2.8, which has the tensors pickled, or of 2.9."""
    with zipfile.ZipFile(FOLDER / "residual.pt2") as old, zipfile.ZipFile(FOLDER / f"{name}.pt2", "w") as new:
        program = json.loads(old.read(PROGRAM))
        program["schema_version"]["minor"] = 14
        program["torch_version"] = "2.9.0"
        program["guards_code"] = []
        for node in program["graph_module"]["graph"]["nodes"]:
            node["is_hop_single_tensor_return"] = None
            for argument in node["inputs"]:
                argument["kind"] = 1
        state = torch.load(io.BytesIO(old.read("serialized_state_dict.pt")), weights_only=True)
        add(new, "archive_format", "pt2")
        add(new, "models/model.json", json.dumps(program))
        add(new, "archive_version", "0")
        if pickled:
            add(new, "data/weights/model.pt", old.read("serialized_state_dict.pt"))
            add(new, "data/constants/model.pt", old.read("serialized_constants.pt"))
        else:
            config = {}
            for i, (key, tensor) in enumerate(state.items()):
                if key == "fc.weight":  # one whose elements do not lie in a row
                    tensor = tensor.t().contiguous().t()
                add(new, f"data/weights/weight_{i}", bytes_of(tensor.as_strided((tensor.numel(),), (1,))))
                config[key] = {"path_name": f"weight_{i}", "is_param": "running" not in key and "num" not in key,
                               "use_pickle": False, "tensor_meta": meta_of(tensor)}
            add(new, "data/weights/model_weights_config.json", json.dumps({"config": config}))
            add(new, "data/constants/model_constants_config.json", json.dumps({"config": {}}))
        add(new, "data/sample_inputs/model.pt", old.read("serialized_example_inputs.pt"))
        add(new, "byteorder", "little")
        add(new, "version", "3\n")


torch.manual_seed(0)
os.makedirs(FOLDER, exist_ok=True)
batch, length, keys = (Dim(name, min=1, max=1000) for name in ("batch", "length", "keys"))
randn = torch.randn
write("residual", Residual(), (randn(2, 3, 4, 4),), (randn(3, 3, 4, 4),), ({0: batch},), trains=True)
write("fixed", nn.Sequential(nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3), nn.ReLU()), (randn(2, 2, 4),), (randn(3, 2, 4),), decomposed=True, traces=True)
write("normed", Normed(), (randn(4, 3),), training=True, trains=True)
write("normed_decomposed", Normed(), (randn(4, 3),), training=True, decomposed=True)
write("words", Words(), ({"ids": torch.randint(0, 10, (2, 3))},), ({"ids": torch.randint(0, 10, (5, 3))},),
      {"tokens": {"ids": {0: batch}}})
write("attention", Attention(), (randn(2, 3, 4), randn(2, 5, 4)), (randn(3, 6, 4), randn(3, 2, 4)),
      ({0: batch, 1: length}, {0: batch, 1: keys}))
write("recurrent", Recurrent(), (randn(2, 4, 3),), (randn(3, 4, 3),), ({0: batch},))
write("in_place", InPlace(), (randn(2, 3),), (randn(4, 3),), ({0: batch},))
write("pieces", Pieces(), (randn(2, 3, 2, 3),), (randn(3, 3, 2, 3),), ({0: batch},))
write("cond", Cond(), (randn(2, 3),))
write("counts", Counts(), (randn(2, 3),))
write_newer("newer", pickled=False)
write_newer("newer_pickled", pickled=True)
write_arrays()
