// SPDX-License-Identifier: MIT
#include "teff/serialize/teff/teff_contents.h"

#include <algorithm>
#include <unordered_map>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/parallel.h"
#include "teff/engine/tensor_impl.h"
#include "teff/serialize/teff/dict_codec.h"
#include "teff/serialize/teff/model_file.h"
#include "teff/serialize/teff/teff_file.h"
#include "teff/serialize/teff/tensor_data.h"

namespace teff::serialize {
namespace {

Dict as_dict(const ModelContent& content) {
  Dict state, constants;
  for (const nn::GraphState& one : content.module.state) state.insert(one.key, one.tensor);
  for (const auto& [name, tensor] : content.module.graph.constants) constants.insert(name, tensor);
  const auto list = [](const std::vector<Tensor>& tensors) { return List(tensors.begin(), tensors.end()); };
  return {
      {"state_dict", state},
      {"constants", constants},
      {"self_test", Dict{{"inputs", list(content.self_test.inputs)}, {"outputs", list(content.self_test.outputs)}}}};
}

class TeffContents final : public Contents {
 public:
  TeffContents(std::shared_ptr<const ByteSource> source, const LoadOptions& options, bool whole)
      : source_(std::move(source)), header_(*source_, whole), verify_(options.verify) {
    if (options.mmap) mapping_ = source_->map();
    version = kFormatVersion;
    make_stand_ins();
    HeaderReader& archive = header_.archive;
    archive(metadata);
    if (header_.preamble.kind == FileKind::model) {
      read_model(archive);
    } else {
      archive(structure);
    }
    archive.finish();
  }

  StoragePlace place_of(const Tensor& stand_in) const override {
    const TensorEntry& entry = entry_of(stand_in);
    if (entry.bytes == 0) return {index_of(stand_in), {}, {}};
    return {header_.layout.owner_of[index_of(stand_in)], entry.offset, entry.checksum};
  }

  std::vector<Tensor> read(std::span<const Tensor> stand_ins) const override;
  std::vector<Damage> check() const override;

 private:
  void make_stand_ins() {
    std::vector<Tensor> stand_ins;
    for (const TensorEntry& entry : header_.table) {
      stand_ins.push_back(detail::make_without_values(entry.type));
      indices_.emplace(stand_ins.back().id(), indices_.size());
    }
    header_.archive.set_tensors(std::move(stand_ins));
  }

  void read_model(HeaderReader& archive) {
    ModelContent content;
    archive(content);
    static_cast<void>(nn::GraphModule(content.module));  // throws unless its parts fit each other
    structure = as_dict(content);
    model = std::move(content.module);
  }

  std::size_t index_of(const Tensor& stand_in) const {
    const auto found = indices_.find(stand_in.id());
    if (found == indices_.end()) throw IndexError("File: expected a tensor of the file, got another");
    return found->second;
  }
  const TensorEntry& entry_of(const Tensor& stand_in) const { return header_.table[index_of(stand_in)]; }

  std::shared_ptr<const ByteSource> source_;
  TeffHeader header_;
  bool verify_;
  std::shared_ptr<const Mapping> mapping_;
  std::unordered_map<const void*, std::size_t> indices_;  // of the stand-ins, in the table
};

std::vector<Tensor> TeffContents::read(std::span<const Tensor> stand_ins) const {
  const NoGradGuard no_grad;
  std::vector<Tensor> tensors(header_.table.size());
  std::vector<std::size_t> owners;
  for (const Tensor& stand_in : stand_ins) {
    const std::size_t owner = header_.layout.owner_of[index_of(stand_in)];
    if (tensors[owner].defined()) continue;
    tensors[owner] = make_tensor(header_.table[owner], mapping_);
    if (header_.table[owner].bytes > 0) owners.push_back(owner);
  }
  std::sort(owners.begin(), owners.end());
  read_some(*source_, header_.table, owners, tensors,
            {mapping_.get(), verify_, [&](std::size_t tensor) { return header_.archive.name_of(tensor); }});
  std::vector<Tensor> result;
  for (const Tensor& stand_in : stand_ins) {
    const std::size_t index = index_of(stand_in), owner = header_.layout.owner_of[index];
    if (!tensors[index].defined()) tensors[index] = tensors[owner].view(header_.table[index].type.shape);
    result.push_back(tensors[index]);
  }
  return result;
}

std::vector<Damage> TeffContents::check() const {
  const std::vector<std::size_t>& owners = header_.layout.owners;
  std::vector<std::string> tensors(owners.size()), paddings(owners.size());
  const auto reason = [](auto&& find) -> std::string {
    try {
      return find();
    } catch (const Error& error) {  // the file ends before, or the disk does not give these bytes
      return error.what();
    }
  };
  parallel_for(static_cast<std::int64_t>(owners.size()), [&](std::int64_t task) {
    const auto i = static_cast<std::size_t>(task);
    const TensorEntry& entry = header_.table[owners[i]];
    const TensorEntry* before = i == 0 ? nullptr : &header_.table[owners[i - 1]];
    const std::uint64_t end = before == nullptr ? header_.end() : before->offset + before->bytes;
    tensors[i] = reason([&] { return find_damage(*source_, entry); });
    paddings[i] = reason([&] { return find_padding_damage(*source_, entry, end); });
  });

  std::vector<Damage> damages;
  const std::string size = reason([&] {
    check_file_bytes(header_.preamble, source_->size());
    return "";
  });
  if (!size.empty()) damages.push_back({{}, size});
  for (std::size_t i = 0; i < owners.size(); ++i) {
    const std::string place = "at offset " + std::to_string(header_.table[owners[i]].offset) + ": ";
    if (!paddings[i].empty()) damages.push_back({{}, place + paddings[i]});
    if (!tensors[i].empty()) damages.push_back({owners[i], place + tensors[i]});
  }
  return damages;
}

}  // namespace

std::unique_ptr<Contents> open_teff(std::shared_ptr<const ByteSource> source, const LoadOptions& options, bool whole) {
  return std::make_unique<TeffContents>(std::move(source), options, whole);
}

}  // namespace teff::serialize
