#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Goes on in PyTorch with the training of a network that Teff trained, and hands it back. Neither side has its class.

    teff convert entire_model.teff net.pt                     # that of the main job, as a TorchScript archive
    python3 continue_training.py net.pt continued.pt [FOLDER WITH FASHION-MNIST]
    teff convert continued.pt continued.teff --input-type float32:4x3x32x32
    load_without_class continued.teff

Needs PyTorch 1.13 or later.
"""
import gzip
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F


def read(folder, part):
    """Pictures [N, 3, 32, 32] as the main job has them, and their classes."""
    def numbers(name, offset):
        path = folder / f"{part}-{name}-ubyte.gz"
        return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=offset)
    grey = torch.from_numpy(numbers("images-idx3", 16).reshape(-1, 1, 28, 28).astype(np.float32)) / 127.5 - 1
    labels = torch.from_numpy(numbers("labels-idx1", 8).astype(np.int64))
    return F.pad(grey, (2, 2, 2, 2), value=-1.0).expand(-1, 3, -1, -1), labels


def accuracy(net, pictures, labels):
    net.eval()
    with torch.no_grad():
        found = [net(batch).argmax(1) for batch in pictures.split(500)]
    return 100 * (torch.cat(found) == labels).float().mean().item()


def main():
    source, target = sys.argv[1:3]
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(__file__).parents[1] / "data" / "fashion-mnist"
    torch.manual_seed(0)
    net = torch.jit.load(source)
    (pictures, labels), test = read(folder, "train"), read(folder, "t10k")
    print(net, f"\naccuracy {accuracy(net, *test):.2f} %")
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0002, momentum=0.9)
    net.train()
    for epoch in range(3):
        losses = []
        for batch in torch.randperm(len(labels)).split(32):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(pictures[batch]), labels[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}")
    print(f"accuracy {accuracy(net, *test):.2f} %")
    net.train()
    torch.jit.save(net, target)


main()
