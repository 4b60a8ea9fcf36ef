#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes data_golden.h: what PyTorch's samplers and torchvision's transforms do in the cases of tests/nn/data/sampler_test.cpp
and transforms_test.cpp. Made with PyTorch 1.13 and torchvision 0.14, built without MKL.

    /usr/bin/python3 tests/golden/make_data_golden.py > tests/golden/data_golden.h
"""
import warnings

import torch
import torchvision
from torch.utils.data import DataLoader, Dataset, DistributedSampler, TensorDataset
from torch.utils.data import RandomSampler, SubsetRandomSampler, WeightedRandomSampler
from torchvision import transforms as T
from torchvision.transforms import functional as F

warnings.simplefilter("ignore")
WEIGHTS = [0.1, 2.0, 0.0, 0.7, 1.3, 0.25, 3.0, 0.0, 1e-3, 0.6]


def integers(name, values):
    print(f"inline const std::vector<std::int64_t> {name} = {{{', '.join(str(int(v)) for v in values)}}};")


def floats(name, tensor):
    values = ", ".join(repr(float(x)) for x in tensor.flatten().tolist())
    print(f"inline const std::vector<double> {name} = {{{values}}};")


def multinomial():
    weights = torch.tensor(WEIGHTS, dtype=torch.float64)
    for name, arguments in {"": (40, True), "Once": (8, False), "Single": (1, True)}.items():
        torch.manual_seed(21)
        integers(f"kMultinomial{name}", torch.cat([torch.multinomial(weights, *arguments) for _ in range(2)]))
        integers(f"kMultinomial{name}Left", torch.randint(1000000, (2,)))


def samplers():
    """Two epochs, then what is left in the generators."""
    dataset = TensorDataset(torch.arange(10))
    for name, make in {
        "RandomReplaced": lambda g: RandomSampler(dataset, True, 70, generator=g),
        "RandomMore": lambda g: RandomSampler(dataset, num_samples=25, generator=g),
        "RandomTwice": lambda g: RandomSampler(dataset, num_samples=20, generator=g),
        "SubsetRandom": lambda g: SubsetRandomSampler([9, 1, 4, 4, 0], generator=g),
        "Weighted": lambda g: WeightedRandomSampler(WEIGHTS, 40, generator=g),
        "WeightedOnce": lambda g: WeightedRandomSampler(WEIGHTS, 7, False, generator=g),
    }.items():
        for suffix, generator in {"": None, "Own": torch.Generator().manual_seed(11)}.items():
            torch.manual_seed(7)
            loader = DataLoader(dataset, batch_size=4, sampler=make(generator), generator=generator)
            integers(f"k{name}{suffix}", [i for _ in range(2) for (batch,) in loader for i in batch])
            integers(f"k{name}{suffix}Left", [*torch.randint(1000000, (2,)),
                                              *torch.randint(1000000, (2,), generator=generator)])


def distributed():
    """By options, then epoch, then rank: the indices."""
    print("struct DistributedCase {\n  std::int64_t examples, num_replicas;\n  bool shuffle, drop_last;\n"
          "  std::int64_t epoch, rank;\n  std::vector<std::int64_t> order;\n};")
    print("inline const std::vector<DistributedCase> kDistributed = {")
    for examples, replicas in [(10, 3), (12, 4), (2, 5), (7, 1)]:
        for shuffle, drop_last in [(False, False), (True, False), (True, True)]:
            for epoch in [0, 2]:
                for rank in range(replicas):
                    sampler = DistributedSampler(range(examples), replicas, rank, shuffle, 5, drop_last)
                    sampler.set_epoch(epoch)
                    order = ", ".join(map(str, sampler))
                    flags = f"{str(shuffle).lower()}, {str(drop_last).lower()}"
                    print(f"    {{{examples}, {replicas}, {flags}, {epoch}, {rank}, {{{order}}}}},")
    print("};")


class Images(Dataset):
    """Images [2, 4, 5] of numbers that tell where they come from."""

    def __init__(self, dtype, transform):
        self.images = (torch.arange(11 * 40) % 251).view(11, 2, 4, 5).to(dtype)
        self.transform = transform

    def __len__(self):
        return 11

    def __getitem__(self, index):
        return self.transform(self.images[index])


def transforms():
    """Two epochs of three batches, one by each worker."""
    for name, dtype, transform in [
        ("kCropped", torch.float32, T.Compose([T.RandomCrop((3, 4), padding=2, fill=-1), T.RandomHorizontalFlip(0.3)])),
        ("kReflected", torch.uint8, T.Compose([T.RandomHorizontalFlip(),
                                               T.RandomCrop((5, 5), padding=(1, 2), padding_mode="reflect")])),
    ]:
        torch.manual_seed(7)
        loader = DataLoader(Images(dtype, transform), batch_size=4, shuffle=True, num_workers=3)
        integers(name, torch.cat([batch.flatten() for _ in range(2) for batch in loader]))
    image = (torch.arange(24) * 10).view(2, 3, 4).to(torch.uint8)
    floats("kConverted", T.ConvertImageDtype(torch.float32)(image))
    floats("kNormalized", T.Normalize([0.4914, 0.2], [0.247, 0.6])(T.ConvertImageDtype(torch.float32)(image)))
    for name, options in {
        "kPadded": ((1, 2, 3, 0), 7),
        "kPaddedEdge": ((2, 1), 0, "edge"),
        "kPaddedReflect": (1, 0, "reflect"),
    }.items():
        integers(name, T.Pad(*options)(image).flatten())
    integers("kFlipped", F.hflip(image).flatten())


print("// SPDX-License-Identifier: MIT")
print(f"// Written by make_data_golden.py with PyTorch {torch.__version__}, torchvision {torchvision.__version__}. "
      "Do not edit.")
print("// clang-format off")
print("#pragma once\n\n#include <cstdint>\n#include <vector>\n\nnamespace teff::golden {\n")
for part in [multinomial, samplers, distributed, transforms]:
    part()
    print()
print("}  // namespace teff::golden")
