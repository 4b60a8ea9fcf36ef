// SPDX-License-Identifier: MIT
#include "teff/serialize/formats.h"
#include "teff/serialize/io/about.h"
#include "teff/serialize/io/atomic_file.h"
#include "teff/serialize/numpy/numpy_file.h"
#include "teff/serialize/safetensors/safetensors_file.h"
#include "teff/serialize/save_load.h"
#include "teff/serialize/teff/dict_codec.h"
#include "teff/serialize/teff/teff_file.h"
#include "teff/serialize/torch/torch_file.h"

namespace teff {
namespace {

using serialize::about;
using serialize::ByteSink;

void save_teff(const Dict& dict, ByteSink& sink, const SaveOptions& options) {
  serialize::write_teff(sink, serialize::FileKind::dict, options.metadata,
                        [&](serialize::HeaderWriter& archive) { archive(dict); });
}

void save_as(FileFormat format, const Dict& dict, ByteSink& sink, const SaveOptions& options) {
  switch (format) {
    case FileFormat::pytorch:
      return serialize::save_torch(dict, sink, options);
    case FileFormat::safetensors:
      return serialize::save_safetensors(dict, sink, options);
    case FileFormat::npz:
      return serialize::save_npz(dict, sink, options);
    case FileFormat::npy:
      return serialize::save_npy(dict, sink, options);
    case FileFormat::onnx:
      throw ValueError("expected a format that holds dictionaries, got ONNX, which holds networks");
    case FileFormat::teff:
    case FileFormat::by_name:
      break;
  }
  save_teff(dict, sink, options);
}

}  // namespace

void save(const Dict& dict, const std::string& path, const SaveOptions& options) {
  about<ValueError>("save", path, [&] {
    const FileFormat format = serialize::format_for(path, options.format).id;
    serialize::AtomicFile file(path, options.durable);
    save_as(format, dict, file, options);
    file.commit();
  });
}

void save(const Dict& dict, std::ostream& stream, const SaveOptions& options) {
  about<ValueError>("save", "stream", [&] {
    serialize::StreamSink sink(stream);
    save_as(serialize::format_for("", options.format).id, dict, sink, options);
  });
}

}  // namespace teff
