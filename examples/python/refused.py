#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A file that torch.load refuses, opened: a network was saved whole, and the program with its class is gone.

    python3 refused.py TEFF          # TEFF: the command; writes lost.pt, weights.pt and weights.safetensors here
"""
import subprocess
import sys

SAVE = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.features = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU())
        self.head = torch.nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))

torch.save(Net(), "lost.pt")
"""
LOAD = """
import torch
print(torch.load("lost.pt"))
"""


def tell(command, *words):
    done = subprocess.run([command, *words], text=True, capture_output=True)
    print("$", " ".join(word if "\n" not in word else "..." for word in (command, *words)))
    print((done.stdout if done.returncode == 0 else done.stderr.strip().splitlines()[-1]).strip() + "\n")


def main():
    teff = sys.argv[1]
    subprocess.run([sys.executable, "-c", SAVE], check=True)
    tell(sys.executable, "-c", LOAD)  # it wants the class
    tell(teff, "show", "lost.pt")  # which Teff does not: the tree as Python prints it, and the state dict
    for target in ("weights.pt", "weights.safetensors"):
        tell(teff, "convert", "lost.pt", target, "--state-dict")
    tell(sys.executable, "-c", "import torch; print(list(torch.load('weights.pt')))")


main()
