// SPDX-License-Identifier: MIT
#include "teff/serialize/save_load.h"

#include <typeinfo>

#include "teff/engine/error.h"
#include "teff/serialize/formats.h"
#include "teff/serialize/io/about.h"
#include "teff/serialize/io/atomic_file.h"
#include "teff/serialize/io/file_reader.h"
#include "teff/serialize/teff/dict_codec.h"
#include "teff/serialize/teff/model_file.h"
#include "teff/serialize/teff/teff_file.h"

namespace teff {
namespace {

using serialize::about;
using serialize::ByteSink;
using serialize::ByteSource;
using serialize::FileKind;
using serialize::Format;

constexpr const char* kMemory = "memory";
constexpr const char* kStream = "stream";

/// A mistake of the caller, not of the file.
void check_mmap(const char* function, const LoadOptions& options) {
  if (options.mmap)
    throw ValueError(std::string(function) + ": expected a file where mmap is set, got memory or a stream");
}

Dict load_from(const ByteSource& source, const LoadOptions& options) {
  return serialize::format_of(source).load(source, options);
}

nn::GraphModule load_model_from(const ByteSource& source, const LoadOptions& options) {
  if (const Format& format = serialize::format_of(source); format.id != FileFormat::teff) {
    throw FormatError("expected a .teff file with an entire model, got a file in the format of " +
                      std::string(format.name) + ", which holds no graph: use load");
  }
  serialize::ModelContent content;
  serialize::read_teff(source, FileKind::model, options, [&](serialize::HeaderReader& archive) { archive(content); });
  nn::GraphModule module(std::move(content.module));
  if (options.self_test) serialize::check_self_test(module, content.self_test);
  return module;
}

serialize::ModelContent content_of(nn::Module& module, std::span<const Tensor> inputs, const SaveOptions& options) {
  // A GraphModule is a record already: writing that down keeps the file that it came from.
  const bool is_record = typeid(module) == typeid(nn::GraphModule);
  nn::GraphModule captured = is_record ? static_cast<const nn::GraphModule&>(module) : nn::capture(module, inputs);
  captured.rename_ports(options.input_names, options.output_names);
  return {captured.data(), serialize::make_self_test(captured, inputs)};
}

void check_model_format(const Format& format) {
  if (format.id == FileFormat::teff) return;
  throw ValueError("expected the format .teff for an entire model, got that of " + std::string(format.name) +
                   ", which holds no graph: save the state dict");
}

void save_model_to(ByteSink& sink, const serialize::ModelContent& content, const SaveOptions& options) {
  serialize::write_teff(sink, FileKind::model, options.metadata,
                        [&](serialize::HeaderWriter& archive) { archive(content); });
}

}  // namespace

void save(const Dict& dict, const std::string& path, const SaveOptions& options) {
  about<ValueError>("save", path, [&] {
    const Format& format = serialize::format_for(path, options.format);
    serialize::AtomicFile file(path, options.durable);
    format.save(dict, file, options);
    file.commit();
  });
}

void save(const Dict& dict, std::ostream& stream, const SaveOptions& options) {
  about<ValueError>("save", kStream, [&] {
    serialize::StreamSink sink(stream);
    serialize::format_for("", options.format).save(dict, sink, options);
  });
}

Dict load(const std::string& path, const LoadOptions& options) {
  return about<FormatError>("load", path, [&] { return load_from(serialize::FileReader(path), options); });
}

Dict load(std::span<const std::byte> bytes, const LoadOptions& options) {
  check_mmap("load", options);
  return about<FormatError>("load", kMemory, [&] { return load_from(serialize::MemorySource(bytes), options); });
}

Dict load(std::istream& stream, const LoadOptions& options) {
  check_mmap("load", options);
  return about<FormatError>("load", kStream, [&] {
    const std::vector<std::byte> bytes = serialize::read_all(stream);
    return load_from(serialize::MemorySource(bytes), options);
  });
}

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

nn::GraphModule load_model(const std::string& path, const LoadOptions& options) {
  return about<FormatError>("load_model", path, [&] { return load_model_from(serialize::FileReader(path), options); });
}

nn::GraphModule load_model(std::span<const std::byte> bytes, const LoadOptions& options) {
  check_mmap("load_model", options);
  return about<FormatError>("load_model", kMemory,
                            [&] { return load_model_from(serialize::MemorySource(bytes), options); });
}

nn::GraphModule load_model(std::istream& stream, const LoadOptions& options) {
  check_mmap("load_model", options);
  return about<FormatError>("load_model", kStream, [&] {
    const std::vector<std::byte> bytes = serialize::read_all(stream);
    return load_model_from(serialize::MemorySource(bytes), options);
  });
}

}  // namespace teff
