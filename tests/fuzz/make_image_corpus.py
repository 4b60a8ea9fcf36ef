#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes corpus/image: a small picture of each kind that the decoders tell apart.

    /usr/bin/python3 tests/fuzz/make_image_corpus.py
"""
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).parent / "corpus" / "image"
FOLDER.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(0)


def noise(*shape):
    return random.integers(0, 256, shape, dtype=np.uint8)


rgb = Image.fromarray(noise(9, 7, 3))
rgba = Image.fromarray(noise(5, 6, 4), "RGBA")
grey = rgb.convert("L")
y, x = np.mgrid[0:20, 0:36]
smooth = Image.fromarray(np.stack([x * 7, y * 12, x + y], 2).astype(np.uint8))

for name, picture, options in [
    ("rgb.png", rgb, {}),
    ("rgba.png", rgba, {}),
    ("grey.png", grey, {}),
    ("grey_alpha.png", rgba.convert("LA"), {}),
    ("one_bit.png", grey.convert("1"), {}),
    ("sixteen_bits.png", Image.fromarray(noise(6, 5, 2).view(np.uint16)[:, :, 0]), {}),
    ("palette.png", rgb.quantize(13), {}),
    ("palette_alpha.png", rgb.quantize(5), {"transparency": 2}),
    ("rgb_transparent.png", rgb, {"transparency": (1, 2, 3)}),
    ("stored.png", rgb, {"compress_level": 0}),
    ("smooth.jpg", smooth, {}),
    ("half_chroma.jpg", smooth, {"subsampling": 1}),
    ("full_chroma.jpg", smooth, {"subsampling": 0}),
    ("progressive.jpg", smooth, {"progressive": True}),
    ("optimized.jpg", smooth, {"optimize": True, "quality": 95}),
    ("grey.jpg", smooth.convert("L"), {}),
    ("cmyk.jpg", smooth.convert("CMYK"), {}),
    ("rgb.ppm", rgb, {}),
    ("grey.pgm", grey, {"format": "PPM"}),
]:
    picture.save(FOLDER / name, **options)
