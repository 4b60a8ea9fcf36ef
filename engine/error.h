// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>
#include <string>

#include "teff/export.h"

namespace TEFF_EXPORT teff {

/// Root of every exception that Teff throws. The text starts with the operation, module or file concerned:
/// `<op>: expected <rule>, got <actual>`.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Shapes that do not fit an operation or each other.
struct ShapeError : Error {
  using Error::Error;
};

/// A dtype, or a kind of value, that an operation does not take.
struct TypeError : Error {
  using Error::Error;
};

/// A number outside its range: a negative learning rate, a probability above 1.
struct ValueError : Error {
  using Error::Error;
};

/// An index or a key that is not there.
struct IndexError : Error {
  using Error::Error;
};

/// Memory that there is not, or a model that would take more memory or work than its limit. The text has the numbers.
struct ResourceError : Error {
  using Error::Error;
};

/// A state dict that does not fit the module or optimiser it is loaded into; nothing was changed.
struct StateDictError : Error {
  using Error::Error;
};

/// A file whose content is damaged, foreign, hostile or of a newer version.
struct FormatError : Error {
  using Error::Error;
};

/// A file that may be whole but is of a kind that Teff does not read, or holds what Teff has no place for.
struct UnsupportedError : FormatError {
  using FormatError::FormatError;
};

/// A file that the operating system could not open, read, write or rename.
struct IoError : Error {
  using Error::Error;
};

}  // namespace teff
