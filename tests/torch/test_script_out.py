# SPDX-License-Identifier: MIT
"""PyTorch runs and trains what Teff wrote as TorchScript:
    python3 test_script_out.py PARTNER [--networks] [unittest's options]

Samples of all operations, small networks and, with --networks, all of the zoo. With --prepared=FOLDER in place of the
partner the files are those of a folder that the partner wrote before: for a PyTorch on another machine.
"""
import re
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

import torch

NETWORKS = "--networks" in sys.argv
sys.argv = [word for word in sys.argv if word != "--networks"]
PARTNER = sys.argv.pop(1)
PREPARED = PARTNER.partition("=")[2] if PARTNER.startswith("--prepared=") else ""
RATE = 0.01
# Operations that are refused, and the options with which.
REFUSED = {"recurrent_layer": "'has_lengths': True"}
# Operations whose derivative is another in PyTorch: that of ctc_loss takes its input for one of log_softmax.
OTHER_GRADIENTS = {"ctc_loss"}


def tensors_in(value):
    return [value] if isinstance(value, torch.Tensor) else list(value)


def is_close(a, b, tolerance, size=0.0):
    """Up to a part of the largest number, or of that size if it is larger."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if not a.dtype.is_floating_point:
        return torch.equal(a, b)
    a, b = a.double(), b.double()
    finite = b[torch.isfinite(b)]
    size = max(size, finite.abs().max().item() if finite.numel() else 0)
    return torch.allclose(a, b, rtol=tolerance, atol=tolerance * size, equal_nan=True)


def tree_of(text):
    """Of a print of Teff's or of PyTorch's: how deep each module stands, its name and its class."""
    text = re.sub(r"RecursiveScriptModule\(\s*original_name=", "", text)
    return re.findall(r"^( *)\((\w+)\): (\w+)", text, re.MULTILINE)


class ScriptOutTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        warnings.filterwarnings("ignore")

    def files_of(self, *words):
        """A folder, and (number, name, refusal) of each network in it."""
        name = "-".join(words)
        if PREPARED:
            folder = Path(PREPARED) / name
            lines = (folder / "list").read_text()
        else:
            made = tempfile.TemporaryDirectory()
            self.addCleanup(made.cleanup)
            folder = Path(made.name)
            verb, *rest = words
            lines = subprocess.run([PARTNER, verb, folder, *rest], capture_output=True, text=True, check=True).stdout
        parts = [line.split("\t") for line in lines.splitlines()]
        return folder, [(number, name, "".join(refusal)) for number, name, *refusal in parts]

    def check_close(self, mine, theirs, tolerance, what):
        self.assertEqual(len(mine), len(theirs))
        for i, (x, y) in enumerate(zip(mine, theirs)):
            self.assertTrue(is_close(x, y, tolerance), f"{what} {i}: {x}\n{y}")

    def check_network(self, path, answer, tolerance, trains=True):
        module = torch.jit.load(str(path))
        before, after = answer["before"], answer["state_dict"]
        state = module.state_dict()
        self.assertEqual(list(state), list(before))
        for key in before:
            self.assertTrue(torch.equal(state[key], before[key]), key)
            self.assertEqual(state[key].dtype, before[key].dtype)
        self.assertFalse(module.training)
        if tree_of(answer["printed"]):  # else only keys name the modules
            self.assertEqual(tree_of(repr(module)), tree_of(answer["printed"]))
        self.assertEqual(module.original_name, answer["printed"].partition("(")[0])
        with torch.no_grad():
            self.check_close(tensors_in(module(*answer["inputs"])), answer["outputs"], tolerance, "output")
            for more in answer["more"]:
                self.check_close(tensors_in(module(*more["inputs"])), more["outputs"], tolerance, "output at other sizes")
        dtype = getattr(torch, answer["dtype"])
        module.to(dtype).train(answer["train"])
        state = module.state_dict()
        outputs = tensors_in(module(*[x.to(dtype) if x.dtype.is_floating_point else x for x in answer["inputs"]]))
        self.check_close([y.detach() for y in outputs], answer["train_outputs"], tolerance, "output in training")
        parts = [(y * torch.cos(torch.arange(y.numel()).double()).to(y.dtype).view_as(y)).sum().double()
                 for y in outputs if y.requires_grad]
        self.assertEqual(bool(parts), bool(answer["gradients"]))
        if parts and trains:
            sum(parts).backward()
            gradients = {name: p.grad for name, p in module.named_parameters() if p.grad is not None}
            size = max(g[torch.isfinite(g)].abs().max().item() for g in answer["gradients"].values())
            for key, gradient in answer["gradients"].items():
                mine = gradients.get(key)
                if mine is None:
                    self.assertFalse(gradient.any(), key)
                else:
                    self.assertTrue(is_close(mine, gradient, 10 * tolerance, size), f"gradient of {key}: {mine}\n{gradient}")
            torch.optim.SGD(module.parameters(), lr=RATE).step()
        else:
            size = 0.0
        for key in after if trains else ():
            self.assertTrue(is_close(state[key], after[key], 10 * tolerance, RATE * size), f"{key}: {state[key]}\n{after[key]}")

    def check_all(self, words, tolerance=1e-5):
        folder, networks = self.files_of(*words)
        self.assertTrue(networks)
        for number, name, refusal in networks:
            with self.subTest(network=name):
                if refusal:
                    op = name.partition(" ")[0]
                    self.assertIn(op, refusal)
                    self.assertIn(REFUSED.get(op, "none"), name)
                    continue
                self.check_network(folder / f"{number}.pt", torch.load(folder / f"{number}.answer.pt"), tolerance,
                                   name.partition(" ")[0] not in OTHER_GRADIENTS)

    def test_samples(self):
        self.check_all(("samples",))

    def test_nets(self):
        self.check_all(("nets",))

    def test_tied(self):
        folder, _ = self.files_of("nets")
        module = torch.jit.load(str(folder / "tied.pt"))
        weights = [p for p in module.parameters() if p.shape == (11, 6)]
        self.assertEqual(len(weights), 1)
        state = module.state_dict()
        self.assertEqual(state["words.weight"].data_ptr(), state["out.weight"].data_ptr())

    def test_modes(self):
        folder, _ = self.files_of("nets")
        module = torch.jit.load(str(folder / "dropping.pt"))
        x = torch.rand(10, 100, 5) + 1
        drop, planes, *_ = module(x)
        self.assertTrue(torch.equal(drop, x) and torch.equal(planes, x))
        module.train()
        drop, planes, *_ = module(x)
        self.assertAlmostEqual((drop == 0).float().mean().item(), 0.5, delta=0.1)
        self.assertTrue(torch.equal(drop[drop != 0], 2 * x[drop != 0]))
        self.assertTrue(((planes == 0).all(2) | (planes == 2 * x).all(2)).all())
        module.drop.eval()  # one of them alone
        drop, planes, *_ = module(x)
        self.assertTrue(torch.equal(drop, x))
        self.assertTrue((planes == 0).any())

    def test_moves(self):
        """What PyTorch does with its own archives: copies, other dtypes, saves, freezes."""
        folder, _ = self.files_of("nets")
        module = torch.jit.load(str(folder / "heads.pt"))
        inputs = torch.load(folder / "heads.answer.pt")["inputs"]
        expected = module(*inputs)[0]
        module.save(str(folder / "again.pt"))
        again = torch.jit.load(str(folder / "again.pt"))
        self.assertTrue(torch.equal(again(*inputs)[0], expected))
        self.assertTrue(is_close(torch.jit.freeze(again)(*inputs)[0], expected, 1e-5))
        self.assertTrue(is_close(module.double()(*[x.double() for x in inputs])[0].float(), expected, 1e-5))

    @unittest.skipUnless(NETWORKS, "takes minutes")
    def test_zoo(self):
        if PREPARED:
            names = [path.name[4:] for path in sorted(Path(PREPARED).glob("zoo-*"))]
        else:
            names = subprocess.run([PARTNER, "zoo", "."], capture_output=True, text=True, check=True).stdout.split()
        for name in names:
            self.check_all(("zoo", name), 1e-4)


if __name__ == "__main__":
    unittest.main()
