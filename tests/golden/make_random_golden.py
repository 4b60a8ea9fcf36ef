#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes random_golden.h: what PyTorch draws on the CPU.

    python3 make_random_golden.py > random_golden.h

The numbers in the repository are those of PyTorch 1.13.1 on x86-64 with AVX2; without AVX2 the last bits of the
float normals differ.
"""
import torch

SEEDS = [0, 1, 42, 2**40 + 5]
LENGTHS = [1, 2, 15, 16, 17, 31, 100, 1000]
f32, f64, i64 = torch.float32, torch.float64, torch.int64

# The calls whose results are compared bit for bit; random_test.cpp has the same names.
CHECKED = {
    "kUniformFloat": lambda n: torch.empty(n, dtype=f32).uniform_(),
    "kUniformDouble": lambda n: torch.empty(n, dtype=f64).uniform_(),
    "kScaledFloat": lambda n: torch.empty(n, dtype=f32).uniform_(-0.31, 0.77),
    "kScaledDouble": lambda n: torch.empty(n, dtype=f64).uniform_(-0.31, 0.77),
    "kDropoutMask": lambda n: (torch.nn.functional.dropout(torch.ones(n), 0.3) != 0).float(),
    "kRandint": lambda n: torch.randint(-5, 1000, (n,)),
    "kRandintWide": lambda n: torch.randint(-(2**40), 2**41, (n,)),
    "kRandomFull": lambda n: torch.empty(n, dtype=i64).random_(),
    "kRandperm": lambda n: torch.randperm(n),
    "kNormalBlocks": lambda n: torch.empty(n, dtype=f32).normal_(0.3, 1.7) if n >= 16 else torch.empty(0),
}

# A program of mixed calls: the cached sample, the change of type, blocks with a tail.
PROGRAM = {
    "normal_float_3": (f32, lambda: torch.empty(3).normal_()),
    "normal_float_3_again": (f32, lambda: torch.empty(3).normal_()),
    "normal_float_1": (f32, lambda: torch.empty(1).normal_(1.5, 0.25)),
    "uniform_float_2": (f32, lambda: torch.empty(2).uniform_()),
    "normal_double_3": (f64, lambda: torch.empty(3, dtype=f64).normal_(-2.0, 3.0)),
    "normal_float_17": (f32, lambda: torch.empty(17).normal_()),
    "normal_double_2": (f64, lambda: torch.empty(2, dtype=f64).normal_()),
    "normal_double_19": (f64, lambda: torch.empty(19, dtype=f64).normal_(0.5, 2.0)),
    "uniform_double_2": (f64, lambda: torch.empty(2, dtype=f64).uniform_(-1.0, 1.0)),
    "bernoulli_8": (f32, lambda: torch.empty(8).bernoulli_(0.25)),
    "randint_4": (i64, lambda: torch.randint(0, 10, (4,))),
    "random_2": (i64, lambda: torch.empty(2, dtype=i64).random_()),
    "randperm_10": (i64, lambda: torch.randperm(10)),
}


def checksum(data):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def drawn_checksum(seed, n, draw):
    torch.manual_seed(seed)
    return checksum(draw(n).numpy().tobytes())


def literals(tensor):
    """Literals that read back as the same numbers."""
    suffix = "f" if tensor.dtype == f32 else ""
    return ", ".join(str(v) + suffix for v in tensor.numpy())


def write_program():
    types = {f32: "float", f64: "double", i64: "std::int64_t"}
    sizes = {name: (types[dtype], draw().numel()) for name, (dtype, draw) in PROGRAM.items()}
    print("// One run of the program of mixed calls, in this order, and the checksum of torch.get_rng_state() after it.")
    print("struct RandomProgram {\n  std::uint64_t seed;")
    for name, (type_name, size) in sizes.items():
        print(f"  std::array<{type_name}, {size}> {name};")
    print("  std::uint64_t state_checksum;\n};\n")
    print("inline constexpr RandomProgram kRandomPrograms[] = {")
    for seed in SEEDS:
        torch.manual_seed(seed)
        print(f"    {{.seed = {seed}u,")
        for name, (_, draw) in PROGRAM.items():
            print(f"     .{name} = {{{literals(draw())}}},")
        print(f"     .state_checksum = {checksum(torch.get_rng_state().numpy().tobytes()):#x}u}},")
    print("};\n")


def write_checksums():
    print(f"enum class RandomCall {{ {', '.join(CHECKED)} }};\n")
    print("// The checksum of the n numbers that the call draws just after manual_seed(seed): FNV-1a of their bytes.")
    print("struct RandomChecksum {\n  RandomCall call;\n  std::uint64_t seed;\n  std::int64_t n;")
    print("  std::uint64_t checksum;\n};\n")
    print("inline constexpr RandomChecksum kRandomChecksums[] = {")
    for name, draw in CHECKED.items():
        for seed in SEEDS:
            for n in LENGTHS:
                if draw(n).numel() == n:
                    print(f"    {{RandomCall::{name}, {seed}u, {n}, {drawn_checksum(seed, n, draw):#x}u}},")
    print(f"    {{RandomCall::kRandperm, 0u, 60000, {drawn_checksum(0, 60000, torch.randperm):#x}u}},")
    print("};\n")


print("// SPDX-License-Identifier: MIT")
print("// Written by make_random_golden.py. Do not edit.")
print("// clang-format off")
print("#pragma once\n\n#include <array>\n#include <cstdint>\n\nnamespace teff::golden {\n")
write_program()
write_checksums()
print("}  // namespace teff::golden")
