#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_teff.py LIBRARY [TEST...]: the Python module against NumPy and, where it is installed, PyTorch."""

import builtins
import ctypes
import gc
import inspect
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import unittest
import weakref

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODULE = ROOT / "serialize" / "python"
LIBRARY = sys.argv.pop(1) if len(sys.argv) > 1 else os.environ["TEFF_C_LIBRARY"]
os.environ["TEFF_C_LIBRARY"] = LIBRARY
sys.path.insert(0, str(MODULE))

import numpy as np  # noqa: E402

import teff  # noqa: E402
from teff._library import lib  # noqa: E402

try:
    import torch
except ImportError:
    torch = None

GOLDEN = ROOT / "tests" / "golden"
MODEL = GOLDEN / "v1_model.teff"
needs_torch = unittest.skipIf(torch is None, "no torch")


def images(batch=2, seed=0):
    return np.random.default_rng(seed).standard_normal((batch, 1, 8, 8)).astype(np.float32)


def field(number, data):
    """A field of a protocol buffer: a number, or a text or message."""
    if isinstance(data, int):
        return bytes([number << 3, data])
    data = data.encode() if isinstance(data, str) else data
    return bytes([number << 3 | 2, len(data)]) + data


def accumulator():
    """y = x + h as an ONNX file, all of float32 [1, 2]."""
    shape = field(1, field(1, 1)) + field(1, field(1, 2))
    ports = {name: field(1, name) + field(2, field(1, field(1, 1) + field(2, shape))) for name in "xhy"}
    node = field(1, "x") + field(1, "h") + field(2, "y") + field(4, "Add")
    graph = field(1, node) + field(2, "sum") + field(11, ports["x"]) + field(11, ports["h"]) + field(12, ports["y"])
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def torch_net():
    """The network of the golden model as PyTorch has it."""
    net = torch.nn.Sequential()
    net.add_module("conv", torch.nn.Conv2d(1, 4, 3))
    net.add_module("norm", torch.nn.BatchNorm2d(4))
    net.add_module("relu", torch.nn.ReLU())
    net.add_module("flatten", torch.nn.Flatten())
    net.add_module("fc", torch.nn.Linear(144, 3))
    return net


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)


class Files(Case):
    def test_what_is_saved_comes_back_from_each_format(self):
        values = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([True, False]),
                  "c": np.array(2.5), "d": np.zeros((0, 4), np.int64), "h": np.array([1, 2], np.float16)}
        for extension in ("teff", "pt", "safetensors", "npz"):
            with self.subTest(extension):
                path = self.folder / f"x.{extension}"
                teff.save(values, path)
                loaded = teff.load(path)
                self.assertEqual(set(loaded), set(values))
                for key, value in values.items():
                    self.assertEqual(loaded[key].dtype, value.dtype)
                    self.assertEqual(loaded[key].shape, value.shape)
                    np.testing.assert_array_equal(loaded[key], value)

    def test_numpy_reads_what_teff_writes_and_the_other_way(self):
        array = np.random.default_rng(1).standard_normal((3, 4))
        teff.save({"w": array}, self.folder / "x.npz")
        np.testing.assert_array_equal(np.load(self.folder / "x.npz")["w"], array)
        np.savez_compressed(self.folder / "y.npz", w=array)
        np.testing.assert_array_equal(teff.load(self.folder / "y.npz")["w"], array)

    def test_a_checkpoint_has_values_of_every_kind(self):
        values = {"epoch": 5, "loss": 0.25, "done": False, "nothing": None, "name": "grün", "raw": b"\0\xff",
                  "history": [1, 0.5, "x", {"lr": 0.1}], "nested": {"empty": {}, "list": []}, "big": -(2**63)}
        teff.save(values, self.folder / "x.teff", metadata={"licence": "MIT"})
        loaded = teff.load(self.folder / "x.teff")
        self.assertEqual(loaded, values)
        self.assertEqual(list(loaded), list(values))
        self.assertIs(loaded["done"], False)
        self.assertEqual(teff.load((self.folder / "x.teff").read_bytes()), values)

    def test_numbers_of_numpy_are_numbers(self):
        teff.save({"i": np.int32(3), "f": np.float32(0.5), "b": np.bool_(True)}, self.folder / "x.teff")
        self.assertEqual(teff.load(self.folder / "x.teff"), {"i": 3, "f": 0.5, "b": True})

    def test_strided_arrays_and_foreign_byte_order_are_laid_out_anew(self):
        array = np.arange(12, dtype=np.float32).reshape(3, 4)
        shifted = np.frombuffer(b"x" + array.tobytes(), np.uint8)[1:].view(np.float32).reshape(3, 4)
        values = {"t": array.T, "step": array[:, ::2], "reverse": array[::-1], "big": array.astype(">f4"),
                  "shifted": shifted, "scalar": np.asfortranarray(array)}
        teff.save(values, self.folder / "x.teff")
        loaded = teff.load(self.folder / "x.teff")
        for key, value in values.items():
            np.testing.assert_array_equal(loaded[key], value)

    def test_a_refused_file_is_an_error_of_its_kind(self):
        with self.assertRaisesRegex(teff.IoError, "nowhere"):
            teff.load("/nowhere/x.teff")
        with self.assertRaises(teff.UnsupportedError):
            teff.load(b"<!DOCTYPE html><html></html>")
        for call in (teff.load, teff.load_model, lambda path: teff.save({}, path),
                     lambda path: teff.load_model(MODEL).save(path, images())):
            with self.assertRaisesRegex(teff.ValueError, "a path without zeros"):
                call(str(self.folder / "x.teff\0.pt"))
        self.assertEqual(list(self.folder.iterdir()), [])
        data = bytearray(MODEL.read_bytes())
        data[-1] ^= 1
        with self.assertRaises(teff.FormatError) as caught:
            teff.load_model(bytes(data))
        self.assertNotIsInstance(caught.exception, teff.UnsupportedError)
        self.assertIsInstance(caught.exception, builtins.ValueError)

    def test_what_a_file_cannot_hold_is_refused_and_the_old_file_stays(self):
        path = self.folder / "x.safetensors"
        teff.save({"a": np.ones(2)}, path)
        before = path.read_bytes()
        for bad in ({"a": 1}, {"a": 2**63}, {1: 2}, {"a\0": 1}, {"a": np.array(["x"])}, {"a": 1j * np.ones(2)}):
            with self.subTest(str(bad)), self.assertRaises(teff.Error):
                teff.save(bad, path)
        self.assertEqual(path.read_bytes(), before)

    def test_mapped_arrays_outlive_their_dictionary(self):
        teff.save({"w": np.arange(10_000.0)}, self.folder / "x.teff")
        array = teff.load(self.folder / "x.teff", mmap=True)["w"]
        gc.collect()
        self.assertEqual(array.sum(), 49_995_000)
        array[0] = 7  # not the file
        self.assertEqual(teff.load(self.folder / "x.teff")["w"][0], 0)


class Memory(Case):
    def test_an_array_is_shared_and_kept_until_the_tensor_goes(self):
        array = np.zeros(4, np.float32)
        tensor = teff.as_tensor(array)
        array[2] = 5
        self.assertEqual(tensor.numpy()[2], 5)
        self.assertEqual(tensor.numpy().ctypes.data, array.ctypes.data)

        class Array(np.ndarray):
            pass

        owner = Array((4,), np.float32)  # has the memory itself
        watch = weakref.ref(owner)
        tensor = teff.as_tensor(owner)
        del owner
        gc.collect()
        self.assertIsNotNone(watch())
        del tensor
        gc.collect()
        self.assertIsNone(watch())

    def test_memory_that_is_read_only_is_never_written_to(self):
        array = np.frombuffer(np.arange(4, dtype=np.float32).tobytes(), np.float32)
        copy = teff.as_tensor(array).numpy()
        copy[0] = 7
        self.assertEqual(array[0], 0)
        teff.save({"a": array}, self.folder / "x.teff")
        np.testing.assert_array_equal(teff.load(self.folder / "x.teff")["a"], array)

    def test_an_array_keeps_the_memory_of_a_model(self):
        model = teff.load_model(MODEL)
        state = model.state_dict()
        expected = state["fc.weight"].copy()
        weight = state["fc.weight"]
        weight[0, 0] = 3
        self.assertEqual(model.state_dict()["fc.weight"][0, 0], 3)
        weight[0, 0] = expected[0, 0]
        del model, state
        gc.collect()
        [np.ones(weight.shape, np.float32) for _ in range(100)]
        np.testing.assert_array_equal(weight, expected)

    def test_nothing_is_kept_in_the_end(self):
        from teff import _tensor
        teff.load_model(MODEL).eval()(images())
        gc.collect()
        before = len(_tensor._kept)
        model = teff.load_model(MODEL).eval()
        for _ in range(20):
            model(images())
        gc.collect()
        self.assertEqual(len(_tensor._kept), before)

    def test_what_has_numbers_keeps_their_dtype(self):
        class Column:  # as those of pandas
            def __array__(self, dtype=None, copy=None):
                return np.array([1.1, 2.2])

        self.assertEqual(teff.as_tensor(Column()).dtype, "float64")
        with self.assertRaisesRegex(teff.TypeError, "without a mask"):
            teff.save({"a": np.ma.masked_array([1.0, 2.0], [True, False])}, self.folder / "x.teff")

    def test_an_array_of_a_tensor_is_converted_as_asked(self):
        tensor = teff.as_tensor(np.array([1.5, 2.5]))
        self.assertEqual(np.asarray(tensor).ctypes.data, tensor.numpy().ctypes.data)
        self.assertEqual(np.asarray(tensor, np.float32).dtype, np.float32)
        self.assertNotEqual(tensor.__array__(copy=True).ctypes.data, tensor.numpy().ctypes.data)
        with self.assertRaises(teff.ValueError):
            tensor.__array__(np.float32, copy=False)

    def test_arrays_see_the_memory_when_all_handles_are_gone(self):
        made = []
        for seed in range(50):
            model = teff.load_model(MODEL).eval()
            session = model.session((2, 1, 8, 8))
            x = images(seed=seed)
            view = session(x, copy=False)
            made.append((view, view.copy(), teff.as_tensor(x).clone().numpy()[0, 0, 1:3], x[0, 0, 1:3]))
            del model, session
        gc.collect()
        for view, expected, part, of in made:
            np.testing.assert_array_equal(view, expected)
            np.testing.assert_array_equal(part, of)

    def test_an_array_that_grows_while_a_tensor_has_it_is_refused_by_numpy(self):
        array = np.zeros(4, np.float32)
        tensor = teff.as_tensor(array)
        with self.assertRaises(builtins.ValueError):
            array.resize(1000)
        self.assertEqual(tensor.shape, (4,))

    def test_lists_become_what_pytorch_makes_of_them(self):
        self.assertEqual(teff.as_tensor([1.5, 2]).dtype, "float32")
        self.assertEqual(teff.as_tensor([1, 2]).dtype, "int64")
        self.assertEqual(teff.as_tensor([True]).dtype, "bool")
        self.assertEqual(float(teff.as_tensor(2.5)), 2.5)
        self.assertEqual(teff.as_tensor(np.float64(2.5)).dtype, "float64")
        self.assertEqual(teff.as_tensor(np.zeros(2, np.longlong)).dtype, "int64")
        self.assertEqual(teff.as_tensor(np.zeros(2, ">u4")).dtype, "uint32")
        self.assertEqual(repr(teff.as_tensor([1.0, 2.0])), "tensor([1., 2.])")

    def test_dtypes_that_numpy_lacks_are_refused_with_the_cure(self):
        tensor = teff.as_tensor([1.5, 2]).to("bfloat16")
        with self.assertRaisesRegex(teff.TypeError, "got bfloat16: convert it by to"):
            tensor.numpy()
        np.testing.assert_array_equal(tensor.to("float32").numpy(), [1.5, 2])
        with self.assertRaisesRegex(teff.ValueError, "got 'float31'"):
            tensor.to("float31")

    def ends_well(self, code):
        done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(MODULE)},
                              capture_output=True, text=True, timeout=120)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_program_ends_while_threads_compute(self):
        self.ends_well(
            "import threading, time, numpy as np, teff\n"
            f"model = teff.load_model({str(MODEL)!r}).eval()\n"
            "def work():\n"
            "    while True: model(np.ones((4, 1, 8, 8), np.float32))\n"
            "for _ in range(4): threading.Thread(target=work, daemon=True).start()\n"
            "time.sleep(0.2)\n")

    def test_a_child_of_fork_runs_a_model(self):
        self.ends_well(
            "import os, numpy as np, teff\n"
            "teff.set_num_threads(4)\n"
            f"model = teff.load_model({str(MODEL)!r}).eval()\n"
            "x = np.ones((64, 1, 8, 8), np.float32); y = model(x)\n"
            "child = os.fork()\n"
            "if child == 0: os._exit(0 if np.array_equal(model(x), y) else 1)\n"
            "assert os.waitpid(child, 0)[1] == 0\n")

    def test_a_program_ends_while_tensors_live(self):
        self.ends_well("import numpy as np, teff, sys\n"
                f"model = teff.load_model({str(MODEL)!r}).eval()\n"
                "t = teff.as_tensor(np.ones(1000)); s = model.session((1, 1, 8, 8)); sys.keep = [t, s, model]\n")


class Models(Case):
    def test_a_model_tells_what_it_takes(self):
        model = teff.load_model(MODEL, self_test=True)
        self.assertEqual(model.inputs, (teff.Port("input", "float32", (-1, 1, 8, 8)),))
        self.assertEqual(model.outputs[0].shape, (-1, 3))
        self.assertEqual(model.num_parameters, 483)
        self.assertTrue(model.training)
        self.assertFalse(model.eval().training)
        self.assertIn("(conv): Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1))", repr(model))

    def test_a_session_gives_what_the_model_gives(self):
        model = teff.load_model(MODEL).eval()
        session = model.session((2, 1, 8, 8))
        first, second = images(seed=1), images(seed=2)
        result = session(first)
        np.testing.assert_allclose(result, model(first), rtol=1e-5, atol=1e-6)
        other = session.copy()(second)
        self.assertFalse(np.array_equal(result, other))
        np.testing.assert_array_equal(session(first, copy=False), result)
        self.assertGreater(session.memory_bytes, 0)
        with self.assertRaises(teff.ShapeError):
            session(images(3))

    def test_a_session_carries_a_state(self):
        model = teff.load_model(accumulator())
        x = np.array([[1, 2]], np.float32)
        np.testing.assert_array_equal(model(x, 3 * x), 4 * x)
        session = model.session((1, 2), (1, 2), states={"h": "y"})
        for expected in (1, 2, 3):
            np.testing.assert_array_equal(session(x), expected * x)
        copy = session.copy()
        session.reset_state()
        np.testing.assert_array_equal(session(x), x)
        np.testing.assert_array_equal(copy(x), 4 * x)
        with self.assertRaises(teff.ValueError):
            model.session((1, 2), (1, 2), states={"h": "z"})

    def test_inputs_that_do_not_fit_are_errors_of_their_kind(self):
        model = teff.load_model(MODEL).eval()
        with self.assertRaises(teff.ShapeError):
            model(np.zeros((2, 3, 8, 8), np.float32))
        with self.assertRaises(teff.TypeError) as caught:
            model(images().astype(np.float64))
        self.assertIsInstance(caught.exception, builtins.TypeError)
        with self.assertRaises(teff.Error):
            model()

    def test_threads_share_a_model(self):
        model = teff.load_model(MODEL).eval()
        batches = [images(seed=i) for i in range(8)]
        expected = [model(batch) for batch in batches]
        results = [None] * 8

        def work(i):
            for _ in range(20):
                results[i] = model(batches[i])

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        for result, value in zip(results, expected):
            np.testing.assert_array_equal(result, value)

    def test_a_model_is_saved_and_loaded_with_its_test(self):
        model = teff.load_model(MODEL)
        model.save(self.folder / "m.teff", images())
        other = teff.load_model(self.folder / "m.teff", self_test=True)
        np.testing.assert_array_equal(other.eval()(images()), model.eval()(images()))

    def test_a_state_dict_that_does_not_fit_changes_nothing(self):
        model = teff.load_model(MODEL)
        before = {key: value.copy() for key, value in model.state_dict().items()}
        wrong = dict(before)
        wrong["fc.bias"] = np.zeros(4, np.float32)
        wrong["conv.weight"] = before["conv.weight"] + 1
        with self.assertRaisesRegex(teff.StateDictError, "fc.bias"):
            model.load_state_dict(wrong)
        for key, value in model.state_dict().items():
            np.testing.assert_array_equal(value, before[key])
        wrong["fc.bias"] = before["fc.bias"]
        model.load_state_dict(wrong)
        np.testing.assert_array_equal(model.state_dict()["conv.weight"], before["conv.weight"] + 1)
        model.load_state_dict({"fc.bias": np.ones(3, np.float32)}, strict=False)
        np.testing.assert_array_equal(model.state_dict()["fc.bias"], 1)

    def test_a_clone_has_tensors_of_its_own(self):
        model = teff.load_model(MODEL)
        clone = model.clone()
        clone.state_dict()["fc.bias"][:] = 9
        self.assertFalse(np.array_equal(model.state_dict()["fc.bias"], clone.state_dict()["fc.bias"]))


class Training(Case):
    def test_losses_are_those_of_numpy(self):
        x, y = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]]), np.array([2, 1])
        logs = x - np.log(np.exp(x).sum(1, keepdims=True))
        picked = -logs[np.arange(2), y]
        np.testing.assert_allclose(teff.cross_entropy(x, y, "none"), picked)
        np.testing.assert_allclose(teff.cross_entropy(x, y).item(), picked.mean())
        np.testing.assert_allclose(teff.nll_loss(logs, y, "sum").item(), picked.sum())
        np.testing.assert_allclose(teff.mse_loss(x, x + 2).item(), 4)
        np.testing.assert_allclose(teff.l1_loss(x, x - 2).item(), 2)
        np.testing.assert_allclose(teff.huber_loss(x, x - 2).item(), 1.5)
        np.testing.assert_allclose(teff.smooth_l1_loss(x, x + 0.5).item(), 0.125)
        p = 1 / (1 + np.exp(-x))
        expected = -np.log(p).mean()
        np.testing.assert_allclose(teff.binary_cross_entropy(p, np.ones_like(p)).item(), expected)
        np.testing.assert_allclose(teff.binary_cross_entropy_with_logits(x, np.ones_like(p)).item(), expected)
        with self.assertRaisesRegex(teff.ValueError, "got 'average'"):
            teff.mse_loss(x, x, "average")

    def test_training_goes_on_after_loading_with_the_same_losses(self):
        inputs, labels = images(8), np.arange(8) % 3

        def step(model, optimizer):
            optimizer.zero_grad()
            loss = teff.cross_entropy(model.forward(inputs), labels)
            loss.backward()
            self.assertGreater(teff.clip_grad_norm_(model, 1e6), 0)
            optimizer.step()
            return loss.item()

        for kind, options in ((teff.SGD, {"momentum": 0.9}), (teff.Adam, {}), (teff.AdamW, {"betas": (0.8, 0.99)})):
            with self.subTest(kind.__name__):
                model = teff.load_model(MODEL).eval()
                optimizer = kind(model, lr=0.02, **options)
                losses = [step(model, optimizer) for _ in range(10)]
                self.assertLess(losses[-1], losses[0])
                teff.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, self.folder / "c.pt")
                checkpoint = teff.load(self.folder / "c.pt")
                other = teff.load_model(MODEL).eval()
                other.load_state_dict(checkpoint["model"])
                resumed = kind(other, **options)
                resumed.load_state_dict(checkpoint["optimizer"])
                self.assertEqual(resumed.lr, 0.02)
                self.assertEqual(step(model, optimizer), step(other, resumed))

    def test_a_learning_rate_may_be_set(self):
        optimizer = teff.SGD(teff.load_model(MODEL))
        optimizer.lr = 0.5
        self.assertEqual(repr(optimizer), "SGD(lr=0.5)")
        with self.assertRaises(teff.ValueError):
            optimizer.lr = -1
        with self.assertRaises(teff.ValueError):
            teff.SGD(teff.load_model(MODEL), nesterov=True)

    def test_what_was_not_recorded_has_no_backward(self):
        model = teff.load_model(MODEL).eval()
        loss = teff.cross_entropy(model(images()), np.array([0, 1]))
        with self.assertRaises(teff.Error):
            loss.backward()
        self.assertIsNone(model.state_dict("teff")["fc.bias"].grad)


@needs_torch
class Torch(Case):
    def test_torch_reads_what_teff_writes_and_the_other_way(self):
        state = torch_net().state_dict()
        torch.save(state, self.folder / "x.pt")
        loaded = teff.load(self.folder / "x.pt", "torch")
        self.assertEqual(list(loaded), list(state))
        for key, value in state.items():
            self.assertTrue(torch.equal(loaded[key], value))
        teff.save(state, self.folder / "y.pt")
        again = torch.load(self.folder / "y.pt")
        for key, value in state.items():
            self.assertTrue(torch.equal(again[key], value))

    def test_memory_is_shared_in_both_directions(self):
        tensor = torch.zeros(3)
        shared = teff.as_tensor(tensor).torch()
        tensor[1] = 4
        self.assertEqual(shared.data_ptr(), tensor.data_ptr())
        self.assertEqual(shared[1], 4)
        parameter = torch.nn.Parameter(torch.ones(2))
        self.assertEqual(teff.as_tensor(parameter).torch().data_ptr(), parameter.data_ptr())

    def test_every_dtype_keeps_its_bits(self):
        for dtype in (torch.float32, torch.float64, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
                      torch.bool, torch.float16, torch.bfloat16):
            tensor = torch.tensor([0.0, 1.0, 1.0]).to(dtype)
            result = teff.as_tensor(tensor).torch()
            self.assertEqual(result.dtype, dtype)
            self.assertTrue(torch.equal(result, tensor))
        self.assertEqual(teff.as_tensor(torch.zeros(0, 2)).torch().shape, (0, 2))
        with self.assertRaisesRegex(teff.TypeError, "complex64"):
            teff.as_tensor(torch.zeros(2, dtype=torch.complex64))
        with self.assertRaisesRegex(teff.TypeError, "sparse"):
            teff.as_tensor(torch.zeros(2).to_sparse())

    def test_strided_tensors_are_laid_out_anew(self):
        tensor = torch.arange(6.0).view(2, 3).t()
        self.assertTrue(torch.equal(teff.as_tensor(tensor).torch(), tensor))

    def test_a_model_gives_what_pytorch_gives(self):
        model, net = teff.load_model(MODEL).eval(), torch_net().eval()
        net.load_state_dict(model.state_dict("torch"))
        inputs = torch.from_numpy(images(5))
        with torch.no_grad():
            torch.testing.assert_close(model(inputs), net(inputs), rtol=1e-5, atol=1e-6)

    def test_training_steps_are_those_of_pytorch(self):
        inputs, labels = torch.from_numpy(images(6)), torch.arange(6) % 3
        pairs = ((teff.SGD, torch.optim.SGD, {"momentum": 0.9, "weight_decay": 1e-3}),
                 (teff.Adam, torch.optim.Adam, {"amsgrad": True}), (teff.AdamW, torch.optim.AdamW, {}))
        for ours, theirs, options in pairs:
            with self.subTest(ours.__name__):
                model, net = teff.load_model(MODEL).eval(), torch_net().eval()
                net.load_state_dict(model.state_dict("torch"))
                optimizer, other = ours(model, lr=0.01, **options), theirs(net.parameters(), lr=0.01, **options)
                for _ in range(5):
                    optimizer.zero_grad()
                    loss = teff.cross_entropy(model.forward(inputs), labels)
                    loss.backward()
                    optimizer.step()
                    other.zero_grad()
                    expected = torch.nn.functional.cross_entropy(net(inputs), labels)
                    expected.backward()
                    other.step()
                    self.assertAlmostEqual(loss.item(), expected.item(), delta=1e-5)
                for key, value in net.state_dict().items():
                    torch.testing.assert_close(model.state_dict("torch")[key], value, rtol=1e-4, atol=1e-5)


@needs_torch
class TorchOptimizers(Case):
    def test_their_state_goes_to_pytorch_and_back(self):
        inputs, labels = torch.from_numpy(images(6)), torch.arange(6) % 3
        for ours, theirs, options in ((teff.SGD, torch.optim.SGD, {"momentum": 0.9}), (teff.Adam, torch.optim.Adam, {})):
            with self.subTest(ours.__name__):
                model, net = teff.load_model(MODEL).eval(), torch_net().eval()
                net.load_state_dict(model.state_dict("torch"))
                optimizer, other = ours(model, lr=0.01, **options), theirs(net.parameters(), lr=0.5, **options)

                def steps(optimizer, other):
                    for _ in range(2):
                        optimizer.zero_grad()
                        teff.cross_entropy(model.forward(inputs), labels).backward()
                        optimizer.step()
                        other.zero_grad()
                        torch.nn.functional.cross_entropy(net(inputs), labels).backward()
                        other.step()
                    for key, value in net.state_dict().items():
                        torch.testing.assert_close(model.state_dict("torch")[key], value, rtol=1e-4, atol=1e-5)

                other.load_state_dict(optimizer.state_dict("torch"))
                steps(optimizer, other)
                back = ours(model, **options)
                back.load_state_dict(other.state_dict())
                self.assertEqual(back.lr, 0.01)
                fresh = theirs(net.parameters(), lr=0.5, **options)
                fresh.load_state_dict(optimizer.state_dict("torch"))
                steps(back, fresh)


def c_functions():
    """The functions of the header: what each gives, and the types of its arguments."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "serialize" / "c" / "teff_c.h").read_text(), flags=re.DOTALL)
    for given, name, arguments in re.findall(r"^TEFF_C_API ([^;(]*?)\bteff_(\w+)\((.*?)\);", text, re.DOTALL | re.MULTILINE):
        arguments = re.sub(r"\(\*(\w+)\)\([^)]*\)", r"* \1", arguments)  # a function as an argument
        yield name, given.strip(), [] if arguments == "void" else [part.strip() for part in arguments.split(",")]


def kind(declaration):
    """What a type is for a call: a pointer, or a number of some size."""
    if "*" in declaration:
        return "pointer"
    word = declaration.replace("const ", "").split()[0]
    sizes = {"void": "void", "double": "double", "size_t": "64 bits", "int64_t": "64 bits", "uint64_t": "64 bits"}
    return sizes.get(word, "32 bits")


def kind_of_letter(letter):
    numbers = {"v": "void", "d": "double", "i": "32 bits", "q": "64 bits", "u": "64 bits", "z": "64 bits"}
    return numbers.get(letter, "pointer")


# Null there is no mistake: what it stands for is in the header.
MAY_BE_NULL = ("options", "context", "length", "size", "norm", "release")


class NullPointers(Case):
    """Each pointer of each function of the header, null while the others are right."""

    def setUp(self):
        super().setUp()
        self.model = teff.load_model(MODEL).eval()
        self.session = self.model.session((2, 1, 8, 8))
        self.optimizer = teff.SGD(self.model)
        self.tensor = teff.as_tensor(images())
        from teff import _values
        self.dict = _values.to_teff({"a": 1, "b": [1]})
        self.value = _values._list_value([1])
        self.sizes = (ctypes.c_int64 * 4)(2, 1, 8, 8)
        self.shape = (ctypes.c_size_t * 2)(4, ctypes.addressof(self.sizes))
        self.inputs = (ctypes.c_void_p * 1)(self.tensor._handle)
        self.room = ctypes.create_string_buffer(256)

    def right(self, declaration):
        """An argument as it should be."""
        name = declaration.split()[-1].lstrip("*")
        if name == "data":
            return ctypes.c_void_p(lib.tensor_data(self.tensor))
        if "*" not in declaration:
            counts = {"dims": 4, "num_inputs": 1, "num_outputs": 1, "count": 1, "dtype": 1, "size": 1, "length": 1}
            return ctypes.c_double(0.5) if declaration.startswith("double") else ctypes.c_int64(counts.get(name, 0))
        if "teff_tensor* const*" in declaration:
            return self.inputs
        for kind in ("model", "session", "optimizer", "tensor", "dict", "value"):
            if re.match(rf"(const )?teff_{kind}\* \w+$", declaration):
                return getattr(self, kind)._handle
        if "teff_shape*" in declaration:
            return self.shape
        if declaration == "const int64_t* sizes":
            return self.sizes
        if declaration.startswith("const char* ") or declaration.startswith("const void* "):
            return ctypes.c_char_p(str(self.folder / "x.teff").encode() if name == "path" else b"b")
        return None if name in MAY_BE_NULL else self.room

    def test_each_is_an_error(self):
        library = ctypes.CDLL(LIBRARY)
        library.teff_last_error.restype = ctypes.c_char_p
        seen = 0
        for function, given, arguments in c_functions():
            if given != "teff_status":
                continue
            for place, declaration in enumerate(arguments):
                name = declaration.split()[-1].lstrip("*")
                if "*" not in declaration or name in MAY_BE_NULL:
                    continue
                values = [self.right(argument) for argument in arguments]
                values[place] = None
                before = bytes(self.room)
                with self.subTest(f"{function}({declaration})"):
                    self.assertNotEqual(getattr(library, "teff_" + function)(*values), 0)
                    self.assertEqual(bytes(self.room), before)
                    seen += library.teff_last_error().endswith(b"null")  # else something else was wrong, too
        self.assertGreater(seen, 150)

    def test_where_nothing_can_fail_null_is_nothing(self):
        library = ctypes.CDLL(LIBRARY)
        for function, given, arguments in c_functions():
            if given != "teff_status" and len(arguments) == 1 and "*" in arguments[0]:
                with self.subTest(function):
                    call = getattr(library, "teff_" + function)
                    call.restype = None if given == "void" else ctypes.c_size_t if "*" in given else ctypes.c_int
                    self.assertIn(call(None), (0, None))


class Package(Case):
    def test_functions_are_declared_as_in_the_header(self):
        from teff import _library
        declared = {name: "i" + letters for name, letters in _library._CHECKED.items()} | _library._PLAIN
        seen = set()
        for name, given, arguments in c_functions():
            if name in declared:
                seen.add(name)
                letters = declared[name]
                self.assertEqual([kind(given), *map(kind, arguments)], [*map(kind_of_letter, letters)], name)
                self.assertEqual(given == "teff_status", name in _library._CHECKED, name)
        self.assertEqual(seen, set(declared))

    def test_every_public_function_says_its_types(self):
        for name in teff.__all__:
            thing = getattr(teff, name)
            functions = [thing] if inspect.isfunction(thing) else [
                value for key, value in vars(thing).items()
                if inspect.isfunction(value) and (not key.startswith("_") or key in ("__init__", "__call__"))]
            for function in functions:
                parameters = list(inspect.signature(function).parameters.values())
                untyped = [p.name for p in parameters if p.name != "self" and p.annotation is inspect.Parameter.empty]
                self.assertEqual(untyped, [], f"{name}.{function.__name__}")
                self.assertIn("return", function.__annotations__, f"{name}.{function.__name__}")
        self.assertTrue(all(value.__doc__ for value in (getattr(teff, name) for name in teff.__all__)))
        self.assertTrue((MODULE / "teff" / "py.typed").exists())

    def test_a_wheel_is_the_module_with_its_library(self):
        build = [sys.executable, str(MODULE / "build_wheel.py"), "--library", LIBRARY, "-o"]
        wheels = []
        for name in ("a", "b"):
            done = subprocess.run([*build, str(self.folder / name)], check=True, capture_output=True, text=True)
            wheels.append(pathlib.Path(done.stdout.strip()))
        self.assertEqual(wheels[0].read_bytes(), wheels[1].read_bytes())
        self.assertRegex(wheels[0].name, rf"^teff-{teff.__version__}-py3-none-\w+\.whl$")
        environment = {key: value for key, value in os.environ.items() if key not in ("TEFF_C_LIBRARY", "PYTHONPATH")}
        install = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--target",
                   str(self.folder / "site"), str(wheels[0])]
        if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode == 0:
            subprocess.run(install, check=True, capture_output=True, env=environment)
        else:
            import zipfile
            zipfile.ZipFile(wheels[0]).extractall(self.folder / "site")
        code = f"import teff; print(teff.load_model({str(MODEL)!r}).num_parameters, teff.__file__)"
        done = subprocess.run([sys.executable, "-c", code], env={**environment, "PYTHONPATH": str(self.folder / "site")},
                              cwd=self.folder, check=True, capture_output=True, text=True)
        self.assertEqual(done.stdout.split()[0], "483")
        self.assertIn(str(self.folder), done.stdout)

    def test_a_missing_library_is_named(self):
        done = subprocess.run([sys.executable, "-c", "import teff"], capture_output=True, text=True,
                              env={**os.environ, "TEFF_C_LIBRARY": "/nowhere/libteff_c.so", "PYTHONPATH": str(MODULE)})
        self.assertIn("ImportError: teff: expected the library teff_c", done.stderr)
        self.assertIn("/nowhere/libteff_c.so", done.stderr)

    def test_handles_are_not_copied_by_python(self):
        import copy
        import pickle
        model = teff.load_model(MODEL)
        with self.assertRaisesRegex(TypeError, "expected clone"):
            copy.copy(model)
        with self.assertRaisesRegex(TypeError, "expected teff.save"):
            pickle.dumps(model)

    def test_each_thread_has_its_own_errors(self):
        wrong = []

        def work(i):
            for _ in range(200):
                try:
                    teff.load(f"/nowhere/of thread {i}")
                except teff.IoError as error:
                    if f"of thread {i}" not in str(error):
                        wrong.append(str(error))

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        self.assertEqual(wrong, [])

    def test_threads_are_counted(self):
        before = teff.get_num_threads()
        teff.set_num_threads(2)
        self.assertEqual(teff.get_num_threads(), 2)
        teff.set_num_threads(before)
        with self.assertRaises(teff.ValueError):
            teff.set_num_threads(0)


if __name__ == "__main__":
    unittest.main()
