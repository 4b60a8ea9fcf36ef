// SPDX-License-Identifier: MIT
#include "teff/serialize/exported/exported_archive.h"

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/torch/torch_file.h"

namespace teff::serialize {
namespace {

constexpr std::uint64_t kMaxVersionBytes = 1000;
constexpr std::string_view kProgram = "serialized_exported_program.json", kState = "serialized_state_dict.pt",
                           kConstants = "serialized_constants.pt", kModels = "models/", kJson = ".json",
                           kWeightsFolder = "data/weights/", kConstantsFolder = "data/constants/";

/// A part of another source.
class PartSource final : public ByteSource {
 public:
  PartSource(std::shared_ptr<const ByteSource> whole, std::uint64_t begin, std::uint64_t bytes)
      : whole_(std::move(whole)), begin_(begin), bytes_(bytes) {}

  std::uint64_t size() const override { return bytes_; }
  void read(std::span<Piece> pieces, std::uint64_t offset) const override {
    std::uint64_t left = offset <= bytes_ ? bytes_ - offset : 0;
    for (const Piece& piece : pieces) {
      if (piece.size > left) throw FormatError("the file ends too early: it was cut off");
      left -= piece.size;
    }
    whole_->read(pieces, begin_ + offset);
  }
  using ByteSource::read;

 private:
  std::shared_ptr<const ByteSource> whole_;
  std::uint64_t begin_, bytes_;
};

/// The content of a file within the zip, with places in the zip.
class NestedContents final : public Contents {
 public:
  NestedContents(std::unique_ptr<Contents> inner, std::uint64_t begin) : inner_(std::move(inner)), begin_(begin) {
    structure = std::move(inner_->structure);
    unsupported = std::move(inner_->unsupported);
    refusal = std::move(inner_->refusal);
    has_skipped = inner_->has_skipped;
  }

  StoragePlace place_of(const Tensor& stand_in) const override {
    StoragePlace place = inner_->place_of(stand_in);
    if (place.offset) place.offset = *place.offset + begin_;
    return place;
  }
  std::vector<Tensor> read(std::span<const Tensor> stand_ins) const override { return inner_->read(stand_ins); }
  std::vector<Damage> check() const override { return inner_->check(); }
  bool has_checksums() const override { return inner_->has_checksums(); }

 private:
  std::unique_ptr<Contents> inner_;
  std::uint64_t begin_;
};

}  // namespace

ExportedArchive::ExportedArchive(std::shared_ptr<const ByteSource> source, const LoadOptions& options)
    : source_(std::move(source)), zip_(std::make_shared<const ZipReader>(*source_)), options_(options) {
  zip_->check_packing();
  if (const ZipEntry* order = zip_->find("byteorder")) {
    const std::string text = text_of(*order, kMaxVersionBytes);
    if (text != "little" && text != "big") {
      throw FormatError("expected the byte order \"little\" or \"big\", got " + quoted_name(text));
    }
    swapped_ = text == "big";
  }
  if (zip_->find(kProgram) == nullptr) find_model();
}

/// The only one, or that which torch.export.save writes.
void ExportedArchive::find_model() {
  const ZipEntry* format = zip_->find("archive_format");
  if (format == nullptr) throw FormatError("expected a program of torch.export, got another zip file");
  if (const std::string text = text_of(*format, kMaxVersionBytes); text != "pt2") {
    throw FormatError("expected the format \"pt2\" of an archive, got " + quoted_name(text));
  }
  std::vector<std::string> models;
  for (const ZipEntry& one : zip_->entries()) {
    std::string_view name = one.name.substr(zip_->root().size());
    if (!name.starts_with(kModels) || !name.ends_with(kJson)) continue;
    name.remove_prefix(kModels.size());
    models.emplace_back(name.substr(0, name.size() - kJson.size()));
  }
  if (models.size() == 1) {
    model_ = models[0];
    return;
  }
  if (models.empty()) {
    throw UnsupportedError(
        "expected an archive with a program of torch.export, got one without: what AOTInductor compiled is code of "
        "another machine, so export the network with torch.export.save");
  }
  if (std::find(models.begin(), models.end(), "model") == models.end()) {
    throw UnsupportedError("expected an archive with one program, got " + std::to_string(models.size()) +
                           ": save each with torch.export.save");
  }
  model_ = "model";
}

const ZipEntry& ExportedArchive::entry(std::string_view name) const {
  const ZipEntry* found = zip_->find(name);
  if (found == nullptr) throw FormatError("expected an entry " + quoted_name(std::string(name)) + ", got none");
  return *found;
}

std::string ExportedArchive::text_of(const ZipEntry& entry, std::uint64_t max_bytes) const {
  const std::vector<std::byte> bytes = zip_->read(entry, max_bytes, options_.verify);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string ExportedArchive::program() const {
  const std::string name = model_.empty() ? std::string(kProgram) : std::string(kModels) + model_ + std::string(kJson);
  return text_of(entry(name), kMaxHeaderBytes);
}

std::uint64_t ExportedArchive::program_offset() const {
  return entry(model_.empty() ? std::string(kProgram) : std::string(kModels) + model_ + std::string(kJson)).offset;
}

/// A file of torch.save within the zip, which is read where it lies.
std::unique_ptr<Contents> ExportedArchive::nested(const ZipEntry& entry) const {
  if (entry.is_packed()) {
    throw UnsupportedError("expected " + quoted_name(entry.name) +
                           " without compression, as PyTorch writes it, got it compressed: pack the folder with zip "
                           "-0 -r");
  }
  LoadOptions options = options_;
  options.mmap = false;
  options.inert_objects = false;
  try {
    auto part = std::make_shared<PartSource>(source_, entry.offset, entry.bytes);
    return std::make_unique<NestedContents>(open_torch(std::move(part), options), entry.offset);
  } catch (const UnsupportedError& error) {
    throw UnsupportedError(quoted_name(entry.name) + ": " + error.what());
  } catch (const FormatError& error) {
    throw FormatError(quoted_name(entry.name) + ": " + error.what());
  }
}

/// PyTorch 2.8 has a file of torch.save there, later ones have one entry for each storage.
std::unique_ptr<Contents> ExportedArchive::tensors_in(const char* folder, const char* config) const {
  if (const ZipEntry* whole = zip_->find(folder + model_ + ".pt")) return nested(*whole);
  const ZipEntry& json = entry(folder + model_ + config);
  return open_exported_payload(source_, zip_, folder, text_of(json, kMaxHeaderBytes), json.offset, options_, swapped_);
}

std::unique_ptr<Contents> ExportedArchive::state_dict() const {
  return model_.empty() ? nested(entry(kState)) : tensors_in(kWeightsFolder.data(), "_weights_config.json");
}

std::unique_ptr<Contents> ExportedArchive::constants() const {
  return model_.empty() ? nested(entry(kConstants)) : tensors_in(kConstantsFolder.data(), "_constants_config.json");
}

}  // namespace teff::serialize
