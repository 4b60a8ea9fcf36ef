# SPDX-License-Identifier: MIT
"""Tensors of Teff, and the way to NumPy and PyTorch and back, without copies where both sides can see one memory."""

from __future__ import annotations

import ctypes
import itertools
import sys
from typing import Any, Literal

import numpy as np

from . import _errors
from ._library import RELEASE, Handle, Owner, lib, new, text_of

Framework = Literal["numpy", "torch", "teff"]

#: Names of dtypes by the numbers of teff_dtype.
NAMES = {1: "float32", 2: "float64", 3: "int64", 4: "int32", 5: "int16", 6: "int8", 7: "uint8", 8: "bool", 9: "float16",
         10: "bfloat16", 11: "uint16", 12: "uint32", 13: "uint64", 14: "float8_e4m3fn", 15: "float8_e5m2"}  # fmt: skip
NUMBERS = {name: number for number, name in NAMES.items()}
# NumPy has no such dtypes: PyTorch sees their bits.
_AS_BITS = {"bfloat16": "int16", "float8_e4m3fn": "uint8", "float8_e5m2": "uint8"}

# dtype.name is computed anew each time.
_NUMPY_NAMES = {np.dtype(name): name for name in NUMBERS if name not in _AS_BITS}

# What the memory of tensors belongs to, until they are gone.
_kept: dict[int, Any] = {}
_numbers = itertools.count(1)


@RELEASE
def _release(context: Any) -> None:
    _kept.pop(context, None)


class Tensor(Owner):
    """A tensor of Teff: a handle, as a tensor of PyTorch is. ``numpy()``, ``np.asarray`` and ``torch()`` see its memory,
    and keep it for as long as they need it."""

    __slots__ = ()
    _free = lib.tensor_free

    @property
    def shape(self) -> tuple[int, ...]:
        sizes = lib.tensor_sizes(self)
        return tuple(sizes[i] for i in range(lib.tensor_dims(self)))

    @property
    def dtype(self) -> str:
        """PyTorch's name: ``"float32"``, ``"bfloat16"``."""
        return NAMES[lib.tensor_dtype(self)]

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward() left here."""
        try:
            return Tensor(new(lib.tensor_grad, self))
        except _errors.ValueError:
            return None

    def backward(self) -> None:
        """Adds to the gradient of each parameter its derivative of this tensor, which has one element."""
        lib.tensor_backward(self)

    def item(self) -> float:
        """The only element."""
        result = ctypes.c_double()
        lib.tensor_item(self, ctypes.byref(result))
        return result.value

    def clone(self) -> Tensor:
        """A copy of the elements."""
        return Tensor(new(lib.tensor_clone, self))

    def to(self, dtype: str) -> Tensor:
        """Converted elements; the same tensor if it has that dtype."""
        if dtype not in NUMBERS:
            raise _errors.ValueError(f"to: expected one of {', '.join(NUMBERS)}, got {dtype!r}")
        return Tensor(new(lib.tensor_to, self, NUMBERS[dtype]))

    def numpy(self) -> np.ndarray:
        """An array on the same memory. TypeError for dtypes that NumPy has not: convert, or use torch()."""
        return np.asarray(_Memory(self, self._numpy_dtype()))

    def torch(self) -> Any:
        """A tensor of PyTorch on the same memory. TypeError for dtypes that this PyTorch has not."""
        import torch

        name = self.dtype
        dtype = getattr(torch, name, None)
        if dtype is None:
            raise _errors.TypeError(f"torch: expected a dtype that this PyTorch has, got {name}")
        bits = torch.from_numpy(np.asarray(_Memory(self, np.dtype(_AS_BITS.get(name, name)))))
        return bits.view(dtype) if name in _AS_BITS else bits

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        if dtype is None or array.dtype == dtype:
            return array.copy() if copy else array
        if copy is False:
            raise _errors.ValueError(f"array: expected no other dtype without a copy, got {dtype} for {self.dtype}")
        return array.astype(dtype)

    def __float__(self) -> float:
        return self.item()

    def __len__(self) -> int:
        if not self.shape:
            raise _errors.TypeError("len: expected a tensor with dimensions, got one without")
        return self.shape[0]

    def __repr__(self) -> str:
        return text_of(lib.tensor_to_text, self)

    def _numpy_dtype(self) -> np.dtype:
        name = self.dtype
        if name in _AS_BITS:
            raise _errors.TypeError(f"numpy: expected a dtype that NumPy has, got {name}: convert it by "
                                    "to('float32'), or see it by torch() (framework='torch')")
        return np.dtype(name)


class _Memory:
    """What NumPy sees of a tensor; it keeps the tensor, and NumPy keeps it."""

    def __init__(self, tensor: Tensor, dtype: np.dtype) -> None:
        self._tensor = tensor
        data = lib.tensor_data(tensor) if lib.tensor_numel(tensor) else None
        self._nothing = np.empty(tensor.shape, dtype) if data is None else None
        self.__array_interface__ = {
            "version": 3,
            "shape": tensor.shape,
            "typestr": dtype.str,
            "data": (data, False) if self._nothing is None else (self._nothing.ctypes.data, False),
        }


def is_torch(value: Any) -> bool:
    """Whether it is a tensor of PyTorch, which is not imported for that."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _on(data: int, dtype: str, shape: tuple[int, ...], owner: Any) -> Tensor:
    """A tensor on the memory of the owner."""
    sizes = (ctypes.c_int64 * len(shape))(*shape)
    number = next(_numbers)
    _kept[number] = owner
    try:
        return Tensor(new(lib.tensor_from_external, data or None, NUMBERS[dtype], len(shape), sizes, _release, number))
    except BaseException:
        _kept.pop(number, None)
        raise


def _from_torch(value: Any) -> Tensor:
    torch = sys.modules["torch"]
    name = str(value.dtype).removeprefix("torch.")
    if name not in NUMBERS or value.layout != torch.strided:
        raise _errors.TypeError(f"tensor: expected a dense tensor of {', '.join(NUMBERS)}, got {name}, {value.layout}")
    dense = value.detach().cpu().resolve_neg().contiguous()
    return _on(dense.data_ptr(), name, tuple(dense.shape), dense)


def _from_numpy(array: np.ndarray, writeable: bool) -> Tensor:
    dtype, flags = array.dtype, array.flags
    name = _NUMPY_NAMES.get(dtype) or _NUMPY_NAMES.get(dtype.newbyteorder("="))
    if name is None:
        raise _errors.TypeError(f"tensor: expected an array of {', '.join(NUMBERS)}, got {dtype}")
    if not (flags.c_contiguous and flags.aligned and dtype.isnative and (flags.writeable or not writeable)):
        array = np.array(array, dtype.newbyteorder("="), order="C")
    return _on(array.__array_interface__["data"][0] if array.size else 0, name, array.shape, array)


def _as_array(value: Any) -> np.ndarray:
    """Numbers and lists of numbers become what they become in PyTorch; whatever else has numbers keeps their dtype."""
    if isinstance(value, np.ma.MaskedArray):
        raise _errors.TypeError("tensor: expected an array without a mask, got a masked one: fill it by filled()")
    array = np.asarray(value)
    numbers = isinstance(value, (float, list, tuple)) and not isinstance(value, np.generic)
    return array.astype(np.float32) if numbers and array.dtype == np.float64 else array


def as_read(value: Any) -> Tensor:
    """As as_tensor, for those who only read: memory that nobody may write to is shared, too."""
    if isinstance(value, Tensor):
        return value
    return _from_torch(value) if is_torch(value) else _from_numpy(_as_array(value), writeable=False)


def as_tensor(value: Any) -> Tensor:
    """A tensor of Teff on the memory of an array of NumPy or a tensor of PyTorch, which is kept as long as it is needed;
    a copy if it is read-only, on another device, strided, not aligned or of foreign byte order. Numbers and lists of
    numbers become float32, int64 or bool, as in PyTorch."""
    if isinstance(value, Tensor):
        return value
    return _from_torch(value) if is_torch(value) else _from_numpy(_as_array(value), writeable=True)


def framework_of(value: Any) -> Framework:
    """In whose form an answer to this value is given."""
    if isinstance(value, Tensor):
        return "teff"
    return "torch" if is_torch(value) else "numpy"


def given(tensor: Tensor, framework: Framework) -> Any:
    """The tensor in the form of a framework, on the same memory."""
    if framework == "numpy":
        return tensor.numpy()
    if framework == "torch":
        return tensor.torch()
    if framework == "teff":
        return tensor
    raise _errors.ValueError(f"framework: expected 'numpy', 'torch' or 'teff', got {framework!r}")


def handles(tensors: list[Tensor]) -> Any:
    """Their handles as an array of C."""
    return (ctypes.c_void_p * len(tensors))(*(tensor._handle.value for tensor in tensors))


def tensors_of(array: Any) -> list[Tensor]:
    """The owners of an array of handles."""
    return [Tensor(Handle(value)) for value in array]
