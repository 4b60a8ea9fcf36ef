// SPDX-License-Identifier: MIT
#include "teff/serialize/contents.h"
#include "teff/serialize/doors.h"
#include "teff/serialize/formats.h"
#include "teff/serialize/open_contents.h"
#include "teff/serialize/save_load.h"
#include "teff/serialize/teff/dict_codec.h"
#include "teff/serialize/teff/teff_file.h"

namespace teff {
namespace {

Dict load_teff(const serialize::ByteSource& source, const LoadOptions& options) {
  Dict dict;
  serialize::read_teff(source, serialize::FileKind::dict, options,
                       [&](serialize::HeaderReader& archive) { archive(dict); });
  return dict;
}

Dict load_dict(const std::shared_ptr<const serialize::ByteSource>& source, const LoadOptions& options) {
  const FileFormat format = serialize::format_of(*source).id;
  if (format == FileFormat::teff && options.skip.empty()) return load_teff(*source, options);
  const std::unique_ptr<serialize::Contents> contents = serialize::open_contents(format, source, options);
  serialize::check_supported(*contents, options);
  serialize::leave_out(*contents, options);
  Dict structure = std::move(contents->structure);
  return std::move(serialize::read_value(*contents, std::move(structure)).as_dict());
}

}  // namespace

Dict load(const std::string& path, const LoadOptions& options) {
  return serialize::read_from("load", path, options, load_dict);
}

Dict load(std::span<const std::byte> bytes, const LoadOptions& options) {
  return serialize::read_from("load", bytes, options, load_dict);
}

Dict load(std::istream& stream, const LoadOptions& options) {
  return serialize::read_from("load", stream, options, load_dict);
}

}  // namespace teff
