# SPDX-License-Identifier: MIT
"""The networks of examples/models beside torchvision's: python3 test_torchvision.py PARTNER [unittest's options]

Weights and images are made here, of a seed: files of them would be some hundred megabytes.
"""
import os
import subprocess
import sys
import tempfile
import unittest
from collections import OrderedDict
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
sys.path.insert(0, str(GOLDEN))
from recipe_net import Net  # noqa: E402

PARTNER = sys.argv.pop(1)
CLASSES = 10


class LeNet5(nn.Sequential):
    """What examples/models/lenet5.h says."""

    def __init__(self):
        super().__init__(OrderedDict(
            conv1=nn.Conv2d(1, 6, 5), tanh1=nn.Tanh(), pool1=nn.AvgPool2d(2),
            conv2=nn.Conv2d(6, 16, 5), tanh2=nn.Tanh(), pool2=nn.AvgPool2d(2),
            conv3=nn.Conv2d(16, 120, 5), tanh3=nn.Tanh(), flatten=nn.Flatten(),
            fc1=nn.Linear(120, 84), tanh4=nn.Tanh(), fc2=nn.Linear(84, CLASSES)))


def make(name):
    """The network that the partner makes, with the same seed."""
    torch.manual_seed(0)
    if name in ("net", "lenet5"):
        return Net() if name == "net" else LeNet5()
    return getattr(torchvision.models, name)(num_classes=CLASSES)


def partner(*words):
    """What it prints."""
    done = subprocess.run([PARTNER, *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{words}: status {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


@torch.no_grad()
def as_if_trained(model, images):
    """Gives biases and batch norm values that a mistake with them would show: statistics that images leave behind."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.uniform_(0.5, 1.5)
            module.momentum = 1.0  # not saved
        if getattr(module, "bias", None) is not None:
            module.bias.normal_(0, 0.1)
    model(images)
    return model


class TorchvisionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.channels = {name: int(image[0]) for name, *image in map(str.split, partner("names").splitlines())}
        # CMake says so for the sanitizers: a VGG's 140 million weights, drawn, saved and loaded, take them minutes.
        cls.skipped = {name for name in cls.channels if name.startswith("vgg") and os.environ.get("TEFF_SKIP_VGG")}

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.given, self.answer = Path(folder.name) / "given.pt", Path(folder.name) / "answer.pt"

    def make_images(self, name, batch):
        torch.manual_seed(0)  # the same in every run, whatever was tested before
        size = 32 if name in ("net", "lenet5") else 64
        return torch.randn(batch, self.channels[name], size, size)

    def check_start(self, name):
        model = make(name)
        partner("start", name, self.answer)
        answer = torch.load(self.answer)
        self.assertEqual(list(answer["state_dict"]), list(model.state_dict()))
        for key, value in model.state_dict().items():
            mine = answer["state_dict"][key]
            self.assertEqual((mine.dtype, mine.shape), (value.dtype, value.shape), key)
            self.assertTrue(torch.allclose(mine, value, rtol=1e-5, atol=1e-7), key)
        self.assertTrue(torch.equal(answer["next"], torch.rand(4)))  # nothing more and nothing less was drawn
        self.assertEqual(answer["printed"], str(model))

    def check_scores(self, name):
        images = self.make_images(name, 4)
        model = as_if_trained(make(name), images).eval()
        torch.save({"state_dict": model.state_dict(), "images": images}, self.given)
        with torch.no_grad():
            single, exact = model(images).double(), model.double()(images.double())
        del model
        partner("eval", name, self.given, self.answer)
        answer = torch.load(self.answer)
        size = (exact - exact.mean(0)).norm()  # beside what the images have in common
        self.assertLess((answer["float64"] - exact).norm(), 1e-9 * size)
        # In float32 1e-4, or twice what PyTorch's own scores are off if its rounding comes to more than that.
        allowed = max(1e-4 * size, 2 * (single - exact).norm())
        self.assertLess((answer["float32"] - exact).norm(), allowed)

    def check_step(self, name):
        """In double precision, where no rounding moves a value to the other side of a ReLU."""
        images, labels = self.make_images(name, 4).double(), torch.tensor([3, 1, 4, 1])
        model = as_if_trained(make(name).double(), images)
        torch.save({"state_dict": model.state_dict(), "images": images, "labels": labels}, self.given)
        for module in model.modules():
            module.momentum = 0.1
        torch.manual_seed(0)  # of dropout
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        partner("step", name, self.given, self.answer)
        answer = torch.load(self.answer)
        self.assertAlmostEqual(answer["loss"], loss.item(), delta=1e-9 * loss.item())
        self.assertEqual(list(answer["gradients"]), [key for key, _ in model.named_parameters()])
        # Some are zero but for rounding: of a bias that batch norm takes away.
        smallest = 1e-12 * sum(p.grad.norm() ** 2 for p in model.parameters()) ** 0.5
        for key, parameter in model.named_parameters():
            error = (answer["gradients"][key] - parameter.grad).norm()
            self.assertLess(error, smallest + 1e-9 * parameter.grad.norm(), key)
        for key, value in model.state_dict().items():  # running statistics
            self.assertTrue(torch.allclose(answer["state_dict"][key], value, rtol=1e-9), key)

    def test_the_seed_gives_the_same_weights_under_the_same_keys_and_the_same_print(self):
        self.assertEqual(len(self.channels), 12)
        for name in sorted(self.channels.keys() - self.skipped):
            with self.subTest(model=name):
                self.check_start(name)

    def test_the_same_scores_in_evaluation_mode(self):
        for name in sorted(self.channels.keys() - self.skipped):
            with self.subTest(model=name):
                self.check_scores(name)

    def test_the_same_gradients_in_training_mode(self):
        for name in ("resnet18", "mobilenet_v2"):
            with self.subTest(model=name):
                self.check_step(name)


if __name__ == "__main__":
    unittest.main()
