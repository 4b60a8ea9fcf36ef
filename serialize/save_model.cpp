// SPDX-License-Identifier: MIT
#include <typeinfo>

#include "teff/engine/error.h"
#include "teff/serialize/formats.h"
#include "teff/serialize/io/about.h"
#include "teff/serialize/io/atomic_file.h"
#include "teff/serialize/save_load.h"
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
  if (format.id == FileFormat::teff) return;
  throw ValueError("expected the format .teff for an entire model, got that of " + std::string(format.name) +
                   ", which holds no graph: save the state dict");
}

void save_model_to(serialize::ByteSink& sink, const serialize::ModelContent& content, const SaveOptions& options) {
  serialize::write_teff(sink, serialize::FileKind::model, options.metadata,
                        [&](serialize::HeaderWriter& archive) { archive(content); });
}

}  // namespace

void save_model(nn::Module& module, std::span<const Tensor> inputs, const std::string& path,
                const SaveOptions& options) {
  about<ValueError>("save_model", path, [&] { check_model_format(serialize::format_for(path, options.format)); });
  const serialize::ModelContent content = content_of(module, inputs, options);
  about<ValueError>("save_model", path, [&] {
    serialize::AtomicFile file(path, options.durable);
    save_model_to(file, content, options);
    file.commit();
  });
}

void save_model(nn::Module& module, std::span<const Tensor> inputs, std::ostream& stream, const SaveOptions& options) {
  about<ValueError>("save_model", kStream, [&] { check_model_format(serialize::format_for("", options.format)); });
  const serialize::ModelContent content = content_of(module, inputs, options);
  about<ValueError>("save_model", kStream, [&] {
    serialize::StreamSink sink(stream);
    save_model_to(sink, content, options);
  });
}

}  // namespace teff
