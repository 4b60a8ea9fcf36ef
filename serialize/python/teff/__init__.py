# SPDX-License-Identifier: MIT
"""Teff's files and models in Python: NumPy and ctypes, nothing compiled.

    import numpy as np, teff

    weights = teff.load("weights.teff")             # {"conv.weight": array(...), ...}
    model = teff.load_model("model.teff").eval()
    scores = model(np.zeros((1, 1, 28, 28), np.float32))

docs/python.md has more.
"""

from __future__ import annotations

import ctypes

from ._errors import (Error, FormatError, IndexError, IoError, ResourceError, ShapeError, StateDictError, TypeError,
                      UnsupportedError, ValueError)
from ._files import load, save
from ._library import lib as _lib
from ._model import Model, Port, Session, load_model
from ._tensor import Tensor, as_tensor
from ._training import (SGD, Adam, AdamW, Optimizer, binary_cross_entropy, binary_cross_entropy_with_logits,
                        clip_grad_norm_, cross_entropy, huber_loss, l1_loss, mse_loss, nll_loss, smooth_l1_loss)

__version__: str = _lib.version().decode()


def manual_seed(seed: int) -> None:
    """Seeds the random numbers of dropout."""
    _lib.manual_seed(seed)


def set_num_threads(count: int) -> None:
    """Threads that one operation may use. Results have the same bits for any number."""
    _lib.set_num_threads(count)


def get_num_threads() -> int:
    """Threads that one operation may use."""
    result = ctypes.c_int()
    _lib.num_threads(ctypes.byref(result))
    return result.value


__all__ = [
    "SGD", "Adam", "AdamW", "Error", "FormatError", "IndexError", "IoError", "Model", "Optimizer", "Port",
    "ResourceError", "Session", "ShapeError", "StateDictError", "Tensor", "TypeError", "UnsupportedError", "ValueError",
    "as_tensor", "binary_cross_entropy", "binary_cross_entropy_with_logits", "clip_grad_norm_", "cross_entropy",
    "get_num_threads", "huber_loss", "l1_loss", "load", "load_model", "manual_seed", "mse_loss", "nll_loss", "save",
    "set_num_threads", "smooth_l1_loss",
]  # fmt: skip
