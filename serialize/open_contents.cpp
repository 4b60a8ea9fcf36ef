// SPDX-License-Identifier: MIT
#include "teff/serialize/open_contents.h"

#include "teff/serialize/exported/exported_file.h"
#include "teff/serialize/numpy/numpy_file.h"
#include "teff/serialize/onnx/onnx_file.h"
#include "teff/serialize/safetensors/safetensors_file.h"
#include "teff/serialize/teff/teff_contents.h"
#include "teff/serialize/torch/torch_file.h"

namespace teff::serialize {

std::unique_ptr<Contents> open_contents(FileFormat format, std::shared_ptr<const ByteSource> source,
                                        const LoadOptions& options) {
  switch (format) {
    case FileFormat::pytorch:
      return is_exported(*source) ? open_exported(std::move(source), options) : open_torch(std::move(source), options);
    case FileFormat::safetensors:
      return open_safetensors(std::move(source), options);
    case FileFormat::npz:
      return open_npz(std::move(source), options);
    case FileFormat::npy:
      return open_npy(std::move(source), options);
    case FileFormat::onnx:
      return open_onnx(std::move(source), options);
    case FileFormat::teff:
    case FileFormat::by_name:
      break;
  }
  return open_teff(std::move(source), options);
}

}  // namespace teff::serialize
