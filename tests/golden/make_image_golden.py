#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes images.golden: picture files, and what PIL and torchvision make of them.

    /usr/bin/python3 tests/golden/make_image_golden.py
"""
import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode

from golden_file import write

random = np.random.default_rng(0)


def noise(height, width, channels=3):
    """A picture of which every pixel counts."""
    return random.integers(0, 256, (height, width, channels), dtype=np.uint8)


def smooth(height, width):
    """One that survives JPEG."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (height + width)], 2).astype(np.uint8)


def to_tensor(picture):
    return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)


def file_case(picture, name, **options):
    buffer = io.BytesIO()
    picture.save(buffer, format={"jpg": "JPEG", "pgm": "PPM"}.get(name.split(".")[1], name.split(".")[1]), **options)
    content = buffer.getvalue()
    bytes_ = torch.tensor(list(content), dtype=torch.uint8)
    return f"file {name}", {"name": name, "bytes": bytes_, "pixels": to_tensor(Image.open(io.BytesIO(content)))}


def resize_case(picture, height, width):
    resized = picture.resize((width, height), Image.Resampling.BILINEAR)
    return f"resize to {height} x {width}", {"picture": to_tensor(picture), "size": [height, width],
                                             "result": to_tensor(resized)}


def preset_case(picture, resize, crop):
    recipe = transforms.Compose([
        transforms.Resize(resize, interpolation=InterpolationMode.BILINEAR), transforms.CenterCrop(crop),
        transforms.ToTensor(), transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
    return f"preset {picture.size} {resize} {crop}", {"picture": to_tensor(picture), "resize": resize, "crop": crop,
                                                      "result": recipe(picture)}


rgb = Image.fromarray(noise(11, 17))
wide, tall = Image.fromarray(noise(13, 29)), Image.fromarray(noise(30, 12))
write(Path(__file__).parent / "images.golden", [
    file_case(rgb, "rgb.png"),
    file_case(rgb.convert("L"), "grey.png"),
    file_case(Image.fromarray(noise(5, 7, 4), "RGBA"), "alpha.png"),
    file_case(rgb.quantize(16), "palette.png"),
    file_case(rgb, "rgb.ppm"),
    file_case(rgb.convert("L"), "grey.pgm"),
    file_case(Image.fromarray(smooth(24, 40)), "smooth.jpg", quality=90),
    file_case(Image.fromarray(smooth(24, 40)), "progressive.jpg", progressive=True),
    file_case(Image.fromarray(smooth(24, 40)).convert("L"), "grey.jpg"),
    file_case(Image.fromarray(smooth(24, 40)).convert("CMYK"), "inks.jpg"),
    *(resize_case(wide, *size) for size in [(5, 7), (13, 29), (40, 8), (6, 70), (1, 1), (64, 64), (13, 10)]),
    *(preset_case(picture, *sizes) for picture in (wide, tall) for sizes in [(8, 7), (9, 6), (16, 16), (20, 13)]),
])
