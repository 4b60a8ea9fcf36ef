# SPDX-License-Identifier: MIT
"""torchvision's networks that Python pickled whole give what they give in Python, whatever takes them:
    python3 test_entire.py PARTNER [NAME...]

Without names some of each family; PARTNER is script_partner.
"""
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

import torch
import torchvision

PARTNER, NAMES = sys.argv[1], sys.argv[2:]
FAMILIES = ("alexnet convnext_tiny densenet121 efficientnet_b0 efficientnet_v2_s mnasnet0_5 mobilenet_v2 mobilenet_v3_small "
            "regnet_x_400mf regnet_y_400mf resnet18 resnet50 shufflenet_v2_x0_5 squeezenet1_1 vgg11_bn").split()
TOLERANCE = 1e-5


def make(name):
    """The network with statistics that a mistake would show."""
    torch.manual_seed(0)
    net = getattr(torchvision.models, name)(num_classes=10)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return net.eval()


class EntireTest(unittest.TestCase):
    def answer(self, folder, verb, net, given):
        paths = [folder / name for name in ("net.pt", "given.pt", "answer.pt")]
        torch.save(net, paths[0])
        torch.save(given, paths[1])
        told = subprocess.run([PARTNER, verb, *map(str, paths)], capture_output=True, text=True)
        self.assertEqual(told.returncode, 0, told.stderr or told.stdout)
        return torch.load(paths[2])

    def check_close(self, mine, theirs):
        scale = theirs.abs().max().item()
        self.assertGreater(scale, 0)
        self.assertLess((mine - theirs).abs().max().item(), TOLERANCE * scale)

    def test_networks(self):
        warnings.simplefilter("ignore")
        with tempfile.TemporaryDirectory() as name:
            for network in NAMES or FAMILIES:
                with self.subTest(network=network), torch.no_grad():
                    net, images = make(network), torch.randn(2, 3, 64, 64)
                    answer = self.answer(Path(name), "guess", net, {"inputs": [images], "more": [[images[:1]]]})
                    self.check_close(answer["outputs"][0], net(images))
                    self.check_close(answer["more"][0][0], net(images[:1]))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
