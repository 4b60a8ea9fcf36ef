// SPDX-License-Identifier: MIT
#include "teff/serialize/c/files.h"

#include "teff/serialize/c/guard.h"
#include "teff/serialize/save_load.h"

using namespace teff;
using namespace teff::c;

namespace teff::c {

static_assert(TEFF_FORMAT_BY_NAME == static_cast<int>(FileFormat::by_name) &&
              TEFF_FORMAT_NPY == static_cast<int>(FileFormat::npy));

LoadOptions load_options_of(const teff_load_options* given, const char* function) {
  const teff_load_options options = options_of(given, teff_load_options TEFF_LOAD_OPTIONS, function);
  LoadOptions result;
  result.verify = options.verify != 0;
  result.mmap = options.mmap != 0;
  result.self_test = options.self_test != 0;
  result.inert_objects = options.inert_objects != 0;
  result.skip_unsupported = options.skip_unsupported != 0;
  result.max_work = options.max_work;
  result.max_bytes = options.max_bytes;
  return result;
}

SaveOptions save_options_of(const teff_save_options* given, const char* function) {
  const teff_save_options options = options_of(given, teff_save_options TEFF_SAVE_OPTIONS, function);
  if (options.format < TEFF_FORMAT_BY_NAME || options.format > TEFF_FORMAT_NPY) {
    throw ValueError(std::string(function) + ": expected a format to write, got number " +
                     std::to_string(options.format));
  }
  SaveOptions result;
  result.format = static_cast<FileFormat>(options.format);
  result.durable = options.durable != 0;
  if (options.metadata) result.metadata = in(*options.metadata);
  return result;
}

std::span<const std::byte> bytes_of(const void* bytes, std::size_t size, const char* function) {
  if (!bytes && size > 0) refuse_null(function, "bytes");
  return {static_cast<const std::byte*>(bytes), size_in_memory(size, function)};
}

}  // namespace teff::c

teff_status teff_load(const char* path, const teff_load_options* options, teff_dict** result) {
  return guarded([&] {
    constexpr const char* kName = "teff_load";
    teff_dict*& place = at(result, kName, "result");
    place = made(load(&at(path, kName, "path"), load_options_of(options, kName)));
  });
}

teff_status teff_load_bytes(const void* bytes, size_t size, const teff_load_options* options, teff_dict** result) {
  return guarded([&] {
    constexpr const char* kName = "teff_load_bytes";
    teff_dict*& place = at(result, kName, "result");
    place = made(load(bytes_of(bytes, size, kName), load_options_of(options, kName)));
  });
}

teff_status teff_save(const teff_dict* dict, const char* path, const teff_save_options* options) {
  return guarded([&] {
    constexpr const char* kName = "teff_save";
    save(in(at(dict, kName, "dict")), &at(path, kName, "path"), save_options_of(options, kName));
  });
}
