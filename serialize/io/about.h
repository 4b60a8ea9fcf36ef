// SPDX-License-Identifier: MIT
#pragma once

// Private: errors that say which function and which file they are about.

#include <climits>
#include <string>

#include "teff/engine/error.h"
#include "teff/engine/text.h"
#include "teff/serialize/io/place.h"

namespace teff::serialize {

/// Adds which function and which file an error is about. What is not a question of the system or of its
/// means is thrown as Otherwise.
template <class Otherwise, class Function>
auto about(const char* function, const std::string& place, Function&& body) {
  const auto text = [&](const Error& error) {
    return std::string(function) + ": " + escaped(place, PATH_MAX) + ": " + detail::escaped(error.what());
  };
  try {
    return body();
  } catch (const IoError& error) {
    throw IoError(text(error));
  } catch (const UnsupportedError& error) {
    throw UnsupportedError(text(error));
  } catch (const ResourceError& error) {
    throw ResourceError(text(error));
  } catch (const Error& error) {
    throw Otherwise(text(error));
  }
}

}  // namespace teff::serialize
