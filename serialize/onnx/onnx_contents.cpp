// SPDX-License-Identifier: MIT
#include <algorithm>
#include <unordered_map>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/tensor_impl.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/tensor_listing.h"
#include "teff/serialize/onnx/onnx_file.h"
#include "teff/serialize/onnx/onnx_model.h"

namespace teff::serialize {
namespace {

class OnnxContents final : public Contents {
 public:
  OnnxContents(std::shared_ptr<const ByteSource> source, const LoadOptions& options)
      : source_(std::move(source)), model_(read_onnx(*source_)) {
    for (const auto& [key, value] : model_.metadata) {
      if (key != kOnnxBuffers && !metadata.contains(key)) metadata.insert(key, value);
    }
    for (const OnnxNode& node : model_.graph.nodes) {
      const bool is_own = node.domain.empty() || node.domain == "ai.onnx";
      operators.push_back({(is_own ? "" : node.domain + '.') + node.op_type, node.name, node.inputs, node.outputs});
    }
    TensorListing listing;
    for (const OnnxTensor& tensor : model_.graph.initializers) add(tensor, options, listing);
    refusal = listing.refusal();
  }

  StoragePlace place_of(const Tensor& stand_in) const override {
    const OnnxTensor& tensor = tensor_of(stand_in);
    StoragePlace place{indices_.at(stand_in.id()), {}, {}};
    if (tensor.raw && tensor.raw->bytes() > 0) place.offset = tensor.raw->begin;
    return place;
  }

  std::vector<Tensor> read(std::span<const Tensor> stand_ins) const override {
    std::vector<const OnnxTensor*> tensors;
    for (const Tensor& stand_in : stand_ins) tensors.push_back(&tensor_of(stand_in));
    return read_onnx_tensors(*source_, tensors);
  }

  bool has_checksums() const override { return false; }

  std::vector<Damage> check() const override {
    std::vector<Damage> damages;
    for (const OnnxTensor* tensor : tensors_) {
      try {
        static_cast<void>(read_onnx_tensor(*source_, *tensor));
      } catch (const Error& error) {
        damages.push_back({damages.size(), error.what()});
      }
    }
    return damages;
  }

 private:
  void add(const OnnxTensor& tensor, const LoadOptions& options, TensorListing& listing) {
    if (structure.contains(tensor.name)) {
      throw FormatError("expected initialisers of different names, got \"" + escaped(tensor.name, kShownText) +
                        "\" twice");
    }
    const std::string place = escaped(tensor.name, kShownText);
    if (!onnx_dtype(tensor.code) || tensor.dims.size() > kMaxRank) {
      const std::string what =
          onnx_dtype(tensor.code) ? std::to_string(tensor.dims.size()) + " dimensions" : onnx_dtype_name(tensor.code);
      const std::string path = escape_key(tensor.name);
      unsupported.push_back({path, what});
      if (std::find(options.skip.begin(), options.skip.end(), path) == options.skip.end()) {
        listing.add_unsupported(place, what);
      }
      return;
    }
    const TensorType type = onnx_type(tensor);
    listing.add(place, type);
    const Tensor stand_in = detail::make_without_values(type);
    indices_.emplace(stand_in.id(), tensors_.size());
    tensors_.push_back(&tensor);
    structure.insert(tensor.name, stand_in);
  }

  const OnnxTensor& tensor_of(const Tensor& stand_in) const {
    const auto found = indices_.find(stand_in.id());
    if (found == indices_.end()) throw IndexError("File: expected a tensor of the file, got another");
    return *tensors_[found->second];
  }

  std::shared_ptr<const ByteSource> source_;
  OnnxModel model_;
  std::vector<const OnnxTensor*> tensors_;
  std::unordered_map<const void*, std::size_t> indices_;  // of the stand-ins, in tensors_
};

}  // namespace

std::unique_ptr<Contents> open_onnx(std::shared_ptr<const ByteSource> source, const LoadOptions& options) {
  return std::make_unique<OnnxContents>(std::move(source), options);
}

}  // namespace teff::serialize
