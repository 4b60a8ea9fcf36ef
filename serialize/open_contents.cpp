// SPDX-License-Identifier: MIT
#include "teff/serialize/open_contents.h"

#include "teff/serialize/numpy/numpy_file.h"
#include "teff/serialize/safetensors/safetensors_file.h"
#include "teff/serialize/teff/teff_contents.h"
#include "teff/serialize/torch/torch_file.h"

namespace teff::serialize {

namespace {

std::unique_ptr<Contents> open_whole(FileFormat format, std::shared_ptr<const ByteSource> source,
                                     const LoadOptions& options) {
  switch (format) {
    case FileFormat::pytorch:
      return open_torch(std::move(source), options);
    case FileFormat::safetensors:
      return open_safetensors(std::move(source), options);
    case FileFormat::npz:
      return open_npz(std::move(source), options);
    case FileFormat::npy:
      return open_npy(std::move(source), options);
    case FileFormat::teff:
    case FileFormat::by_name:
      break;
  }
  return open_teff(std::move(source), options);
}

}  // namespace

std::unique_ptr<Contents> open_contents(FileFormat format, std::shared_ptr<const ByteSource> source,
                                        const LoadOptions& options) {
  std::unique_ptr<Contents> contents = open_whole(format, std::move(source), options);
  // A pickle's entries to skip are not even looked into.
  if (format != FileFormat::pytorch) leave_out(contents->structure, options.skip);
  return contents;
}

}  // namespace teff::serialize
