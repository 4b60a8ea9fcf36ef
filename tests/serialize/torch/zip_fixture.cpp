// SPDX-License-Identifier: MIT
#include "serialize/torch/zip_fixture.h"

#include <span>

#include "teff/serialize/io/crc32.h"

namespace teff::testing {
namespace {

std::uint32_t size_of_text(const std::string& text) { return static_cast<std::uint32_t>(text.size()); }

std::string sums(const ZipPart& part) {
  return number(part.crc.value_or(serialize::crc32(std::as_bytes(std::span(part.data)))), 4) +
         number(part.packed.value_or(size_of_text(part.data)), 4) +
         number(part.bytes.value_or(size_of_text(part.data)), 4);
}

std::string local_part(const ZipPart& part) {
  const std::string name = part.local_name.value_or(part.name);
  return "PK\x03\x04" + number(0, 2) + number(part.flags, 2) + number(part.method, 2) + number(0, 4) + sums(part) +
         number(name.size(), 2) + number(0, 2) + name + part.data + part.gap;
}

std::string directory_part(const ZipPart& part, std::uint32_t header) {
  return "PK\x01\x02" + number(0, 4) + number(part.flags, 2) + number(part.method, 2) + number(0, 4) + sums(part) +
         number(part.name.size(), 2) + number(part.extra.size(), 2) + number(0, 6) + number(0, 4) +
         number(part.header.value_or(header), 4) + part.name + part.extra;
}

}  // namespace

std::string number(std::uint64_t value, std::size_t size) { return word(value).append(size, '\0').substr(0, size); }

std::string zip_of(const std::vector<ZipPart>& parts, const ZipEnd& end) {
  std::string file, directory;
  for (const ZipPart& part : parts) {
    directory += directory_part(part, size_of_text(file));
    file += local_part(part);
  }
  const std::uint32_t offset = size_of_text(file);
  const std::string entries = number(end.entries.value_or(static_cast<std::uint16_t>(parts.size())), 2);
  return file + directory + "PK\x05\x06" + number(0, 4) + entries + entries +
         number(end.bytes.value_or(size_of_text(directory)), 4) + number(end.offset.value_or(offset), 4) +
         number(end.comment.size(), 2) + end.comment;
}

std::string text(std::string_view text) { return 'X' + number(text.size(), 4) + std::string(text); }

std::string global(std::string_view module, std::string_view name) {
  return 'c' + std::string(module) + '\n' + std::string(name) + '\n';
}

std::string tuple(std::string_view items) { return '(' + std::string(items) + 't'; }

std::string dict(std::string_view items) { return "}(" + std::string(items) + 'u'; }

std::string tensor_pickle(const TensorPart& part) {
  const std::string storage =
      tuple(text("storage") + global("torch", part.type) + text(part.key) + text("cpu") + part.numel) + 'Q';
  const std::string hooks = global("collections", "OrderedDict") + ")R";
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple(storage + part.offset + part.sizes + part.strides + '\x89' + hooks) + 'R';
}

std::string pt_of(std::string_view pickle, std::vector<ZipPart> more) {
  std::vector<ZipPart> parts{{"x/data.pkl", std::string(pickle)},
                             {"x/data/0", number(0x3f800000, 4) + number(0x40000000, 4)},
                             {"x/version", "3\n"}};
  for (ZipPart& part : more) parts.push_back(std::move(part));
  return zip_of(parts);
}

std::string pt_with(const TensorPart& part) { return pt_of(kProto + dict(text("a") + tensor_pickle(part)) + '.'); }

Dict load_bytes(std::string_view bytes, const LoadOptions& options) {
  return load(std::as_bytes(std::span(bytes)), options);
}

}  // namespace teff::testing
