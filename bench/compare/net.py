# SPDX-License-Identifier: MIT
"""The networks in PyTorch by name; with manual_seed(0) they get the weights that Teff's get. A new one is one line."""
import sys
from pathlib import Path

import torchvision

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "golden"))
from recipe_net import Net  # noqa: E402

MODELS = {
    "net": Net,
    "resnet18": torchvision.models.resnet18,
    "mobilenet_v2": torchvision.models.mobilenet_v2,
}
