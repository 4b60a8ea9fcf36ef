# SPDX-License-Identifier: MIT
"""PyTorch reads what Teff wrote, and Teff what PyTorch wrote: python3 test_torch.py PARTNER [unittest's options]"""
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import unittest
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
sys.path.insert(0, str(GOLDEN))
from recipe_net import Net  # noqa: E402

PARTNER = sys.argv.pop(1)
OPTIONS = dict(lr=0.01, momentum=0.9, weight_decay=1e-4)


def partner(*words):
    """What it prints if it refuses, else nothing."""
    done = subprocess.run([PARTNER, *map(str, words)], capture_output=True, text=True)
    if done.returncode > 1 or done.returncode < 0:
        raise RuntimeError(f"{words}: status {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def train(checkpoint, steps):
    """What the partner's `train` does."""
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=1)
    net.load_state_dict(checkpoint["model_state_dict"])
    optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(checkpoint["images"]), checkpoint["labels"])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {**checkpoint, "model_state_dict": net.state_dict(), "optimizer_state_dict": optimizer.state_dict(),
            "losses": losses}


class TorchTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def check_same(self, a, b, place=""):
        """The same values in the same order, with Python's lists for tuples."""
        if isinstance(a, torch.Tensor):
            self.assertEqual((a.dtype, a.shape), (b.dtype, b.shape), place)
            raw = [t.contiguous().reshape(-1).view(torch.uint8) if t.dim() and t.numel() else t for t in (a, b)]
            self.assertTrue(torch.equal(*raw), place)
        elif isinstance(a, dict):
            self.assertEqual([str(key) for key in a], [str(key) for key in b], place)
            for (key, x), y in zip(a.items(), b.values()):
                self.check_same(x, y, f"{place}/{key}")
        elif isinstance(a, (list, tuple, set)):
            self.assertEqual(len(a), len(b), place)
            for i, (x, y) in enumerate(zip(a, b)):
                self.check_same(x, y, f"{place}[{i}]")
        else:
            self.assertEqual((type(a), a), (type(b), b), place)

    def check_close(self, a, b, tolerance):
        for x, y in zip(a, b):
            self.assertTrue(torch.allclose(torch.as_tensor(x), torch.as_tensor(y), rtol=tolerance, atol=tolerance), (x, y))

    def convert(self, value, suffix=".pt", **options):
        """The value, saved by PyTorch, loaded and saved by Teff, and loaded by PyTorch."""
        torch.save(value, self.folder / "in.pt", **options)
        self.assertEqual(partner("convert", self.folder / "in.pt", self.folder / ("out" + suffix)), "")
        if suffix != ".pt":
            self.assertEqual(partner("convert", self.folder / ("out" + suffix), self.folder / "out.pt"), "")
        return torch.load(self.folder / "out.pt")

    def test_a_state_dict_goes_and_comes_back(self):
        torch.manual_seed(1)
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2)))
        state = model.state_dict()
        for options in [{}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 4}]:
            for suffix in [".pt", ".teff"]:
                back = self.convert(state, suffix, **options)
                self.assertIsInstance(back, OrderedDict)
                self.check_same(state, back)
                self.assertEqual(state._metadata, back._metadata)
        self.check_same(state, torch.load(self.folder / "out.pt", weights_only=True))
        model.load_state_dict(back)
        self.assertEqual({k: back[k].tolist() for k in back},
                         {k: v.tolist() for k, v in self.convert(state, ".safetensors").items()})

    def test_the_file_is_one_that_zip_programs_and_torch_accept(self):
        self.convert(Net().state_dict())
        with zipfile.ZipFile(self.folder / "out.pt") as file:
            self.assertIsNone(file.testzip())
            names = [name.removeprefix("archive/") for name in file.namelist()]
            self.assertEqual(names[:3] + names[-2:],
                             ["data.pkl", "byteorder", "data/0", "version", ".data/serialization_id"])
        reader = torch._C.PyTorchFileReader(str(self.folder / "out.pt"))
        self.assertEqual(reader.get_record("data/1"), bytes(torch.load(self.folder / "out.pt")["conv1.bias"].numpy()))

    def test_shared_and_strided_tensors(self):
        base = torch.arange(24.0).reshape(2, 3, 4)
        value = {"base": base, "same": base, "view": base.view(6, 4), "t": base.permute(2, 0, 1), "slice": base[:, 1:, ::2],
                 "expanded": base[0, 0, :1].expand(3, 2), "scalar": torch.tensor(3), "empty": torch.empty(0, 2)}
        for options in [{}, {"_use_new_zipfile_serialization": False}]:
            back = self.convert(value, **options)
            self.check_same(value, back)
            self.assertEqual(back["base"].data_ptr(), back["same"].data_ptr())
            self.assertEqual(back["base"].data_ptr(), back["view"].data_ptr())

    def random_value(self, draw, depth=0):
        kind = draw.randrange(11 if depth < 4 else 8)
        if kind < 2:
            dtype = draw.choice([torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32,
                                 torch.int16, torch.int8, torch.uint8, torch.bool])
            tensor = torch.randint(0, 2 if dtype == torch.bool else 100, [draw.randrange(4) for _ in range(draw.randrange(5))])
            tensor = tensor.to(dtype)
            return tensor.transpose(0, -1) if tensor.dim() > 1 and draw.random() < 0.5 else tensor
        if kind == 2:
            return draw.choice([None, True, False])
        if kind == 3:
            return draw.choice([-1, 1]) * draw.getrandbits(draw.randrange(64))
        if kind == 4:
            return draw.choice([0.0, -0.0, 1e300, float("inf"), draw.random()])
        if kind == 5:
            return "".join(draw.choice("ab\u00e9\u20ac\U0001f600\n\0\"") for _ in range(draw.randrange(300)))
        if kind in (6, 7):
            return draw.randbytes(draw.randrange(300))
        if kind == 8:
            return [self.random_value(draw, depth + 1) for _ in range(draw.randrange(5))]
        if kind == 9:
            return tuple(self.random_value(draw, depth + 1) for _ in range(draw.randrange(6)))
        return {f"key{i}": self.random_value(draw, depth + 1) for i in range(draw.randrange(6))}

    def test_random_values(self):
        for seed in range(40):
            draw = random.Random(seed)
            torch.manual_seed(seed)
            value = {"a": self.random_value(draw), "b": self.random_value(draw), "c": self.random_value(draw)}
            options = draw.choice([{}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": draw.choice([3, 4, 5])}])
            with self.subTest(seed=seed, options=options):
                self.check_same(value, self.convert(value, draw.choice([".pt", ".teff"]), **options))

    def test_python_goes_on_where_teff_stopped(self):
        self.assertEqual(partner("start", self.folder / "start.pt"), "")
        self.assertEqual(partner("train", self.folder / "start.pt", self.folder / "teff.pt", 20), "")
        start, expected = torch.load(self.folder / "start.pt"), torch.load(self.folder / "teff.pt")
        self.assertEqual(list(start["optimizer_state_dict"]["state"]), list(range(10)))
        mine = train(start, 20)
        self.check_close(mine["losses"], expected["losses"], 1e-5)
        self.check_close(mine["model_state_dict"].values(), expected["model_state_dict"].values(), 1e-5)
        buffers = [[state["momentum_buffer"] for state in c["optimizer_state_dict"]["state"].values()] for c in (mine, expected)]
        self.check_close(*buffers, 1e-5)
        self.assertEqual(mine["optimizer_state_dict"]["param_groups"][0]["lr"], 0.01)

    def test_teff_goes_on_where_python_stopped(self):
        torch.manual_seed(2)
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), **OPTIONS)
        start = {"images": torch.randn(4, 3, 32, 32), "labels": torch.tensor([2, 7, 1, 8]),
                 "model_state_dict": net.state_dict(), "optimizer_state_dict": optimizer.state_dict()}
        for name, options in [("zip.pt", {}), ("legacy.pt", {"_use_new_zipfile_serialization": False})]:
            checkpoint = train(start, 5)
            torch.save(checkpoint, self.folder / name, **options)
            self.assertEqual(partner("train", self.folder / name, self.folder / "teff.pt", 20), "")
            back = torch.load(self.folder / "teff.pt")
            mine = train(checkpoint, 20)
            self.check_close(mine["losses"], back["losses"], 1e-5)
            self.check_close(mine["model_state_dict"].values(), back["model_state_dict"].values(), 1e-5)

    def test_files_that_were_packed_again_are_read(self):
        torch.save({"w": torch.randn(3, 4), "zeros": torch.zeros(1000)}, self.folder / "a.pt")
        for method in zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED:
            with zipfile.ZipFile(self.folder / "a.pt") as old, zipfile.ZipFile(self.folder / "b.pt", "w", method) as new:
                new.writestr("a/", "")
                for name in old.namelist():
                    new.writestr(name, old.read(name))
            self.assertEqual(partner("convert", self.folder / "b.pt", self.folder / "out.pt"), "")
            self.check_same(torch.load(self.folder / "a.pt"), torch.load(self.folder / "out.pt"))

    def test_what_is_more_than_data_is_refused(self):
        def refusal(name):
            return partner("convert", self.folder / name, self.folder / "out.pt")

        class Command:
            def __reduce__(self):
                return os.system, ("exit 3",)

        torch.save({"x": Command()}, self.folder / "attack.pt")
        self.assertIn("system), of which nothing was run", refusal("attack.pt"))
        torch.save({"x": torch.ones(2, dtype=torch.complex64)}, self.folder / "complex.pt")
        self.assertIn('"x" (ComplexFloatStorage)', refusal("complex.pt"))
        with tarfile.open(self.folder / "old.pt", "w", format=tarfile.GNU_FORMAT) as file:
            file.add(__file__, "pickle")
        self.assertIn("it is a tar file", refusal("old.pt"))
        with zipfile.ZipFile(self.folder / "packed.pt", "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("x/data.pkl", b"\x80\x02}." * 100)
        self.assertIn('without the entry "version"', refusal("packed.pt"))
        self.assertFalse((self.folder / "out.pt").exists())


    def layers(self):
        """One of each that prints something of its own."""
        return [
            nn.Conv1d(1, 2, 3), nn.Conv2d(2, 4, (3, 5), 2, 1, (2, 1), 2, bias=False, padding_mode="reflect"),
            nn.Conv2d(2, 2, 3, padding="same"), nn.ConvTranspose2d(2, 2, 2, stride=2, output_padding=1),
            nn.Linear(2, 3), nn.Linear(2, 3, bias=False), nn.Bilinear(1, 2, 3), nn.BatchNorm2d(3),
            nn.BatchNorm1d(3, momentum=None, affine=False, track_running_stats=False), nn.InstanceNorm2d(2),
            nn.LayerNorm((2, 3), eps=1e-12), nn.GroupNorm(1, 2), nn.LocalResponseNorm(2), nn.Dropout(0.1),
            nn.Dropout2d(0.5, True), nn.AlphaDropout(), nn.MaxPool1d(3, 2, 1, ceil_mode=True), nn.MaxPool2d(2),
            nn.MaxUnpool2d(2), nn.AvgPool2d(2, (2, 1)), nn.LPPool2d(2, 3), nn.AdaptiveAvgPool2d(1),
            nn.AdaptiveMaxPool2d((None, 2)), nn.Threshold(0.1, 20), nn.ReLU(), nn.ReLU(True), nn.ReLU6(), nn.SiLU(),
            nn.Mish(), nn.SELU(), nn.RReLU(), nn.Hardtanh(-2.0, 2.0, True), nn.ELU(), nn.CELU(0.5), nn.LeakyReLU(0.2),
            nn.GELU("tanh"), nn.GLU(), nn.Softmin(1), nn.Softmax(dim=None), nn.LogSoftmax(1), nn.PReLU(), nn.Softplus(),
            nn.Hardshrink(), nn.Softshrink(), nn.Hardswish(), nn.Tanh(), nn.ChannelShuffle(2), nn.Flatten(),
            nn.Unflatten(1, (2, 3)), nn.Fold(4, 2), nn.Unfold(2), nn.PixelShuffle(2), nn.PixelUnshuffle(2),
            nn.ConstantPad2d(1, 0.5), nn.ZeroPad2d((1, 2, 3, 4)), nn.ReflectionPad2d(1), nn.RNN(1, 2),
            nn.LSTM(1, 2, 2, bias=False, batch_first=True, dropout=0.5, bidirectional=True), nn.LSTM(1, 2, proj_size=1),
            nn.GRU(1, 2), nn.RNNCell(1, 2, nonlinearity="relu"), nn.LSTMCell(1, 2, bias=False), nn.Embedding(3, 2),
            nn.Embedding(3, 2, 0, 1.0, 1.0, True, True), nn.EmbeddingBag(3, 2, mode="sum"), nn.Upsample(scale_factor=2),
            nn.Upsample(size=(2, 3), mode="bilinear"), nn.MultiheadAttention(4, 2), nn.TransformerEncoderLayer(4, 2),
            nn.CrossEntropyLoss(), nn.Identity(), nn.ModuleList([nn.ReLU()]), nn.Sequential(nn.Sequential(nn.Linear(1, 1))),
            nn.DataParallel(nn.Linear(1, 1)),
        ]

    def test_whole_modules_are_their_state_dicts_and_print_as_in_python(self):
        modules = self.layers() + [Net()]
        for name, options in [("zip.pt", {}), ("legacy.pt", {"_use_new_zipfile_serialization": False}),
                              ("five.pt", {"pickle_protocol": 5})]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.save(modules, self.folder / name, **options)
            printed = "".join(repr(module) + "\n" for module in modules)
            self.assertEqual(partner("modules", self.folder / name), printed)
            self.assertEqual(partner("convert", self.folder / name, self.folder / "out.pt"), "")
            self.check_same([dict(module.state_dict()) for module in modules], [dict(d) for d in torch.load(self.folder / "out.pt")[""]])

    def test_torchscript_archives_are_their_state_dicts(self):
        model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Sequential(nn.ReLU(), nn.Conv2d(2, 2, 1)))
        for script in (torch.jit.script(model), torch.jit.trace(model.eval(), torch.ones(1, 1, 4, 4)),
                       torch.jit.script(nn.LSTM(2, 3))):
            script.save(str(self.folder / "script.pt"))
            loaded = torch.jit.load(str(self.folder / "script.pt"))
            self.assertEqual(partner("modules", self.folder / "script.pt"), repr(loaded) + "\n")
            self.assertEqual(partner("convert", self.folder / "script.pt", self.folder / "out.pt"), "")
            self.check_same(dict(loaded.state_dict()), dict(torch.load(self.folder / "out.pt")))


if __name__ == "__main__":
    unittest.main()
