#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes print.golden: tensors and how PyTorch prints them.

    python3 make_print_golden.py
"""
from pathlib import Path

import torch

from golden_file import write

nan, inf = float("nan"), float("inf")
generator = torch.Generator().manual_seed(0)

tensors = {
    "whole numbers": torch.tensor([1.0, 2, 3]),
    "fractions and a sign": torch.tensor([1.5, -2.25]),
    "a matrix": torch.tensor([[1.0, 2], [3, 4]]),
    "three dimensions": torch.arange(8).reshape(2, 2, 2),
    "four dimensions": torch.arange(16.0).reshape(2, 2, 2, 2) / 8,
    "a number": torch.tensor(3.5),
    "a whole number": torch.tensor(7),
    "a truth value": torch.tensor(True),
    "nothing": torch.tensor([]),
    "no rows": torch.zeros(0, 3),
    "no columns": torch.zeros(2, 0),
    "no integers": torch.zeros(0, dtype=torch.int64),
    "no columns of doubles": torch.zeros(2, 0, dtype=torch.float64),
    "integers of different width": torch.tensor([1, 20, -3]),
    "truth values": torch.tensor([True, False]),
    "small and large": torch.tensor([1e-5, 1.0]),
    "a small number": torch.tensor(1e-8),
    "large": torch.tensor([1e10, 1.0]),
    "whole, of different size": torch.tensor([1.0, 2000]),
    "whole, just not too different": torch.tensor([1.0, 1000]),
    "1e8": torch.tensor([1e8, 1e8]),
    "not finite": torch.tensor([nan, inf, -inf, 1.5]),
    "not finite beside whole numbers": torch.tensor([nan, 1.0]),
    "nothing finite": torch.tensor([nan, inf]),
    "different size": torch.tensor([0.1, 1000.0]),
    "zeros": torch.zeros(2, 3),
    "negative zero": torch.tensor([-0.0, 0.0]),
    "long lines are wrapped": torch.arange(30.0) / 7,
    "long lines of integers are wrapped": torch.arange(30),
    "wrapped rows": torch.arange(60.0).reshape(2, 30) / 7,
    "many": torch.arange(1001),
    "many rows": torch.arange(2000).reshape(40, 50),
    "many matrices": torch.arange(1320.0).reshape(3, 22, 20),
    "as many as are shown": torch.arange(1000).reshape(250, 4),
    "float64": torch.tensor([1.0, 2], dtype=torch.float64),
    "float16": torch.tensor([1.0, 2], dtype=torch.float16),
    "bfloat16": torch.tensor([1.0, 2.5], dtype=torch.bfloat16),
    "uint8": torch.tensor([1, 200], dtype=torch.uint8),
    "int8": torch.tensor([[-1, 100]], dtype=torch.int8),
    "random": torch.randn(3, 4, generator=generator),
    "a suffix that does not fit in the line": torch.arange(10.0, dtype=torch.float64) / 7,
}
write(Path(__file__).with_name("print.golden"),
      [(name, {"tensor": tensor, "text": str(tensor)}) for name, tensor in tensors.items()])
