// SPDX-License-Identifier: MIT
#include "teff/serialize/contents.h"

#include "teff/serialize/safetensors/safetensors_file.h"
#include "teff/serialize/teff/teff_contents.h"
#include "teff/serialize/torch/torch_file.h"

namespace teff::serialize {

std::unique_ptr<Contents> open_contents(FileFormat format, std::shared_ptr<const ByteSource> source,
                                        const LoadOptions& options) {
  switch (format) {
    case FileFormat::pytorch:
      return open_torch(std::move(source), options);
    case FileFormat::safetensors:
      return open_safetensors(std::move(source), options);
    case FileFormat::teff:
    case FileFormat::by_name:
      break;
  }
  return open_teff(std::move(source), options);
}

Value read_value(const Contents& contents, const Value& value) {
  std::vector<Tensor> stand_ins;
  map_tensors(value, [&](const Tensor& tensor) { return stand_ins.emplace_back(tensor); });
  const std::vector<Tensor> tensors = contents.read(stand_ins);
  auto next = tensors.begin();
  return map_tensors(value, [&](const Tensor&) { return *next++; });
}

}  // namespace teff::serialize
