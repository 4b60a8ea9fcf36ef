# SPDX-License-Identifier: MIT
"""Files: load and save."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from typing import Any, Literal, Union

from . import _errors
from ._library import Handle, lib, new
from ._tensor import Framework
from ._values import Dict, to_python, to_teff

Path = Union[str, "os.PathLike[str]"]
Format = Literal["by_name", "teff", "pytorch", "safetensors", "npz", "npy"]
_FORMATS = ("by_name", "teff", "pytorch", "safetensors", "npz", "npy")


class _LoadOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("verify", ctypes.c_int), ("mmap", ctypes.c_int),
                ("self_test", ctypes.c_int), ("inert_objects", ctypes.c_int), ("skip_unsupported", ctypes.c_int),
                ("max_work", ctypes.c_double), ("max_bytes", ctypes.c_double)]  # fmt: skip


class _SaveOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("format", ctypes.c_int), ("durable", ctypes.c_int),
                ("metadata", ctypes.c_void_p)]  # fmt: skip


def path_for_c(path: Path) -> bytes:
    """The bytes of a path. C would read one with a zero in it up to there, and open another file."""
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise _errors.ValueError(f"path: expected a path without zeros, got {path!r}")
    return encoded


def open_by(by_path: Any, by_bytes: Any, source: Path | bytes, *, verify: bool = True, mmap: bool = False,
            self_test: bool = False, inert_objects: bool = False, skip_unsupported: bool = False,
            max_work: float = 4e12, max_bytes: float = 2.0**34) -> Handle:
    """Calls one of two functions of C on a path, or on the bytes of a file."""
    options = _LoadOptions(ctypes.sizeof(_LoadOptions), verify, mmap, self_test, inert_objects, skip_unsupported,
                           max_work, max_bytes)
    if isinstance(source, bytes):
        return new(by_bytes, source, len(source), ctypes.addressof(options))
    return new(by_path, path_for_c(source), ctypes.addressof(options))


class SaveOptions:
    """Options for C, and what they refer to."""

    def __init__(self, format: Format, durable: bool, metadata: Mapping[str, Any] | None) -> None:
        if format not in _FORMATS:
            raise _errors.ValueError(f"save: expected one of {', '.join(_FORMATS)}, got {format!r}")
        self._metadata = to_teff(metadata or {})
        self._options = _SaveOptions(ctypes.sizeof(_SaveOptions), _FORMATS.index(format), durable,
                                     self._metadata._handle)

    def address(self) -> int:
        return ctypes.addressof(self._options)


def load(source: Path | bytes, framework: Framework = "numpy", *, verify: bool = True, mmap: bool = False,
         inert_objects: bool = False, skip_unsupported: bool = False) -> dict[str, Any]:
    """What a file holds: .teff, PyTorch's files, .safetensors, .npz, .npy, and the initialisers of .onnx. It is known by
    its content; nothing in it is run. ``source`` is a path, or the file's bytes.

    Tensors are arrays of NumPy, tensors of PyTorch or of Teff, as ``framework`` says, without a further copy. With
    ``mmap`` they are the file's own pages; writing to them does not change the file.

    Raises IoError, FormatError (damaged), UnsupportedError (another kind of file).
    """
    handle = open_by(lib.load, lib.load_bytes, source, verify=verify, mmap=mmap, inert_objects=inert_objects,
                     skip_unsupported=skip_unsupported)
    return to_python(Dict(handle), framework)


def save(values: Mapping[str, Any], path: Path, *, format: Format = "by_name", durable: bool = True,
         metadata: Mapping[str, Any] | None = None) -> None:
    """Writes a dictionary of arrays and tensors (NumPy's, PyTorch's, Teff's), numbers, texts, bytes, lists and
    dictionaries: as .pt, .safetensors, .npz, .npy by the path's extension, else as .teff. On any error the old file is
    untouched. Nothing is copied that is contiguous. ``durable``: flushed to the disk.
    """
    options = SaveOptions(format, durable, metadata)
    lib.save(to_teff(values), path_for_c(path), options.address())
