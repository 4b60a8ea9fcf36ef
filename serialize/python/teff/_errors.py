# SPDX-License-Identifier: MIT
"""The errors of Teff: one class for each code of teff_status. Those that Python has too are also Python's."""

from __future__ import annotations

import builtins


class Error(Exception):
    """Root of every error that Teff raises."""


class ShapeError(Error, builtins.ValueError):
    """Shapes that do not fit an operation or each other."""


class TypeError(Error, builtins.TypeError):
    """A dtype, or a kind of value, that is not taken."""


class ValueError(Error, builtins.ValueError):
    """A number outside its range."""


class IndexError(Error, builtins.IndexError):
    """An index or a key that is not there."""


class ResourceError(Error, builtins.MemoryError):
    """Memory that there is not, or a model that would take more than its limit."""


class StateDictError(Error, builtins.ValueError):
    """A state dict that does not fit; nothing was changed. The text lists every key."""


class FormatError(Error, builtins.ValueError):
    """A file that is damaged, foreign, hostile or of a newer version."""


class UnsupportedError(FormatError):
    """A file that may be whole, but of a kind that Teff does not read."""


class IoError(Error, builtins.OSError):
    """A file that the operating system could not open, read, write or rename."""


#: By teff_status. A code of a later version is an Error.
BY_CODE: dict[int, type[Error]] = {
    2: ShapeError,
    3: TypeError,
    4: ValueError,
    5: IndexError,
    6: ResourceError,
    7: StateDictError,
    8: FormatError,
    9: UnsupportedError,
    10: IoError,
}
