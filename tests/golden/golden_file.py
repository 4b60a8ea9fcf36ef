# SPDX-License-Identifier: MIT
"""Writes the text files that tests/support/golden.h reads.

A file is a list of cases, a case a dictionary. A line is `key kind value...`; dots in a key nest:

    case conv2d: stride (2, 1)
    op text conv2d
    attributes.stride ints 2 1
    inputs.0 tensor float64 2,3 0.5 -1 2 0 0.25 1
"""
import torch


def one_line(value):
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"bool {value}"
    if isinstance(value, int):
        return f"int {value}"
    if isinstance(value, float):
        return f"float {value!r}"
    if isinstance(value, str):
        return "text " + value.replace("\\", "\\\\").replace("\n", "\\n")
    if isinstance(value, (list, tuple)):
        return " ".join(["ints", *map(str, value)])
    if isinstance(value, torch.Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        shape = ",".join(map(str, value.shape)) or "-"
        values = value.detach().reshape(-1).tolist()
        as_text = "{:.10g}".format if value.is_floating_point() else (lambda v: str(int(v)))
        return " ".join(["tensor", dtype, shape, *map(as_text, values)])
    raise TypeError(type(value))


def lines(key, value):
    if isinstance(value, dict):
        for name, entry in value.items():
            yield from lines(f"{key}.{name}" if key else str(name), entry)
    else:
        yield f"{key} {one_line(value)}"


def write(path, cases):
    """cases: pairs of a name and a dictionary."""
    with open(path, "w") as file:
        for name, entries in cases:
            file.write(f"case {name}\n")
            for line in lines("", entries):
                file.write(line + "\n")
