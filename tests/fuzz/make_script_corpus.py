#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes corpus/script and corpus/script_code: small TorchScript archives of PyTorch 1.13, and code of theirs.

    /usr/bin/python3 tests/fuzz/make_script_corpus.py
"""
import io
import warnings
import zipfile
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

warnings.simplefilter("ignore")
FOLDER = Path(__file__).parent / "corpus"
torch.manual_seed(0)


class Loops(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, x: Tensor, times: int = 2):
        parts: List[Tensor] = []
        for i in range(times):
            x = self.fc(x) if i % 2 == 0 else torch.relu(x)
            parts.append(x)
        n = x.size(0)
        while n < 4:
            n += 1
            if n > 100:
                break
        for part in parts:
            x = x + part * n
        if x.dim() != 2:
            return x
        return torch.cat(parts[:1] + [x], dim=1)


class InPlace(nn.Module):
    def forward(self, x: Tensor):
        y = torch.zeros_like(x).copy_(x)
        y.add_(x, alpha=2).relu_()
        y.masked_fill_(y > 1, 0.5)
        return y


class Turned(nn.Module):
    """In place, another shape."""

    def forward(self, x: Tensor):
        y = x * 2
        return y.transpose_(0, 1), y.unsqueeze_(0)


class Parts(nn.Module):
    """Of one tensor, changed in place."""

    def forward(self, x: Tensor):
        y = x * 2
        y[0] = 1
        y[:, 1:].mul_(2)
        z = y.view(-1)
        z += 1
        return y, z


class Pair(NamedTuple):
    first: Tensor
    second: Optional[Tensor]


class Containers(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 2), nn.ReLU()])
        self.sizes: List[int] = [1, 2]

    def forward(self, x: Tensor, other: Optional[Tensor] = None) -> Dict[str, Tensor]:
        for layer in self.layers:
            x = layer(x)
        pair = Pair(x, other)
        second = pair.second
        if second is not None:
            x = x + second
        assert len(self.sizes) > 1, "expected {} sizes".format(2)
        table: Dict[str, Tensor] = {"x": x}
        table["sum"] = table["x"].sum([i - 1 for i in self.sizes], keepdim=True)
        both: Tuple[Tensor, int] = (x, 2)
        if both[1] > 3:
            raise ValueError("no")
        return table


class Shapes(nn.Module):
    def forward(self, x):
        n, c, h, w = x.shape
        y = x.view(n, c, h * w).permute(0, 2, 1).reshape(-1, c)
        a, b = torch.split(y, [1, c - 1], dim=1)
        z = torch.stack(torch.chunk(x, 2, dim=3)).unbind(0)[0].expand(n, c, h, w // 2)
        return torch.cat([a, b], 1), F.interpolate(z, scale_factor=2.0), x[:, -1:, ::2].flatten(1).squeeze(0)


class Constants(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(5, 4)
        self.register_buffer("places", torch.arange(3).view(1, 3))

    def forward(self, x):
        mask = torch.triu(torch.ones(3, 3), diagonal=1).bool()
        y = self.table(x) + self.table(self.places)
        scores = (y @ y.transpose(1, 2) / 2).masked_fill(mask, float("-inf"))
        return torch.softmax(scores, -1) @ y + torch.tensor([1.0, 2.0, 3.0, 4.0])


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 2, batch_first=True, bidirectional=True)

    def forward(self, x):
        y, (h, _) = self.lstm(x)
        return y[:, -1], h


class Gru(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 2)

    def forward(self, x: Tensor, start: Optional[Tensor] = None):
        return self.gru(x, start)[0]


def image_net():
    return nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Dropout(0.5), nn.Linear(8, 2)).eval()


def write(name, module, method=zipfile.ZIP_STORED):
    """Without the notes for debuggers, which are most of an archive."""
    data = io.BytesIO()
    torch.jit.save(module, data)
    path = FOLDER / "script" / f"{name}.pt"
    with zipfile.ZipFile(data) as old, zipfile.ZipFile(path, "w", method) as new:
        for entry in old.namelist():
            if entry.endswith(".debug_pkl"):
                continue
            content = old.read(entry)
            new.writestr(zipfile.ZipInfo(entry), content, method)
            if entry.endswith("code/__torch__.py"):
                (FOLDER / "script_code" / f"{name}.py").write_bytes(content)
    assert path.stat().st_size < 6000, (name, path.stat().st_size)


for folder in ("script", "script_code"):
    (FOLDER / folder).mkdir(parents=True, exist_ok=True)
image = torch.rand(2, 1, 4, 4)
write("loops", torch.jit.script(Loops()))
write("in_place", torch.jit.script(InPlace()))
write("turned", torch.jit.script(Turned()))
write("parts", torch.jit.script(Parts()))
write("containers", torch.jit.script(Containers()))
write("shapes", torch.jit.trace(Shapes(), torch.rand(2, 3, 4, 4)))
write("shapes_scripted", torch.jit.script(Shapes()), zipfile.ZIP_DEFLATED)
write("constants", torch.jit.trace(Constants().eval(), torch.tensor([[0, 1, 2]])))
write("lstm", torch.jit.trace(Lstm().eval(), torch.rand(2, 4, 3)))
write("gru", torch.jit.script(Gru().eval()), zipfile.ZIP_DEFLATED)
write("traced", torch.jit.trace(image_net(), image), zipfile.ZIP_DEFLATED)
write("norm", torch.jit.script(nn.BatchNorm1d(2, momentum=None)))
write("frozen", torch.jit.freeze(torch.jit.script(image_net())))
write("attention", torch.jit.trace(nn.MultiheadAttention(2, 1).eval(), [torch.rand(3, 1, 2)] * 3))
