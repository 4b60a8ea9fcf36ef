// SPDX-License-Identifier: MIT
#include <map>
#include <memory>

#include <teff/teff.h>

#include "teff/serialize/cli/command.h"

namespace teff::cli {
namespace {

/// Converts floating-point tensors; those that share their elements still do afterwards.
class Converter {
 public:
  explicit Converter(DType dtype) : dtype_(dtype) {}

  Value operator()(const Value& value) {
    if (value.is_tensor()) return convert(value.as_tensor());
    if (value.is_list()) {
      List list;
      for (const Value& item : value.as_list()) list.push_back((*this)(item));
      return list;
    }
    if (!value.is_dict()) return value;
    Dict dict;
    for (const auto& [key, item] : value.as_dict()) dict.insert(key, (*this)(item));
    return dict;
  }

 private:
  Tensor convert(const Tensor& tensor) {
    if (!is_floating_point(tensor.dtype())) return tensor;
    Tensor& converted = converted_[{tensor.raw_data(), tensor.nbytes()}];
    if (!converted.defined()) converted = tensor.to(dtype_);
    return converted.shape() == tensor.shape() ? converted : converted.view(tensor.shape());
  }

  DType dtype_;
  std::map<std::pair<const void*, std::size_t>, Tensor> converted_;
};

struct Options {
  std::string from, to, dtype;
  bool without_metadata = false;
};

int convert(const Options& options) {
  const File file(options.from);
  Value content = file.model() != nullptr ? file.read("state_dict") : Value(file.read_all());
  if (!options.dtype.empty()) content = Converter(dtype_from_string(options.dtype))(content);
  SaveOptions saving;
  if (!options.without_metadata) saving.metadata = file.metadata();
  save(content.as_dict(), options.to, saving);
  return kOk;
}

std::function<int()> set_up(Parameters& parameters) {
  const auto options = std::make_shared<Options>();
  parameters.required("IN", options->from, "a file of any format; of an entire model its state dict is taken");
  parameters.required("OUT", options->to, "its extension says the format: .teff, .pt, .pth, .safetensors");
  parameters.option("--dtype", options->dtype, "converts floating-point tensors",
                    {"float32", "float64", "float16", "bfloat16"});
  parameters.flag("--without-metadata", options->without_metadata, "for formats that have no place for it");
  return [options] { return convert(*options); };
}

}  // namespace

const Command kConvert = {"convert", "Writes the content of a file in another format, or with another dtype",
                          "Examples:\n"
                          "  teff convert weights.pt weights.teff\n"
                          "  teff convert model.teff weights.safetensors\n"
                          "  teff convert --dtype float16 weights.teff small.teff",
                          set_up};

}  // namespace teff::cli
