// SPDX-License-Identifier: MIT
#include "teff/serialize/file.h"

#include <unordered_map>

#include "teff/engine/error.h"
#include "teff/serialize/damages.h"
#include "teff/serialize/formats.h"
#include "teff/serialize/io/about.h"
#include "teff/serialize/io/file_reader.h"
#include "teff/serialize/key_path.h"
#include "teff/serialize/open_contents.h"

namespace teff {

struct File::State {
  std::string place;  // its path, or "memory"
  std::shared_ptr<const serialize::ByteSource> source;
  const serialize::Format& format;
  std::unique_ptr<const serialize::Contents> contents;
  LoadOptions loading;

  template <class Open>
  static std::unique_ptr<const State> make(const std::string& place, const LoadOptions& options, Open&& open) {
    return serialize::about<FormatError>("File", place, [&] {
      const std::shared_ptr<const serialize::ByteSource> bytes = open();
      const serialize::Format& found = serialize::format_of(*bytes);
      std::unique_ptr<serialize::Contents> opened = serialize::open_contents(found.id, bytes, options);
      serialize::leave_out(*opened, options);
      State state{place, bytes, found, std::move(opened), options};
      return std::make_unique<const State>(std::move(state));
    });
  }
};

File::File(const std::string& path, const LoadOptions& options)
    : state_(State::make(path, options, [&] { return std::make_shared<const serialize::FileReader>(path); })) {}

File::File(std::span<const std::byte> bytes, const LoadOptions& options) {
  if (options.mmap) throw ValueError("File: expected a file where mmap is set, got memory");
  state_ = State::make("memory", options, [&] { return std::make_shared<const serialize::MemorySource>(bytes); });
}

File::File(File&&) noexcept = default;
File& File::operator=(File&&) noexcept = default;
File::~File() = default;

FileFormat File::format() const { return state_->format.id; }
int File::version() const { return state_->contents->version; }
std::uint64_t File::size() const { return state_->source->size(); }
const Dict& File::structure() const { return state_->contents->structure; }

const std::vector<UnsupportedEntry>& File::unsupported() const { return state_->contents->unsupported; }
const std::vector<FileOperator>& File::operators() const { return state_->contents->operators; }
const std::vector<FileModule>& File::modules() const { return state_->contents->modules; }

const nn::GraphModuleData* File::model() const { return state_->contents->model ? &*state_->contents->model : nullptr; }

std::vector<FileEntry> File::entries() const {
  std::vector<FileEntry> entries;
  std::unordered_map<std::size_t, std::string> first;  // path on each storage
  const auto add = [&](const std::string& path, const Tensor& tensor) {
    const serialize::StoragePlace place = state_->contents->place_of(tensor);
    const auto [found, is_first] = first.try_emplace(place.storage, path);
    entries.push_back(
        {path, tensor.type(), tensor.nbytes(), place.offset, place.checksum, is_first ? "" : found->second});
  };
  serialize::about<FormatError>("File::entries", state_->place,
                                [&] { serialize::for_tensors(structure(), serialize::max_path_bytes(size()), add); });
  return entries;
}

Dict File::metadata() const {
  return serialize::about<FormatError>("File::metadata", state_->place, [&] {
    return serialize::read_value(*state_->contents, state_->contents->metadata).as_dict();
  });
}

Value File::read(std::string_view path) const {
  const Value& value = serialize::value_at(structure(), path);
  return serialize::about<FormatError>("File::read", state_->place,
                                       [&] { return serialize::read_value(*state_->contents, value); });
}

Dict File::read_all() const {
  return serialize::about<FormatError>("File::read_all", state_->place, [&] {
    serialize::check_supported(*state_->contents, state_->loading);
    return serialize::read_value(*state_->contents, structure()).as_dict();
  });
}

bool File::has_checksums() const { return state_->contents->has_checksums(); }

std::vector<FileDamage> File::verify() const {
  return serialize::about<FormatError>("File::verify", state_->place, [&] {
    return serialize::named(state_->contents->check(), *state_->contents, size());
  });
}

}  // namespace teff
