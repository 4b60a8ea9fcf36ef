# SPDX-License-Identifier: MIT
"""Losses and optimisers for a loaded model, with PyTorch's names and defaults."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any, Literal

from . import _errors
from ._library import Owner, lib, new
from ._model import Model
from ._tensor import Framework, Tensor, as_tensor
from ._values import Dict, to_python, to_teff

Reduction = Literal["none", "mean", "sum"]
_REDUCTIONS = ("none", "mean", "sum")


def _loss(function: Any, input: Any, target: Any, reduction: Reduction) -> Tensor:
    if reduction not in _REDUCTIONS:
        raise _errors.ValueError(f"reduction: expected one of {', '.join(_REDUCTIONS)}, got {reduction!r}")
    x, y = as_tensor(input), as_tensor(target)
    return Tensor(new(function, x, y, _REDUCTIONS.index(reduction)))


def cross_entropy(input: Any, target: Any, reduction: Reduction = "mean") -> Tensor:
    """Logits [N, C, ...] against classes (int64) or probabilities."""
    return _loss(lib.cross_entropy, input, target, reduction)


def nll_loss(input: Any, target: Any, reduction: Reduction = "mean") -> Tensor:
    """Log-probabilities [N, C, ...] against classes (int64)."""
    return _loss(lib.nll_loss, input, target, reduction)


def mse_loss(input: Any, target: Any, reduction: Reduction = "mean") -> Tensor:
    """The squared difference."""
    return _loss(lib.mse_loss, input, target, reduction)


def l1_loss(input: Any, target: Any, reduction: Reduction = "mean") -> Tensor:
    """The magnitude of the difference."""
    return _loss(lib.l1_loss, input, target, reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: Reduction = "mean") -> Tensor:
    """Squared below 1, linear above."""
    return _loss(lib.smooth_l1_loss, input, target, reduction)


def huber_loss(input: Any, target: Any, reduction: Reduction = "mean") -> Tensor:
    """Squared below 1, linear above."""
    return _loss(lib.huber_loss, input, target, reduction)


def binary_cross_entropy(input: Any, target: Any, reduction: Reduction = "mean") -> Tensor:
    """Probabilities against targets from 0 to 1."""
    return _loss(lib.binary_cross_entropy, input, target, reduction)


def binary_cross_entropy_with_logits(input: Any, target: Any, reduction: Reduction = "mean") -> Tensor:
    """Logits against targets from 0 to 1."""
    return _loss(lib.binary_cross_entropy_with_logits, input, target, reduction)


def clip_grad_norm_(model: Model, max_norm: float) -> float:
    """Scales the gradients so that their norm is at most ``max_norm``; gives what it was."""
    norm = ctypes.c_double()
    lib.clip_grad_norm(model, max_norm, ctypes.byref(norm))
    return norm.value


class _SgdOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("lr", ctypes.c_double), ("momentum", ctypes.c_double),
                ("dampening", ctypes.c_double), ("weight_decay", ctypes.c_double), ("nesterov", ctypes.c_int),
                ("maximize", ctypes.c_int)]  # fmt: skip


class _AdamOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("lr", ctypes.c_double), ("beta1", ctypes.c_double),
                ("beta2", ctypes.c_double), ("eps", ctypes.c_double), ("weight_decay", ctypes.c_double),
                ("amsgrad", ctypes.c_int), ("maximize", ctypes.c_int)]  # fmt: skip


def _with_keys(kind: type, state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """The same with keys of that kind for the parameters."""
    state = state_dict.get("state")
    if not isinstance(state, Mapping):
        return dict(state_dict)
    return {**state_dict, "state": {kind(key): value for key, value in state.items()}}


class Optimizer(Owner):
    """What SGD, Adam and AdamW share. It has handles of the model's parameters."""

    __slots__ = ()
    _free = lib.optimizer_free

    def step(self) -> None:
        """Updates the parameters by their gradients."""
        lib.optimizer_step(self)

    def zero_grad(self) -> None:
        """Removes the gradients."""
        lib.optimizer_zero_grad(self)

    @property
    def lr(self) -> float:
        """The learning rate; may be set."""
        result = ctypes.c_double()
        lib.optimizer_lr(self, ctypes.byref(result))
        return result.value

    @lr.setter
    def lr(self, value: float) -> None:
        lib.optimizer_set_lr(self, value)

    def state_dict(self, framework: Framework = "numpy") -> dict[str, Any]:
        """PyTorch's form, tensors on the optimiser's own memory. Parameters are "0", "1", ...; for "torch" they are
        numbers, as its optimisers take them."""
        state_dict = to_python(Dict(new(lib.optimizer_state_dict, self)), framework)
        return _with_keys(int, state_dict) if framework == "torch" else state_dict

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """That of an optimiser of the same kind, PyTorch's too. All or nothing. StateDictError for what does not fit."""
        lib.optimizer_load_state_dict(self, to_teff(_with_keys(str, state_dict)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(lr={self.lr})"


class SGD(Optimizer):
    """Stochastic gradient descent with momentum."""

    __slots__ = ()

    def __init__(self, model: Model, lr: float = 1e-3, *, momentum: float = 0, dampening: float = 0,
                 weight_decay: float = 0, nesterov: bool = False, maximize: bool = False) -> None:
        options = _SgdOptions(ctypes.sizeof(_SgdOptions), lr, momentum, dampening, weight_decay, nesterov, maximize)
        super().__init__(new(lib.sgd_new, model, ctypes.addressof(options)))


class Adam(Optimizer):
    """Adam."""

    __slots__ = ()
    _new = lib.adam_new

    def __init__(self, model: Model, lr: float = 1e-3, *, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, amsgrad: bool = False, maximize: bool = False) -> None:
        options = _AdamOptions(ctypes.sizeof(_AdamOptions), lr, *betas, eps, weight_decay, amsgrad, maximize)
        super().__init__(new(type(self)._new, model, ctypes.addressof(options)))


class AdamW(Adam):
    """Adam with decoupled weight decay."""

    __slots__ = ()
    _new = lib.adamw_new

    def __init__(self, model: Model, lr: float = 1e-3, *, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 1e-2, amsgrad: bool = False, maximize: bool = False) -> None:
        super().__init__(model, lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize)
