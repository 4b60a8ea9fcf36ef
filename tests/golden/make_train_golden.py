#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes train_golden.h: what PyTorch's random_split and torchvision's transforms give in the cases of tests/nn/train,
scores by their formulas in numpy, and the bytes of a TensorBoard event file. Made with PyTorch 1.13, torchvision 0.14.

    /usr/bin/python3 tests/golden/make_train_golden.py > tests/golden/train_golden.h
"""
import struct
import warnings

import numpy as np
import torch
import torchvision
from torch.utils.data import TensorDataset, random_split
from torchvision import transforms as T
from torchvision.transforms import functional as F

warnings.simplefilter("ignore")


def integers(name, values):
    print(f"inline const std::vector<std::int64_t> {name} = {{{', '.join(str(int(v)) for v in values)}}};")


def floats(name, values):
    values = ", ".join(repr(float(x)) for x in np.asarray(values).flatten())
    print(f"inline const std::vector<double> {name} = {{{values}}};")


def splits():
    dataset = TensorDataset(torch.arange(11))
    torch.manual_seed(5)
    parts = random_split(dataset, [6, 0, 5])
    integers("kSplit", [i for part in parts for i in part.indices])
    integers("kSplitLeft", torch.randint(1000000, (2,)))
    integers("kSplitOwn", [i for part in random_split(dataset, [4, 7], torch.Generator().manual_seed(3))
                           for i in part.indices])
    integers("kSplitLengths", [len(part) for part in random_split(dataset, [0.35, 0.35, 0.3])])


def transforms():
    """By transform: the sum over many draws of some pixels' weighted sums, the last image, what is left."""
    image = (torch.arange(2 * 9 * 12, dtype=torch.float32).reshape(2, 9, 12) * 37 % 101) / 8
    weights = torch.arange(1, 1 + 2 * 9 * 12, dtype=torch.float64)
    for name, transform in {
        "VerticalFlip": T.RandomVerticalFlip(0.3),
        "ResizedCrop": T.RandomResizedCrop((5, 6)),
        "ResizedCropRare": T.RandomResizedCrop((4, 4), scale=(0.9, 1.0), ratio=(3.0, 4.0)),
        "ResizedCropTall": T.RandomResizedCrop((4, 4), scale=(0.9, 1.0), ratio=(0.2, 0.25)),
        "Erasing": T.RandomErasing(0.6),
        "ErasingChannels": T.RandomErasing(0.9, (0.1, 0.5), (0.5, 2.0), [1.5, -2.0]),
        "ErasingNormal": T.RandomErasing(1.0, (0.1, 0.9), value="random"),
    }.items():
        torch.manual_seed(31)
        images = [transform(image) for _ in range(20)]
        floats(f"k{name}Sums", [float((i.double().flatten() * weights[:i.numel()]).sum()) for i in images])
        floats(f"k{name}Last", images[-1])
        integers(f"k{name}Left", torch.randint(1000000, (2,)))
    for name, size in {"Smaller": (4, 7), "Larger": (12, 15), "Mixed": (4, 15), "Odd": (6, 9)}.items():
        floats(f"kCenterCrop{name}", F.center_crop(image, size))
    for name, size in {"Exact": (5, 7), "Shorter": 5, "Longer": 13}.items():
        floats(f"kResize{name}", F.resize(image, size))
    floats("kResizeBytes", F.resize(image.double() * 8, (4, 5)))  # not yet rounded: float32 decides about halves


def scores():
    random = np.random.RandomState(9)
    targets, predictions = random.randint(0, 4, 60), random.randint(0, 4, 60)
    integers("kTargets", targets)
    integers("kPredictions", predictions)
    tp = np.array([np.sum((targets == c) & (predictions == c)) for c in range(4)])
    fp = np.array([np.sum((targets != c) & (predictions == c)) for c in range(4)])
    fn = np.array([np.sum((targets == c) & (predictions != c)) for c in range(4)])
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)  # 0 where both are 0
    floats("kF1", f1)
    floats("kIou", tp / (tp + fp + fn))
    micro = [tp.sum() / (tp.sum() + fp.sum()), tp.sum() / (tp.sum() + fn.sum())]
    floats("kMeans", [precision.mean(), recall.mean(), f1.mean(), 2 * micro[0] * micro[1] / sum(micro),
                      (tp / (tp + fp + fn)).mean()])
    kinds, values = random.randint(0, 2, 40), random.randint(0, 12, 40) / 4
    integers("kKinds", kinds)
    floats("kValues", values)
    pairs = [(a > b) + (a == b) / 2 for a in values[kinds == 1] for b in values[kinds == 0]]
    floats("kAuc", [np.mean(pairs)])
    wanted, guessed = random.randn(30) + 100, random.randn(30) + 100
    floats("kWanted", wanted)
    floats("kGuessed", guessed)
    errors = wanted - guessed
    floats("kRegression", [np.mean(errors ** 2), np.sqrt(np.mean(errors ** 2)), np.mean(np.abs(errors)),
                           1 - np.sum(errors ** 2) / np.sum((wanted - wanted.mean()) ** 2)])


def crc32c(data):
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283


def masked(data):
    crc = crc32c(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def record(event):
    length = struct.pack("<Q", len(event))
    return length + masked(length) + event + masked(event)


def varint(value):
    value &= 2 ** 64 - 1
    out = bytearray()
    while value > 127:
        out.append(value % 128 + 128)
        value //= 128
    return bytes(out + bytes([value]))


def scalar(time, tag, value, step):
    tag = tag.encode()
    inner = b"\x0a" + varint(len(tag)) + tag + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + varint(len(inner)) + inner
    return record(b"\x09" + struct.pack("<d", time) + (b"\x10" + varint(step) if step else b"") +
                  b"\x2a" + varint(len(summary)) + summary)


def events():
    version = record(b"\x09" + struct.pack("<d", 1700000000.25) + b"\x1a\x0dbrain.Event:2")
    data = version + scalar(1700000000.25, "loss/train", 0.1, 0) + scalar(1700000000.25, "\u00e9" * 70, -3.5, 300) + \
        scalar(1700000000.25, "x", float("inf"), -1)
    integers("kEvents", data)


print(f"""// SPDX-License-Identifier: MIT
// Written by make_train_golden.py with PyTorch {torch.__version__}, torchvision {torchvision.__version__}. Do not edit.
// clang-format off
#pragma once

#include <cstdint>
#include <vector>

namespace teff::golden::train {{
""")
for part in splits, transforms, scores, events:
    part()
print("\n}  // namespace teff::golden::train")
