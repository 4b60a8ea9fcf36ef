#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes fashion-mnist/: the first images of each class of Debian's dataset-fashion-mnist, in their order, as gzip'd
IDX files of the same names. Usage: make_subset.py [FOLDER]"""
import gzip
import pathlib
import struct
import sys

SOURCE = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/datasets/fashion-mnist")
TARGET = pathlib.Path(__file__).parent / "fashion-mnist"
PER_CLASS = {"train": 100, "t10k": 25}


def read(name, dims):
    """The elements of an IDX file of unsigned bytes, one bytes object for each entry of the first dimension."""
    raw = gzip.decompress((SOURCE / name).read_bytes())
    zero, dtype, rank, *sizes = struct.unpack_from(f">HBB{dims}I", raw)
    assert (zero, dtype, rank) == (0, 8, dims), name
    data = raw[4 + 4 * dims:]
    step = len(data) // sizes[0]
    return [data[i * step:(i + 1) * step] for i in range(sizes[0])]


def write(name, entries, sizes):
    raw = struct.pack(f">HBB{1 + len(sizes)}I", 0, 8, 1 + len(sizes), len(entries), *sizes) + b"".join(entries)
    (TARGET / name).write_bytes(gzip.compress(raw, 9, mtime=0))


TARGET.mkdir(exist_ok=True)
for part, count in PER_CLASS.items():
    images = read(f"{part}-images-idx3-ubyte.gz", 3)
    labels = read(f"{part}-labels-idx1-ubyte.gz", 1)
    taken = {}
    picked = []
    for i, label in enumerate(labels):
        taken[label] = taken.get(label, 0) + 1
        if taken[label] <= count:
            picked.append(i)
    write(f"{part}-images-idx3-ubyte.gz", [images[i] for i in picked], (28, 28))
    write(f"{part}-labels-idx1-ubyte.gz", [labels[i] for i in picked], ())
    print(f"{part}: {len(picked)} images")
