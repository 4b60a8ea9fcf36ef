// SPDX-License-Identifier: MIT
#include <filesystem>
#include <system_error>
#include <typeinfo>

#include "teff/engine/error.h"
#include "teff/serialize/formats.h"
#include "teff/serialize/io/about.h"
#include "teff/serialize/io/atomic_file.h"
#include "teff/serialize/onnx/onnx_file.h"
#include "teff/serialize/save_load.h"
#include "teff/serialize/script/script_file.h"
#include "teff/serialize/teff/model_file.h"
#include "teff/serialize/teff/teff_file.h"

namespace teff {
namespace {

using serialize::about;

constexpr const char* kStream = "stream";

serialize::ModelContent content_of(nn::Module& module, std::span<const Tensor> inputs, const SaveOptions& options) {
  // A GraphModule is a record already: writing that down keeps the file that it came from.
  const bool is_record = typeid(module) == typeid(nn::GraphModule);
  nn::GraphModule captured = is_record ? static_cast<const nn::GraphModule&>(module) : nn::capture(module, inputs);
  captured.rename_ports(options.input_names, options.output_names);
  return {captured.data(), serialize::make_self_test(captured, inputs)};
}

void check_model_format(const serialize::Format& format) {
  if (format.id == FileFormat::teff || format.id == FileFormat::onnx || format.id == FileFormat::pytorch) return;
  throw ValueError("expected the format .teff, ONNX or TorchScript for an entire model, got that of " +
                   std::string(format.name) + ", which holds no graph: save the state dict");
}

void save_model_to(serialize::ByteSink& sink, FileFormat format, const serialize::ModelContent& content,
                   const SaveOptions& options) {
  if (format == FileFormat::onnx) return serialize::save_onnx(content.module, sink, options);
  if (format == FileFormat::pytorch) return serialize::save_script(content.module, sink, options);
  serialize::write_teff(sink, serialize::FileKind::model, options.metadata,
                        [&](serialize::HeaderWriter& archive) { archive(content); });
}

/// ONNX's folder of tests, beside the file.
void save_test_data(const serialize::ModelContent& content, const std::string& path, const SaveOptions& options) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path() / "test_data_set_0";
  std::error_code error;
  std::filesystem::create_directory(folder, error);
  if (error) throw IoError("cannot make the folder " + folder.string() + ": " + error.message());
  const Graph& graph = content.module.graph;
  const auto save_all = [&](const std::string& kind, const std::vector<Tensor>& tensors, auto&& node_of) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      serialize::AtomicFile file(folder / (kind + std::to_string(i) + ".pb"), options.durable);
      serialize::save_onnx_tensor(graph.nodes[node_of(i)].name, tensors[i], file);
      file.commit();
    }
  };
  save_all("input_", content.self_test.inputs, [](std::size_t i) { return i; });
  save_all("output_", content.self_test.outputs,
           [&](std::size_t i) { return static_cast<std::size_t>(graph.outputs[i]); });
}

void check_test_data(FileFormat format, const SaveOptions& options, bool is_file) {
  if (!options.test_data || (is_file && format == FileFormat::onnx)) return;
  throw ValueError("expected test_data for an ONNX file, got another format, or a stream");
}

}  // namespace

void save_model(nn::Module& module, std::span<const Tensor> inputs, const std::string& path,
                const SaveOptions& options) {
  const serialize::Format& format = serialize::format_for(path, options.format);
  about<ValueError>("save_model", path, [&] {
    check_model_format(format);
    check_test_data(format.id, options, true);
  });
  const serialize::ModelContent content = content_of(module, inputs, options);
  about<ValueError>("save_model", path, [&] {
    serialize::AtomicFile file(path, options.durable);
    save_model_to(file, format.id, content, options);
    file.commit();
    if (options.test_data) save_test_data(content, path, options);
  });
}

void save_model(nn::Module& module, std::span<const Tensor> inputs, std::ostream& stream, const SaveOptions& options) {
  const serialize::Format& format = serialize::format_for("", options.format);
  about<ValueError>("save_model", kStream, [&] {
    check_model_format(format);
    check_test_data(format.id, options, false);
  });
  const serialize::ModelContent content = content_of(module, inputs, options);
  about<ValueError>("save_model", kStream, [&] {
    serialize::StreamSink sink(stream);
    save_model_to(sink, format.id, content, options);
  });
}

}  // namespace teff
