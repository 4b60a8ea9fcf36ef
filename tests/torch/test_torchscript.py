# SPDX-License-Identifier: MIT
"""Networks of TorchScript archives give what PyTorch gives:
    python3 test_torchscript.py PARTNER [--networks[=NAME,...]] [unittest's options]

Each sample of script_samples.py is scripted and traced, saved, loaded by Teff, and run; at other sizes, too, where the
archive may give the right numbers or refuse them, and no others; and its gradients are compared. With --networks also
all of torchvision's networks that classify, or those of these names.
"""
import importlib.util
import inspect
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

import torch
import torch.nn as nn

import script_samples

try:
    import torchvision
except ImportError:
    torchvision = None

PARTNER = sys.argv.pop(1)
NETWORKS = next((word for word in sys.argv if word.startswith("--networks")), "")
sys.argv = [word for word in sys.argv if word != NETWORKS]
TOLERANCE = 1e-5
PYTORCH_ERRORS = (RuntimeError, AttributeError, TypeError, torch.jit.Error, torch.jit.frontend.NotSupportedError)

# What torch.jit.script reads: a class for each sample. It wants them in a file.
HEAD = """
import torch
import torch.nn as nn
import torch.nn.functional as F


class LSTMCell(nn.Module):
    def __init__(self, *sizes):
        super().__init__()
        self.cell = nn.LSTMCell(*sizes)

    def forward(self, x, h, c):
        return self.cell(x, (h, c))
"""
EXPRESSION = """
class {name}(nn.Module):
    def forward(self, {inputs}):
        return {text}
"""
LAYER = """
class {name}(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = {text}

    def forward(self, {inputs}):
        return self.layer({inputs})
"""


class Partner:
    """One process for all files."""

    def __init__(self):
        self.process = subprocess.Popen([PARTNER, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def refusal(self, *words):
        """Empty if it did what it was told."""
        self.process.stdin.write("\t".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        reply = self.process.stdout.readline()
        if not reply:
            raise RuntimeError(f"{words}: it ended with {self.process.wait()}")
        return "" if reply == "ok\n" else reply.strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def make_input(text, seed):
    """A name and a tensor, of "x p2x3"."""
    name, form = text.split()
    letter = form[0] if form[0].isalpha() else ""
    shape = [int(size) for size in form[len(letter):].split("x")] if form != "s" else []
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn(shape, generator=generator)
    if letter == "p":
        return name, torch.rand(shape, generator=generator) * 1.9 + 0.1
    if letter == "u":
        return name, torch.rand(shape, generator=generator) * 1.8 - 0.9
    if letter == "n":
        normal.view(-1)[::5] = torch.tensor(float("nan"))
        normal.view(-1)[::7], normal.view(-1)[1::11] = torch.tensor(float("inf")), torch.tensor(float("-inf"))
        return name, normal
    if letter == "i":
        return name, torch.randint(0, 3, shape, generator=generator)
    if letter == "I":
        return name, torch.randint(1, 5, shape, generator=generator) * torch.sign(normal).long()
    return name, {"b": normal > 0, "d": normal.double(), "h": normal.half()}.get(letter, normal)


def make_inputs(text, seed=0):
    """All of "x 2x3, y 3"."""
    return dict(make_input(part.strip(), seed + i) for i, part in enumerate(text.split(",")))


def with_other_sizes(inputs):
    """Lists of inputs, with one and three entries where the first dimensions have one size, and of the last ones."""
    lists = []
    for dim in (0, -1):
        sizes = {x.shape[dim] if x.dim() else None for x in inputs}
        if None in sizes or len(sizes) > 1:
            continue
        for size in sorted({1, 3, sizes.copy().pop() + 2} - sizes):
            lists.append([resized(x, dim, size) for x in inputs])
    return lists


def resized(x, dim, size):
    """With its entries again and again, no two of which are equal where they are real numbers."""
    repeated = x.index_select(dim, torch.arange(size) % x.shape[dim])
    noise = 1 - 0.1 * torch.rand(repeated.shape, generator=torch.Generator().manual_seed(size))
    return (repeated * noise).to(x.dtype) if x.dtype.is_floating_point else repeated


def split_lines(texts):
    return [text.strip() for line in texts.splitlines() for text in line.split(";") if text.strip()]


def make_classes(name, table, source, folder):
    """(text, inputs, class) of each sample of a table of that name."""
    samples = [(text, inputs) for inputs, texts in table.items() for text in split_lines(texts)]
    lines = [HEAD]
    for i, (text, inputs) in enumerate(samples):
        lines.append(source.format(name=f"Sample{i}", inputs=", ".join(make_inputs(inputs)), text=text))
    path = Path(folder) / f"{name}.py"
    path.write_text("\n".join(lines))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return [(text, inputs, getattr(module, f"Sample{i}")) for i, (text, inputs) in enumerate(samples)]


def tensors_in(value):
    """All, in the order of Teff's outputs."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    return [tensor for part in value if part is not None for tensor in tensors_in(part)]


def is_close(a, b, tolerance):
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if not a.dtype.is_floating_point:
        return torch.equal(a, b)
    a, b = a.double(), b.double()
    finite = b[torch.isfinite(b)]
    size = finite.abs().max().item() if finite.numel() else 0
    return torch.allclose(a, b, rtol=tolerance, atol=tolerance * size, equal_nan=True)


def gradients_of(function, inputs):
    """As the partner has them; None where PyTorch has none."""
    leaves = [x.clone().requires_grad_(x.dtype in (torch.float32, torch.float64)) for x in inputs]
    try:
        outputs = [y for y in tensors_in(function(*leaves)) if y.requires_grad and y.dtype != torch.float16]
        weights = [torch.cos(torch.arange(y.numel()).double()).to(y.dtype).view_as(y) for y in outputs]
        sum(((y * w).sum().double() for y, w in zip(outputs, weights)), torch.tensor(0.0)).backward()
    except PYTORCH_ERRORS:
        return None
    return [x.grad for x in leaves]


def type_of(tensor):
    return f"{str(tensor.dtype)[6:]} {list(tensor.shape)}"


class ScriptTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        warnings.filterwarnings("ignore")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.script, cls.given, cls.answer = (Path(folder.name) / name for name in ("net.pt", "given.pt", "answer.pt"))
        cls.partner = Partner()
        cls.addClassCleanup(cls.partner.close)

    def ask(self, verb, given):
        torch.save(given, self.given)
        refusal = self.partner.refusal(verb, self.script, self.given, self.answer)
        self.assertFalse(refusal, refusal)
        return torch.load(self.answer)

    def check_close(self, mine, theirs, tolerance=TOLERANCE):
        self.assertEqual([type_of(x) for x in mine], [type_of(x) for x in theirs])
        for x, y in zip(mine, theirs):
            self.assertTrue(is_close(x, y, tolerance), f"{x}\n{y}")

    def save(self, net, how, inputs):
        """What PyTorch loads again; None if it cannot script, trace or run it."""
        try:
            if how == "scripted":
                module = torch.jit.script(net)
            else:  # without gradients PyTorch takes operators that are whole layers
                with torch.set_grad_enabled(how == "traced"):
                    module = torch.jit.trace(net, tuple(inputs), check_trace=False)
            module.save(str(self.script))
            module = torch.jit.load(str(self.script)).eval()
            module(*[x.clone() for x in inputs])
            return module
        except PYTORCH_ERRORS:
            return None

    def check(self, module, inputs):
        def run(values):
            return tensors_in(module(*[x.clone() for x in values]))

        given, wanted = {"inputs": inputs, "more": []}, []
        with torch.no_grad():
            expected = run(inputs)
            for more in with_other_sizes(inputs):
                try:
                    wanted.append(run(more))
                    given["more"].append(more)
                except PYTORCH_ERRORS:
                    pass  # a network of these sizes alone
        gradients = gradients_of(module, inputs)
        if gradients is not None:
            given["gradients"] = True
        answer = self.ask("run", given)
        self.check_close(answer["outputs"], expected)
        for mine, theirs, more in zip(answer["more"], wanted, given["more"]):
            self.sizes["free" if isinstance(mine, list) else "fixed"] += 1
            if isinstance(mine, list):
                with self.subTest(sizes=[list(x.shape) for x in more]):
                    self.check_close(mine, theirs)
        for mine, theirs in zip(answer.get("gradients", []), gradients or []):
            if theirs is not None and torch.isfinite(theirs).all():
                mine = torch.zeros_like(theirs) if mine is None else mine
                self.assertTrue(is_close(mine, theirs, 10 * TOLERANCE), f"gradients {mine}\n{theirs}")

    def check_all(self, text, make, inputs, hows):
        """How many of them PyTorch can make."""
        count = 0
        for how in hows:
            with self.subTest(sample=text, inputs=[type_of(x) for x in inputs], how=how):
                torch.manual_seed(0)
                net = make().eval()
                for name, buffer in net.named_buffers():
                    if buffer.dtype.is_floating_point:
                        buffer.uniform_(0.5, 1.5)
                module = self.save(net, how, inputs)
                if module is not None:
                    count += 1
                    self.check(module, inputs)
        return count


class SamplesTest(ScriptTest):
    def check_table(self, name, source=EXPRESSION, hows=("scripted", "traced"), least_free=0.95):
        """Nearly all can be scripted and traced, and of nearly all sizes that PyTorch takes Teff takes this part."""
        self.sizes = {"free": 0, "fixed": 0}
        classes = make_classes(name, getattr(script_samples, name), source, self.folder)
        made = 0
        for text, inputs, make in classes:
            made += self.check_all(text, make, list(make_inputs(inputs).values()), hows)
        self.assertGreater(made, 0.95 * len(hows) * len(classes))
        self.assertGreater(self.sizes["free"], least_free * sum(self.sizes.values()), self.sizes)

    def test_expressions(self):
        self.check_table("EXPRESSIONS")

    def test_shapes(self):
        self.check_table("SHAPES", least_free=0.9)

    def test_indexing(self):
        self.check_table("INDEXING", least_free=0.7)

    def test_creation(self):
        self.check_table("CREATION", least_free=0.85)

    def test_images(self):
        self.check_table("IMAGES")

    def test_losses(self):
        self.check_table("LOSSES")

    def test_in_place(self):
        self.check_table("IN_PLACE")

    def test_refusals(self):
        for inputs, words in script_samples.REFUSED.items():
            tensors = list(make_inputs(inputs).values())
            table = {inputs: ";".join(words)}
            for text, _, make in make_classes("REFUSED", table, EXPRESSION, self.folder):
                with self.subTest(sample=text):
                    self.assertIsNotNone(self.save(make(), "scripted", tensors))
                    torch.save({"inputs": tensors}, self.given)
                    self.assertIn(words[text], self.partner.refusal("run", self.script, self.given, self.answer))

    def test_layers(self):
        self.check_table("LAYERS", LAYER, ("scripted", "traced", "traced without gradients"))


@unittest.skipUnless(NETWORKS and torchvision, "takes an hour, and torchvision")
class NetworksTest(ScriptTest):
    """Networks of torchvision, as they are made, with statistics and biases that a mistake would show."""

    def names(self):
        models = torchvision.models
        if "=" in NETWORKS:
            return NETWORKS.partition("=")[2].split(",")
        names = [name for name in dir(models) if name.islower() and inspect.isfunction(getattr(models, name))]
        names = [name for name in names if not name.startswith(("get_", "list_"))]
        self.assertGreater(len(names), 60)
        return names

    def make(self, name):
        torch.manual_seed(0)
        options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        net = getattr(torchvision.models, name)(num_classes=10, **options).eval()
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
        return net

    def test_networks(self):
        for name in self.names():
            net = self.make(name)
            is_of_one_size = name.startswith(("vit", "swin", "maxvit"))
            size = 299 if name == "inception_v3" else 224 if is_of_one_size else 64
            images = torch.randn(2, 3, size, size)
            for how in ("scripted", "traced"):
                with self.subTest(network=name, how=how):
                    module = self.save(net, how, [images])
                    self.assertIsNotNone(module)
                    with torch.no_grad():
                        expected = tensors_in(net(images))
                    for verb in ("run",) if is_of_one_size else ("run", "guess"):
                        self.check_close(self.ask(verb, {"inputs": [images]})["outputs"], expected, 1e-4)


if __name__ == "__main__":
    unittest.main()
