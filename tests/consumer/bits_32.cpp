// SPDX-License-Identifier: MIT
// With engine/allocator.cpp and engine/shape.cpp: memory is to be had, and shapes have fewer bytes than fit a size_t.
#include <cstdlib>
#include <iostream>
#include <limits>
#include <new>
#include <string>

#include "teff/engine/allocator.h"
#include "teff/engine/error.h"
#include "teff/engine/shape.h"

namespace {

void expect(bool ok, const char* what) {
  if (ok) return;
  std::cerr << "expected " << what << '\n';
  std::exit(EXIT_FAILURE);
}

std::string error_of(const teff::Shape& shape) {
  try {
    teff::numel(shape);
  } catch (const teff::ShapeError& error) {
    return error.what();
  }
  return "";
}

bool has_memory(std::size_t bytes) {
  try {
    teff::deallocate(teff::allocate(bytes), bytes);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

}  // namespace

int main() {
  static_assert(sizeof(void*) == 4);
  expect(has_memory(64) && has_memory(1 << 20), "memory");
  expect(!has_memory(std::numeric_limits<std::size_t>::max()), "std::bad_alloc for what 32 bits cannot address");
  expect(teff::numel({1 << 27}) == 1 << 27, "2^27 elements");
  expect(error_of({1 << 30}) == "shape: expected at most 2^27 elements, got [1073741824]", "a ShapeError for 2^30");
}
