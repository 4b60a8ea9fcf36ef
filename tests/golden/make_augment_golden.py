#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes augment_golden.h: what torchvision's changes of colours, rotations and antialiased sizes give in the cases of
tests/nn/train, the order of its ImageFolder, and scores by their formulas in numpy. Made with PyTorch 1.13, torchvision
0.14.

    /usr/bin/python3 tests/golden/make_augment_golden.py > tests/golden/augment_golden.h
"""
import os
import tempfile
import warnings

import numpy as np
import torch
import torchvision
from torchvision import transforms as T
from torchvision.transforms import functional as F
from torchvision.transforms.functional import InterpolationMode

warnings.simplefilter("ignore")


def integers(name, values):
    print(f"inline const std::vector<std::int64_t> {name} = {{{', '.join(str(int(v)) for v in values)}}};")


def floats(name, values):
    values = ", ".join(repr(float(x)) for x in np.asarray(values).flatten())
    print(f"inline const std::vector<double> {name} = {{{values}}};")


def strings(name, values):
    values = ", ".join(f'"{x}"' for x in values)
    print(f"inline const std::vector<std::string> {name} = {{{values}}};")


def colours(dtype):
    """[3, 5, 6]: numbers from 0 to 1, some grey pixels, black and white ones; or bytes."""
    numbers = (torch.arange(3 * 5 * 6).reshape(3, 5, 6) * 29 % 97).double() / 97
    numbers[:, 0, 0] = 0
    numbers[:, 0, 1] = 1
    numbers[:, 1, 2:4] = 0.25
    return (numbers * 255).round().to(torch.uint8) if dtype == torch.uint8 else numbers.to(dtype)


def draws(name, transform, image):
    weights = torch.arange(1, 1 + 4096, dtype=torch.float64)
    torch.manual_seed(17)
    images = [transform(image) for _ in range(12)]
    floats(f"k{name}Sums", [float((i.double().flatten() * weights[:i.numel()]).sum()) for i in images])
    floats(f"k{name}Last", images[-1])
    integers(f"k{name}Left", torch.randint(1000000, (2,)))


def color():
    for name, dtype in {"Float": torch.float32, "Double": torch.float64, "Bytes": torch.uint8}.items():
        image = colours(dtype)
        floats(f"kImage{name}", image)
        for factor in 0.0, 0.6, 1.7:
            suffix = f"{name}{int(factor * 10)}"
            floats(f"kBrightness{suffix}", F.adjust_brightness(image, factor))
            floats(f"kContrast{suffix}", F.adjust_contrast(image, factor))
            floats(f"kSaturation{suffix}", F.adjust_saturation(image, factor))
            floats(f"kHue{suffix}", F.adjust_hue(image, factor / 4))
        floats(f"kGrey{name}", F.rgb_to_grayscale(image))
    image = colours(torch.float32)
    draws("Jitter", T.ColorJitter(0.4, (0.5, 1.5), 0.3, 0.2), image)
    draws("JitterHue", T.ColorJitter(hue=(-0.1, 0.4)), image)
    draws("JitterNone", T.ColorJitter(), image)
    draws("JitterGrey", T.ColorJitter(0.4, 0.5, 0.3, 0.2), image[:1])
    draws("Grayscale", T.RandomGrayscale(0.4), image)
    draws("Apply", T.RandomApply([T.ColorJitter(0.4), T.RandomHorizontalFlip()], 0.6), image)


def rotations():
    image = (torch.arange(2 * 7 * 10, dtype=torch.float32).reshape(2, 7, 10) * 37 % 101) / 8
    bilinear = InterpolationMode.BILINEAR
    for name, arguments in {
        "Nearest": dict(angle=33.0),
        "Bilinear": dict(angle=-100.5, interpolation=bilinear),
        "Expanded": dict(angle=25.0, interpolation=bilinear, expand=True),
        "ExpandedSteep": dict(angle=81.0, expand=True),
        "Centred": dict(angle=40.0, interpolation=bilinear, center=[2.0, 3.0]),
        "Filled": dict(angle=33.0, fill=[1.5, -2.0]),
        "FilledBilinear": dict(angle=33.0, interpolation=bilinear, fill=[1.5, -2.0]),
    }.items():
        result = F.rotate(image, **arguments)
        floats(f"kRotate{name}", result)
        integers(f"kRotate{name}Size", result.shape)
    floats("kRotateBytes", F.rotate((image * 8).to(torch.uint8), 33.0, interpolation=bilinear))
    draws("Rotation", T.RandomRotation(30, interpolation=bilinear), image)
    draws("RotationRange", T.RandomRotation((10, 170), expand=True, fill=3), image)


def sizes():
    image = (torch.arange(2 * 13 * 17, dtype=torch.float32).reshape(2, 13, 17) * 37 % 101) / 8
    for name, size in {"Smaller": (5, 6), "Shorter": 4, "Larger": (20, 23), "Mixed": (4, 30)}.items():
        floats(f"kAntialias{name}", F.resize(image, size, antialias=True))
    floats("kAntialiasDouble", F.resize(image.double(), (3, 4), antialias=True))
    draws("AntialiasCrop", T.RandomResizedCrop((3, 4), antialias=True), image)


def folder():
    names = ["b/2.png", "b/10.png", "b/Z.JPG", "b/a.jpeg", "b/sub/1.ppm", "b/sub/deep/x.bmp", "b/z.txt", "a b/1.webp",
             "a/9.tiff", "a/.png", "\u00e9/1.png", "C/1.pgm", "loose.png"]
    with tempfile.TemporaryDirectory() as root:
        for name in names:
            os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
            open(os.path.join(root, name), "w").close()
        dataset = torchvision.datasets.ImageFolder(root)
        strings("kFolderFiles", names)
        strings("kFolderClasses", dataset.classes)
        strings("kFolderSamples", [f"{label} {os.path.relpath(path, root)}" for path, label in dataset.samples])


def scores():
    random = np.random.RandomState(12)
    targets, predictions = random.randint(0, 4, 50), random.randint(0, 4, 50)
    predictions[:20] = targets[:20]
    integers("kTargets", targets)
    integers("kPredictions", predictions)
    tp = np.array([np.sum((targets == c) & (predictions == c)) for c in range(4)])
    fp = np.array([np.sum((targets != c) & (predictions == c)) for c in range(4)])
    fn = np.array([np.sum((targets == c) & (predictions != c)) for c in range(4)])
    support = np.bincount(targets, minlength=4)
    onehot_t, onehot_p = np.eye(4)[targets], np.eye(4)[predictions]
    covariance = lambda a, b: np.sum((a - a.mean(0)) * (b - b.mean(0)))
    matthews = covariance(onehot_t, onehot_p) / np.sqrt(covariance(onehot_t, onehot_t) * covariance(onehot_p, onehot_p))
    floats("kWeighted", [np.sum(2 * tp / (2 * tp + fp + fn) * support) / 50, matthews])

    values = random.randint(0, 15, (50, 4)) / 4
    floats("kScores", values)
    auc = []
    for c in range(4):
        positive, negative = values[targets == c, c], values[targets != c, c]
        auc.append(np.mean([(a > b) + (a == b) / 2 for a in positive for b in negative]))
    floats("kClassAuc", auc)
    kinds, score = (targets == 1).astype(int), values[:, 1]
    precision, recall = [], [0.0]
    for threshold in sorted(set(score), reverse=True):
        taken = score >= threshold
        precision.append(kinds[taken].sum() / taken.sum())
        recall.append(kinds[taken].sum() / kinds.sum())
    floats("kAveragePrecision", [np.sum(np.diff(recall) * precision)])

    wanted, guessed = random.randn(30) + 3, random.randn(30) + 4
    errors = wanted - guessed
    floats("kWanted", wanted)
    floats("kGuessed", guessed)
    floats("kErrors", [np.max(np.abs(errors)), np.mean(np.abs(errors) / np.abs(wanted)), np.mean(errors),
                       1 - np.var(errors) / np.var(wanted)])


print(f"""// SPDX-License-Identifier: MIT
// Written by make_augment_golden.py with PyTorch {torch.__version__}, torchvision {torchvision.__version__}. Do not edit.
// clang-format off
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace teff::golden::augment {{
""")
for part in color, rotations, sizes, folder, scores:
    part()
print("\n}  // namespace teff::golden::augment")
