#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes nn_golden.h: what PyTorch 1.13 prints, draws and computes in the cases of tests/nn/.

    /usr/bin/python3 tests/golden/make_nn_golden.py > tests/golden/nn_golden.h
"""
import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

from recipe_net import Net

warnings.simplefilter("ignore")


class TwoLines(nn.Module):
    def extra_repr(self):
        return "a=1\nb=2"


class Mixed(nn.Module):
    """Extra representation and children."""

    def __init__(self):
        super().__init__()
        self.inner = TwoLines()
        self.blocks = nn.ModuleList([nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh())), nn.ModuleList()])

    def extra_repr(self):
        return "scale=2"


class Small(nn.Module):
    """Parameters declared after children, a buffer between them."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, bias=False)
        self.bn = nn.BatchNorm2d(2)
        self.register_buffer("offset", torch.zeros(1))
        self.scale = nn.Parameter(torch.ones(2))


def text(s):
    return 'R"(' + s + ')"'


def number(x):
    return repr(float(x))


def floats(name, tensor):
    values = ", ".join(number(x) for x in tensor.detach().flatten().tolist())
    print(f"inline const std::vector<double> {name} = {{{values}}};")


def integers(name, values):
    print(f"inline const std::vector<std::int64_t> {name} = {{{', '.join(str(v) for v in values)}}};")


def texts(name, values):
    print(f"inline const std::vector<std::string> {name} = {{")
    for value in values:
        print("    " + text(value) + ",")
    print("};")


def fnv(tensor):
    """FNV-1a of the bytes."""
    h = 14695981039346656037
    for byte in tensor.detach().contiguous().numpy().tobytes():
        h = (h ^ byte) * 1099511628211 % 2**64
    return h


def printed():
    texts("kPrinted", [str(m) for m in [
        nn.Conv2d(3, 6, 5),
        nn.Conv2d(4, 8, (3, 5), stride=(2, 1), padding=(1, 2), dilation=(2, 3), groups=4, bias=False),
        nn.Conv2d(3, 6, 1, padding=1),
        nn.MaxPool2d(2, 2), nn.MaxPool2d((3, 2)), nn.MaxPool2d(3, (2, 1), padding=1, dilation=2, ceil_mode=True),
        nn.AvgPool2d(2), nn.AvgPool2d((3, 2), 2, (1, 0), True, False, 3),
        nn.Linear(3, 4), nn.Linear(3, 4, bias=False),
        nn.ReLU(), nn.LeakyReLU(), nn.LeakyReLU(0.2), nn.LeakyReLU(1.0), nn.LeakyReLU(1e-5), nn.LeakyReLU(123456789.0),
        nn.Sigmoid(), nn.Tanh(), nn.Softmax(1), nn.Softmax(dim=-1),
        nn.BatchNorm2d(8), nn.BatchNorm2d(8, 1e-3, None, False, False), nn.BatchNorm2d(8, momentum=0.01),
        nn.Dropout(), nn.Dropout(0.25), nn.Dropout(0.0), nn.Flatten(), nn.Flatten(0, 2), nn.Identity(),
        nn.CrossEntropyLoss(), nn.NLLLoss(), nn.MSELoss(reduction="sum"), nn.Sequential(), nn.ModuleList(),
        nn.Sequential(nn.Linear(1, 2), nn.Sequential(nn.ReLU())), TwoLines(), nn.Sequential(TwoLines()), Mixed(), Net(),
    ]])


def init():
    torch.manual_seed(0)
    names, hashes = [], []
    for name, tensor in Net().state_dict().items():
        names.append(name)
        hashes.append(fnv(tensor))
    texts("kNetKeys", names)
    print(f"inline const std::vector<std::uint64_t> kNetHashes = {{{', '.join(f'{h}u' for h in hashes)}}};")
    texts("kSmallKeys", Small().state_dict())
    texts("kSmallParameters", [name for name, _ in Small().named_parameters()])
    torch.manual_seed(3)
    layer = nn.Conv2d(4, 6, (2, 3), groups=2)
    print(f"inline constexpr std::uint64_t kGroupedConvHash = {fnv(layer.weight)}u, kGroupedConvBiasHash = {fnv(layer.bias)}u;")
    for seed, (name, fill) in enumerate({
        "kKaimingUniform": lambda t: nn.init.kaiming_uniform_(t, mode="fan_out", nonlinearity="relu"),
        "kKaimingNormal": lambda t: nn.init.kaiming_normal_(t, a=0.3),
        "kXavierUniform": lambda t: nn.init.xavier_uniform_(t, gain=nn.init.calculate_gain("tanh")),
        "kXavierNormal": nn.init.xavier_normal_,
    }.items()):
        torch.manual_seed(seed)
        floats(name, fill(torch.empty(2, 3, 2, 2)))


def load_errors():
    def message(module, state_dict):
        try:
            module.load_state_dict(state_dict)
        except RuntimeError as error:
            return str(error)

    state = dict(Small().state_dict())
    del state["scale"], state["bn.weight"]
    state["conv.weight"] = torch.zeros(2, 1, 5, 5)
    state["offset"] = torch.zeros(())
    state["head.bias"] = torch.zeros(1)
    state["extra"] = torch.zeros(1)
    print(f"inline const std::string kLoadError = {text(message(Small(), state))};")
    state = dict(Small().state_dict())
    del state["bn.num_batches_tracked"]
    model = Small()
    model.bn.num_batches_tracked += 5
    report = model.load_state_dict(state)
    assert model.bn.num_batches_tracked == 0
    print(f"inline const std::string kLoadReport = {text(str(report))};")
    state["extra"] = torch.zeros(1)
    del state["scale"]
    print(f"inline const std::string kPartialReport = {text(str(model.load_state_dict(state, strict=False)))};")


def batch_norm():
    for name, momentum in [("kRunning", 0.1), ("kCumulative", None)]:
        bn = nn.BatchNorm2d(2, momentum=momentum)
        x = torch.arange(12, dtype=torch.float32).reshape(3, 2, 1, 2)
        for step in range(3):
            bn(x * (step + 1) - step)
        floats(name + "Mean", bn.running_mean)
        floats(name + "Var", bn.running_var)


def sgd():
    variants = [
        dict(lr=0.1), dict(lr=0.1, momentum=0.9), dict(lr=0.1, momentum=0.9, dampening=0.25),
        dict(lr=0.1, weight_decay=0.5), dict(lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
        dict(lr=0.1, momentum=0.5, weight_decay=0.125, maximize=True),
    ]
    rows = []
    for options in variants:
        p = nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
        run(torch.optim.SGD([p], **options), [p])
        rows.append(p)
    floats("kSgd", torch.stack(rows))
    a, b = nn.Parameter(torch.tensor([1.0, -2.0, 0.5])), nn.Parameter(torch.tensor([3.0, 4.0]))
    optimizer = torch.optim.SGD([{"params": [a], "lr": 0.01}, {"params": [b], "momentum": 0.9}], lr=0.1)
    run(optimizer, [a, b])
    floats("kSgdGroups", torch.cat([a, b, optimizer.state[b]["momentum_buffer"]]))


def run(optimizer, parameters):
    for step in range(5):
        for p in parameters:
            p.grad = torch.tensor([0.25 * (i + 1) - 0.125 * step for i in range(p.numel())])
        optimizer.step()


def training():
    torch.manual_seed(0)
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    images, labels = torch.randn(4, 3, 32, 32), torch.tensor([3, 1, 4, 1])
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss)
    floats("kLosses", torch.stack(losses))


def data_loader():
    dataset = TensorDataset(torch.arange(10))
    for name, options in [
        ("kOrdered", dict(batch_size=3)),
        ("kShuffled", dict(batch_size=3, shuffle=True)),
        ("kDropped", dict(batch_size=4, shuffle=True, drop_last=True)),
        ("kWithGenerator", dict(batch_size=5, shuffle=True, generator=torch.Generator().manual_seed(11))),
    ]:
        torch.manual_seed(7)
        loader = DataLoader(dataset, **options)
        integers(name, [i for _ in range(2) for (batch,) in loader for i in batch.tolist()])
        left = torch.randint(1000000, (2,)).tolist()
        if "generator" in options:
            left += torch.randint(1000000, (2,), generator=options["generator"]).tolist()
        integers(name + "Left", left)


print("// SPDX-License-Identifier: MIT")
print(f"// Written by make_nn_golden.py with PyTorch {torch.__version__}. Do not edit.")
print("// clang-format off")
print("#pragma once\n\n#include <cstdint>\n#include <string>\n#include <vector>\n\nnamespace teff::golden {\n")
for part in [printed, init, load_errors, batch_norm, sgd, training, data_loader]:
    part()
    print()
print("}  // namespace teff::golden")
