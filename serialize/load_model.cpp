// SPDX-License-Identifier: MIT
#include "teff/serialize/doors.h"
#include "teff/serialize/exported/exported_file.h"
#include "teff/serialize/formats.h"
#include "teff/serialize/modules/module_file.h"
#include "teff/serialize/onnx/onnx_file.h"
#include "teff/serialize/save_load.h"
#include "teff/serialize/teff/model_file.h"
#include "teff/serialize/teff/teff_file.h"
#include "teff/serialize/torch/torch_file.h"

namespace teff {
namespace {

nn::GraphModule made(nn::GraphModuleData data, const LoadOptions& options) {
  data.limit = {options.max_work, options.max_bytes};
  return nn::GraphModule(std::move(data));
}

nn::GraphModule load_graph(const std::shared_ptr<const serialize::ByteSource>& source, const LoadOptions& options) {
  const serialize::Format& format = serialize::format_of(*source);
  if (format.id == FileFormat::onnx) return made(serialize::read_onnx_model(source), options);
  if (format.id == FileFormat::pytorch) {
    return made(serialize::is_exported(*source) ? serialize::read_exported_model(source, options)
                                                : serialize::read_torch_model(source, options),
                options);
  }
  if (format.id != FileFormat::teff) {
    throw FormatError("expected a file with an entire model (.teff, ONNX, TorchScript), got a file in the format of " +
                      std::string(format.name) + ", which holds no graph: use load");
  }
  serialize::ModelContent content;
  serialize::read_teff(*source, serialize::FileKind::model, options,
                       [&](serialize::HeaderReader& archive) { archive(content); });
  content.module.limit = {options.max_work, options.max_bytes};
  nn::GraphModule module(std::move(content.module));
  if (options.self_test) serialize::check_self_test(module, content.self_test);
  return module;
}

}  // namespace

nn::GraphModule load_model(const std::string& path, const LoadOptions& options) {
  return serialize::read_from("load_model", path, options, load_graph);
}

nn::GraphModule load_model(std::span<const std::byte> bytes, const LoadOptions& options) {
  return serialize::read_from("load_model", bytes, options, load_graph);
}

nn::GraphModule load_model(std::istream& stream, const LoadOptions& options) {
  return serialize::read_from("load_model", stream, options, load_graph);
}

}  // namespace teff
