# SPDX-License-Identifier: MIT
"""The shared library teff_c, by ctypes: found, declared, its errors as exceptions, its handles as objects."""

from __future__ import annotations

import atexit
import ctypes
import ctypes.util
import os
import pathlib
from typing import Any, Callable

from ._errors import BY_CODE, Error

Handle = ctypes.c_void_p

RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

# What the letters below stand for.
_TYPES: dict[str, Any] = {
    "h": ctypes.c_void_p,  # a handle, or memory
    "H": ctypes.POINTER(ctypes.c_void_p),
    "s": ctypes.c_char_p,
    "S": ctypes.POINTER(ctypes.c_char_p),
    "i": ctypes.c_int,
    "I": ctypes.POINTER(ctypes.c_int),
    "q": ctypes.c_int64,
    "Q": ctypes.POINTER(ctypes.c_int64),
    "u": ctypes.c_uint64,
    "z": ctypes.c_size_t,
    "Z": ctypes.POINTER(ctypes.c_size_t),
    "d": ctypes.c_double,
    "D": ctypes.POINTER(ctypes.c_double),
    "v": None,
    "r": RELEASE,
}

# The functions whose result is a teff_status, by their arguments.
_CHECKED = {
    "num_threads": "I", "set_num_threads": "i", "manual_seed": "u",
    "tensor_from_external": "hizQrhH", "tensor_from_data": "hizQH", "tensor_share": "hH", "tensor_clone": "hH",
    "tensor_to": "hiH", "tensor_copy": "hh", "tensor_item": "hD", "tensor_to_text": "hH", "tensor_backward": "h",
    "tensor_grad": "hH",
    "dict_new": "H", "dict_item": "hzHZH", "dict_set": "hsh",
    "value_of_none": "H", "value_of_bool": "iH", "value_of_int": "qH", "value_of_float": "dH", "value_of_text": "szH",
    "value_of_bytes": "szH", "value_of_tensor": "hH", "value_of_dict": "hH", "value_of_list": "H",
    "value_append": "hh", "value_bool": "hI", "value_int": "hQ", "value_float": "hD", "value_text": "hHZ",
    "value_bytes": "hHZ", "value_tensor": "hH", "value_dict": "hH", "value_list_size": "hZ", "value_list_at": "hzH",
    "load": "shH", "load_bytes": "szhH", "save": "hsh",
    "model_load": "shH", "model_load_bytes": "szhH", "model_save": "hHzsh", "model_clone": "hH",
    "model_input": "hzh", "model_output": "hzh", "model_to_text": "hH", "model_num_parameters": "hQ",
    "model_train": "hi", "model_run": "hHzHz", "model_forward": "hHzHz", "model_state_dict": "hH",
    "model_load_state_dict": "hhi",
    "session_new": "hhzhH", "session_copy": "hH", "session_run": "hHzHz", "session_reset_state": "h",
    "cross_entropy": "hhiH", "nll_loss": "hhiH", "mse_loss": "hhiH", "l1_loss": "hhiH", "smooth_l1_loss": "hhiH",
    "huber_loss": "hhiH", "binary_cross_entropy": "hhiH", "binary_cross_entropy_with_logits": "hhiH",
    "clip_grad_norm": "hdD",
    "sgd_new": "hhH", "adam_new": "hhH", "adamw_new": "hhH", "optimizer_step": "h", "optimizer_zero_grad": "h",
    "optimizer_lr": "hD", "optimizer_set_lr": "hd", "optimizer_state_dict": "hH", "optimizer_load_state_dict": "hh",
}  # fmt: skip

# Those of them that are done in no time, by how their names begin.
_SHORT = ("value_", "dict_", "tensor_share", "tensor_from_external", "tensor_grad", "model_input", "model_output")

# The others, which are all short; the first letter is the result's.
_PLAIN = {
    "last_error": "s", "version": "s", "string_free": "vh",
    "tensor_free": "vh", "tensor_dtype": "ih", "tensor_dims": "zh", "tensor_sizes": "Qh", "tensor_numel": "qh",
    "tensor_nbytes": "zh", "tensor_data": "hh",
    "dict_free": "vh", "dict_size": "zh", "value_free": "vh", "value_kind": "ih",
    "model_free": "vh", "model_num_inputs": "zh", "model_num_outputs": "zh", "model_is_training": "ih",
    "session_free": "vh", "session_memory_bytes": "zh", "optimizer_free": "vh",
}  # fmt: skip


def _candidates() -> list[str]:
    """Where the library may be: TEFF_C_LIBRARY, beside this file (in a wheel), wherever the system looks."""
    chosen = os.environ.get("TEFF_C_LIBRARY")
    if chosen:
        return [chosen]
    here = pathlib.Path(__file__).parent
    beside = [str(path) for path in sorted(here.glob("*teff_c*")) if path.suffix != ".py"]
    return beside + [name for name in (ctypes.util.find_library("teff_c"),) if name]


def _open() -> ctypes.CDLL:
    tried = []
    for name in _candidates():
        try:
            return ctypes.CDLL(name)
        except OSError as error:
            tried.append(str(error))
    raise ImportError("teff: expected the library teff_c beside this module, on the system's path or by the "
                      "environment's TEFF_C_LIBRARY, got " + ("; ".join(tried) or "none"))


def _check(status: int, function: Any, arguments: Any) -> int:
    if status != 0:
        text = lib.last_error().decode("utf-8", "replace")
        raise BY_CODE.get(status, Error)(text)
    return status


class _Library:
    """`lib.tensor_item(...)` is teff_tensor_item. A status that is not TEFF_OK raises.

    What is done in no time keeps Python's lock: another thread that had it meanwhile would keep it for milliseconds.
    So does whatever frees, for it may call _release of _tensor.py, and a thread that waits for the lock while the
    interpreter ends is ended by force, which C++ does not survive.
    """

    def __init__(self) -> None:
        unlocked = _open()
        locked = ctypes.PyDLL(unlocked._name, handle=unlocked._handle)
        for name, letters in _CHECKED.items():
            function = self._declare(locked if name.startswith(_SHORT) else unlocked, name, "i" + letters)
            function.errcheck = _check
        for name, letters in _PLAIN.items():
            self._declare(locked, name, letters)

    def _declare(self, cdll: ctypes.CDLL, name: str, letters: str) -> Any:
        function = getattr(cdll, "teff_" + name)
        function.restype = _TYPES[letters[0]]
        function.argtypes = [_TYPES[letter] for letter in letters[1:]]
        setattr(self, name, function)
        return function

    def __getattr__(self, name: str) -> Any:  # for those who check types: the functions are set above
        raise AttributeError(name)


lib = _Library()

# Objects that are destroyed while the interpreter ends leave their memory to the system: what their destruction calls may
# be gone already.
_running = [True]
atexit.register(_running.clear)


class Owner:
    """Has a handle, and gives it back. It is passed to C as it is, never its handle: so it lives while C works."""

    __slots__ = ("_handle", "__weakref__")
    _free: Callable[[Any], None]

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    @property
    def _as_parameter_(self) -> Handle:
        return self._handle

    def __del__(self, running: list[bool] = _running) -> None:
        if running and hasattr(self, "_handle"):
            self._free(self._handle)

    def __copy__(self) -> Any:
        raise builtin_type_error(f"copy: expected clone() of a {type(self).__name__}")

    def __reduce__(self) -> Any:
        raise builtin_type_error(f"pickle: expected teff.save of a {type(self).__name__}, which is no Python object")


builtin_type_error = TypeError


def new(function: Callable[..., Any], *arguments: Any) -> Handle:
    """Calls a function whose last argument takes the result."""
    result = Handle()
    function(*arguments, ctypes.byref(result))
    return result


def text_of(function: Callable[..., Any], owner: Owner) -> str:
    """A text that the caller gives back."""
    text = new(function, owner)
    try:
        return ctypes.string_at(text).decode("utf-8", "replace")
    finally:
        lib.string_free(text)
