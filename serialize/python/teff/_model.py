# SPDX-License-Identifier: MIT
"""Models without a class, and sessions."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._files import Path, SaveOptions, open_by, path_for_c
from ._library import Owner, lib, new, text_of
from ._tensor import NAMES, Framework, Tensor, as_tensor, framework_of, given, handles, tensors_of
from ._values import Dict, to_python, to_teff


class _Port(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("dtype", ctypes.c_int), ("dims", ctypes.c_size_t),
                ("sizes", ctypes.POINTER(ctypes.c_int64))]  # fmt: skip


class _Shape(ctypes.Structure):
    _fields_ = [("dims", ctypes.c_size_t), ("sizes", ctypes.POINTER(ctypes.c_int64))]


class _State(ctypes.Structure):
    _fields_ = [("input", ctypes.c_char_p), ("output", ctypes.c_char_p)]


class _SessionOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("winograd", ctypes.c_int), ("states", ctypes.POINTER(_State)),
                ("num_states", ctypes.c_size_t)]  # fmt: skip


@dataclass(frozen=True)
class Port:
    """An input or output of a model. A size of -1 is free, or follows one that is."""

    name: str
    dtype: str
    shape: tuple[int, ...]


def _port(function: Any, model: Model, place: int) -> Port:
    port = _Port()
    function(model, place, ctypes.addressof(port))
    return Port(port.name.decode("utf-8", "replace"), NAMES[port.dtype], tuple(port.sizes[i] for i in range(port.dims)))


def _call(function: Any, runner: Owner, inputs: Sequence[Any], outputs: int) -> list[Tensor]:
    """Runs a model or a session."""
    tensors = [as_tensor(value) for value in inputs]
    results = (ctypes.c_void_p * outputs)()
    function(runner, handles(tensors), len(tensors), results, outputs)
    return tensors_of(results)


def _form(results: list[Any]) -> Any:
    return results[0] if len(results) == 1 else tuple(results)


class Model(Owner):
    """A network that was loaded from a file: it runs, prints, trains and is saved, without a class."""

    __slots__ = ()
    _free = lib.model_free

    def __call__(self, *inputs: Any) -> Any:
        """What the model gives, in the form of the first input: arrays of NumPy, tensors of PyTorch or of Teff; of
        several outputs a tuple. Nothing is recorded, and no input is copied that is contiguous. Several threads may
        call a model in evaluation mode."""
        results = _call(lib.model_run, self, inputs, lib.model_num_outputs(self))
        framework = framework_of(inputs[0]) if inputs else "numpy"
        return _form([given(result, framework) for result in results])

    def forward(self, *inputs: Any) -> Any:
        """The same as tensors of Teff, recorded for backward(): for training."""
        return _form(_call(lib.model_forward, self, inputs, lib.model_num_outputs(self)))

    def train(self, mode: bool = True) -> Model:
        """Training or evaluation mode: dropout and batch norm differ."""
        lib.model_train(self, int(mode))
        return self

    def eval(self) -> Model:
        """Evaluation mode: call it before inference."""
        return self.train(False)

    @property
    def training(self) -> bool:
        return bool(lib.model_is_training(self))

    @property
    def inputs(self) -> tuple[Port, ...]:
        return tuple(_port(lib.model_input, self, i) for i in range(lib.model_num_inputs(self)))

    @property
    def outputs(self) -> tuple[Port, ...]:
        return tuple(_port(lib.model_output, self, i) for i in range(lib.model_num_outputs(self)))

    @property
    def num_parameters(self) -> int:
        result = ctypes.c_int64()
        lib.model_num_parameters(self, ctypes.byref(result))
        return result.value

    def state_dict(self, framework: Framework = "numpy") -> dict[str, Any]:
        """Parameters and buffers by name, on the model's own memory: who writes to them changes the model."""
        return to_python(Dict(new(lib.model_state_dict, self)), framework)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> None:
        """Copies arrays or tensors into the model, all or nothing. StateDictError lists every key that does not fit."""
        lib.model_load_state_dict(self, to_teff(state_dict), int(strict))

    def clone(self) -> Model:
        """A model with tensors of its own."""
        return Model(new(lib.model_clone, self))

    def save(self, path: Path, *inputs: Any, durable: bool = True, metadata: Mapping[str, Any] | None = None) -> None:
        """Writes it as a .teff file, with the first rows of the example inputs and what comes of them as its test; with
        the extension .onnx as an ONNX file, with .pt or .pth as a TorchScript archive.
        """
        tensors = [as_tensor(value) for value in inputs]
        options = SaveOptions("by_name", durable, metadata)
        lib.model_save(self, handles(tensors), len(tensors), path_for_c(path), options.address())

    def session(self, *shapes: Sequence[int], states: Mapping[str, str] | None = None,
                winograd: bool = True) -> Session:
        """The model made ready for inputs of these shapes: faster. The weights must stay as they are. ``states``: inputs
        that the session itself takes from an output of the run before, by the names of the ports: {"h": "h_n"}."""
        return Session(self, *shapes, states=states, winograd=winograd)

    def __repr__(self) -> str:
        return text_of(lib.model_to_text, self)


def load_model(source: Path | bytes, *, verify: bool = True, mmap: bool = False, self_test: bool = False,
               max_work: float = 4e12, max_bytes: float = 2.0**34) -> Model:
    """The network in a .teff or ONNX file, at a path or in bytes. ``self_test`` runs the example in the file and compares.
    A run that would take more than ``max_work`` operations or ``max_bytes`` is refused, then and later (ResourceError).
    """
    return Model(open_by(lib.model_load, lib.model_load_bytes, source, verify=verify, mmap=mmap, self_test=self_test,
                         max_work=max_work, max_bytes=max_bytes))  # fmt: skip


class Session(Owner):
    """A model in evaluation mode, made ready for inputs of fixed shapes. For one thread at a time; copies share the
    weights: one for each thread."""

    __slots__ = ("_outputs",)
    _free = lib.session_free

    def __init__(self, model: Model, *shapes: Sequence[int], states: Mapping[str, str] | None = None,
                 winograd: bool = True) -> None:
        sizes = [(ctypes.c_int64 * len(shape))(*shape) for shape in shapes]
        array = (_Shape * len(shapes))(*(_Shape(len(s), ctypes.cast(s, ctypes.POINTER(ctypes.c_int64))) for s in sizes))
        pairs = [_State(key.encode(), value.encode()) for key, value in (states or {}).items()]
        options = _SessionOptions(ctypes.sizeof(_SessionOptions), winograd, (_State * len(pairs))(*pairs), len(pairs))
        super().__init__(new(lib.session_new, model, ctypes.addressof(array), len(shapes), ctypes.addressof(options)))
        self._outputs = lib.model_num_outputs(model)

    def __call__(self, *inputs: Any, copy: bool = True) -> Any:
        """As Model's. Without ``copy`` the results are the session's own memory, which the next run overwrites."""
        results = _call(lib.session_run, self, inputs, self._outputs)
        framework = framework_of(inputs[0]) if inputs else "numpy"
        return _form([given(result.clone() if copy else result, framework) for result in results])

    def reset_state(self) -> None:
        """The next run begins with states of zeros, as the first does."""
        lib.session_reset_state(self)

    def copy(self) -> Session:
        """Another session of the same weights."""
        other = Session.__new__(Session)
        other._handle = new(lib.session_copy, self)
        other._outputs = self._outputs
        return other

    @property
    def memory_bytes(self) -> int:
        """Bytes of the block that holds all results in between."""
        return lib.session_memory_bytes(self)

    def __repr__(self) -> str:
        return f"Session(outputs={self._outputs}, memory_bytes={self.memory_bytes})"


__all__ = ["Model", "Port", "Session", "load_model"]
