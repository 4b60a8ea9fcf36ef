# SPDX-License-Identifier: MIT
"""Dictionaries of Teff as Python's, and back."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import _errors
from ._library import Handle, Owner, lib, new
from ._tensor import Framework, Tensor, as_read, given

_NONE, _BOOL, _INT, _FLOAT, _TEXT, _BYTES, _TENSOR, _LIST, _DICT = range(9)


class Dict(Owner):
    """A dictionary of Teff."""

    __slots__ = ()
    _free = lib.dict_free


class _Value(Owner):
    __slots__ = ()
    _free = lib.value_free


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decode(pointer: Handle, length: ctypes.c_size_t) -> str:
    return ctypes.string_at(pointer, length.value).decode("utf-8", "surrogateescape")


def _read(function: Any, kind: Any, value: Handle) -> Any:
    result = kind()
    function(value, ctypes.byref(result))
    return result.value


def _span(function: Any, value: Handle) -> tuple[Handle, ctypes.c_size_t]:
    pointer, size = Handle(), ctypes.c_size_t()
    function(value, ctypes.byref(pointer), ctypes.byref(size))
    return pointer, size


def _python_list(value: Handle, framework: Framework) -> list[Any]:
    size = _read(lib.value_list_size, ctypes.c_size_t, value)
    return [_python_value(new(lib.value_list_at, value, place), framework) for place in range(size)]


def _python_value(value: Handle, framework: Framework) -> Any:
    kind = lib.value_kind(value)
    if kind == _BOOL:
        return bool(_read(lib.value_bool, ctypes.c_int, value))
    if kind == _INT:
        return _read(lib.value_int, ctypes.c_int64, value)
    if kind == _FLOAT:
        return _read(lib.value_float, ctypes.c_double, value)
    if kind == _TEXT:
        return _decode(*_span(lib.value_text, value))
    if kind == _BYTES:
        pointer, size = _span(lib.value_bytes, value)
        return ctypes.string_at(pointer, size.value) if size.value else b""
    if kind == _TENSOR:
        return given(Tensor(new(lib.value_tensor, value)), framework)
    if kind == _LIST:
        return _python_list(value, framework)
    if kind == _DICT:
        return _python_dict(new(lib.value_dict, value), framework)
    return None


def _python_dict(items: Handle | Dict, framework: Framework) -> dict[str, Any]:
    result = {}
    key, value, length = Handle(), Handle(), ctypes.c_size_t()
    for place in range(lib.dict_size(items)):
        lib.dict_item(items, place, ctypes.byref(key), ctypes.byref(length), ctypes.byref(value))
        result[_decode(key, length)] = _python_value(Handle(value.value), framework)
    return result


def to_python(values: Dict, framework: Framework) -> dict[str, Any]:
    """Its items; tensors share their memory with Teff's."""
    return _python_dict(values, framework)


def _list_value(items: Any) -> _Value:
    result = _Value(new(lib.value_of_list))
    for item in items:
        lib.value_append(result, _value_of(item))
    return result


def _int_value(value: int) -> _Value:
    if not -(2**63) <= value < 2**63:
        raise _errors.ValueError(f"save: expected integers of 64 bits, got {value}")
    return _Value(new(lib.value_of_int, value))


def _value_of(value: Any) -> _Value:
    if value is None:
        return _Value(new(lib.value_of_none))
    if isinstance(value, (bool, np.bool_)):
        return _Value(new(lib.value_of_bool, int(value)))
    if isinstance(value, (int, np.integer)):
        return _int_value(int(value))
    if isinstance(value, (float, np.floating)):
        return _Value(new(lib.value_of_float, float(value)))
    if isinstance(value, str):
        text = _encode(value)
        return _Value(new(lib.value_of_text, text, len(text)))
    if isinstance(value, (bytes, bytearray)):
        return _Value(new(lib.value_of_bytes, bytes(value), len(value)))
    if isinstance(value, Mapping):
        return _Value(new(lib.value_of_dict, to_teff(value)))
    if isinstance(value, (list, tuple)):
        return _list_value(value)
    tensor = as_read(value)
    return _Value(new(lib.value_of_tensor, tensor))


def to_teff(values: Mapping[str, Any]) -> Dict:
    """A dictionary of Teff; arrays and tensors share their memory with it."""
    result = Dict(new(lib.dict_new))
    for key, value in values.items():
        if not isinstance(key, str) or "\0" in key:
            raise _errors.TypeError(f"save: expected keys that are texts without zeros, got {key!r}")
        lib.dict_set(result, _encode(key), _value_of(value))
    return result
