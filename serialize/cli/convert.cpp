// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cctype>
#include <iostream>
#include <map>
#include <memory>
#include <set>

#include <teff/teff.h>

#include "teff/serialize/cli/command.h"
#include "teff/serialize/cli/input.h"
#include "teff/serialize/cli/text.h"

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
  std::string from, to, dtype, entry;
  bool without_metadata = false, check = false, test_data = false, state_dict = false;
  LoadOptions loading;
};

bool is_state_dict(const Value& value) {
  if (!value.is_dict() || value.as_dict().empty()) return false;
  const Dict& dict = value.as_dict();
  return std::all_of(dict.begin(), dict.end(), [](const DictItem& item) { return item.value.is_tensor(); });
}

/// The paths of entries that are dictionaries of tensors only, as they stand in the first two levels.
std::string state_dicts_of(const Dict& dict, const std::string& path = {}) {
  constexpr std::size_t kShown = 100;  // bytes of all names
  std::string names;
  const auto add = [&](const std::string& name) {
    if (!name.empty() && names.size() < kShown) names += (names.empty() ? "" : ", ") + name;
  };
  for (const auto& [key, value] : dict) {
    if (is_state_dict(value)) {
      add(path + escape_key(key));
    } else if (value.is_dict() && path.empty()) {
      add(state_dicts_of(value.as_dict(), escape_key(key) + '/'));
    }
  }
  return names;
}

/// The key with which a path ends.
std::string last_key(const std::string& path) {
  std::string key;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '\\' && i + 1 < path.size()) {
      key += path[++i];
    } else if (path[i] == '/') {
      key.clear();
    } else {
      key += path[i];
    }
  }
  return key;
}

bool ends_with(const std::string& path, std::string_view extension) {
  return path.size() > extension.size() &&
         std::equal(extension.rbegin(), extension.rend(), path.rbegin(),
                    [](char a, char b) { return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b))); });
}

/// PyTorch's, which hold a state dict, or a network as TorchScript.
bool is_pytorch(const std::string& path) { return ends_with(path, ".pt") || ends_with(path, ".pth"); }

/// What is to be written: all of the file, of a model its state dict, or the entry.
Dict content_of(const File& file, const Options& options) {
  if (options.entry.empty()) return file.model() != nullptr ? file.read("state_dict").as_dict() : file.read_all();
  Value entry = file.read(options.entry);
  if (entry.is_dict()) return std::move(entry.as_dict());
  if (!entry.is_tensor()) {
    throw ValueError("--entry " + options.entry + ": expected a dictionary or a tensor, got " +
                     std::string(to_string(entry.kind())));
  }
  return {{last_key(options.entry), entry}};
}

/// Tensors that overlap in the file are written one by one; a small file could fill a disk with them.
void check_bytes(const Dict& dict, const File& file) {
  constexpr std::uint64_t kTimes = 16, kSlack = 64 * 1024 * 1024;
  std::set<std::pair<const void*, std::size_t>> written;
  std::uint64_t bytes = 0;
  for (const Leaf& leaf : leaves_of(dict)) {
    if (!leaf.value.is_tensor()) continue;
    const Tensor& tensor = leaf.value.as_tensor();
    if (tensor.nbytes() > 0 && written.emplace(tensor.raw_data(), tensor.nbytes()).second) bytes += tensor.nbytes();
  }
  if (bytes <= kTimes * file.size() + kSlack) return;
  throw ValueError("expected tensors that take at most 16 times the file and 64 MiB, got " + bytes_text(bytes) +
                   ": they overlap in the file, and are written one by one; --entry takes one of them");
}

/// Formats of others have no place for metadata, or for text only. What kind of tensors these are they need not tell.
Dict metadata_for(const std::string& to, const File& file) {
  Dict metadata = file.metadata();
  const bool has_place = !(is_pytorch(to) || ends_with(to, ".npz") || ends_with(to, ".npy"));
  if (has_place || metadata.empty()) return metadata;
  std::string names;
  for (const auto& [key, value] : metadata) {
    if (key != "format") names += (names.empty() ? "\"" : ", \"") + key + '"';
  }
  if (names.empty()) return {};
  throw ValueError(to + ": expected a format that has a place for the metadata " + names +
                   " (.teff, .safetensors), got another: --without-metadata leaves it out");
}

void write(Dict content, const File& file, const Options& options) {
  SaveOptions saving;
  if (!options.without_metadata) saving.metadata = metadata_for(options.to, file);
  if (ends_with(options.to, ".npy") && content.size() == 1) {
    Value only = content.begin()->value;
    content = Dict{{"", std::move(only)}};
  }
  save(content, options.to, saving);
}

/// What the copy is without.
void tell_left_out(const File& file) {
  constexpr std::size_t kShown = 1000;  // bytes of all of them
  std::string text;
  for (const UnsupportedEntry& entry : file.unsupported()) {
    if (text.size() > kShown) {
      text += ", ...";
      break;
    }
    text += (text.empty() ? "\"" : ", \"") + entry.path + "\" (" + entry.what + ')';
  }
  if (!text.empty()) std::cerr << "teff: left out: " << printable(text) << '\n';
}

/// Inputs that the graph takes, of random numbers from a fixed seed; of whole numbers, which may be indices, zeros.
std::vector<Tensor> example_of(const nn::GraphModule& module) {
  Generator generator(0);
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < module.inputs().size(); ++i) {
    const TensorType& type = module.graph().nodes[i].type;
    inputs.push_back(is_computable(type.dtype) ? randn(type.shape, generator).to(type.dtype)
                                               : zeros(type.shape, {.dtype = type.dtype}));
  }
  return inputs;
}

/// Runs both on the example and prints the largest difference of their outputs. @throws FormatError if there is one
/// beyond rounding.
void check_same(nn::GraphModule from, nn::GraphModule to, const std::vector<Tensor>& example) {
  const NoGradGuard no_grad;
  from.eval();
  to.eval();
  const std::vector<Tensor> expected = from(example), actual = to(example);
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i].numel() == 0) continue;
    const Tensor wanted = expected[i].to(DType::float64), got = actual.at(i).to(DType::float64);
    largest = std::max(largest, (wanted - got).abs().max().item<double>());
  }
  std::cout << "largest difference: " << largest << '\n';
  if (!(largest <= 1e-4)) throw FormatError("expected the same outputs of both files, got others");
}

/// A network as a file of another system, or of Teff.
int convert_network(const Options& options) {
  const nn::GraphModule module = open_model(options.from, options.loading);
  SaveOptions saving;
  if (!options.without_metadata) saving.metadata = metadata_for(options.to, open_file(options.from, options.loading));
  saving.test_data = options.test_data;
  const std::vector<Tensor> example = example_of(module);
  nn::GraphModule copy = module;
  save_model(copy, example, options.to, saving);
  if (!options.check) return kOk;
  LoadOptions loading{.self_test = ends_with(options.to, ".teff")};
  if (is_pytorch(options.to)) {
    for (const Tensor& input : example) loading.input_types.push_back(input.type());
  }
  check_same(module, load_model(options.to, loading), example);
  return kOk;
}

/// A pickled module as a network, if it is made of layers that Teff has. If not, its state dict is what a file of Teff
/// or PyTorch can have of it.
bool converts_module(const Options& options) {
  try {
    convert_network(options);
    return true;
  } catch (const UnsupportedError& error) {
    if (options.check || ends_with(options.to, ".onnx")) throw;
    std::cerr << "teff: the state dict alone: " << printable(told(error)) << '\n';
    return false;
  }
}

int convert(const Options& options) {
  const File file = open_file(options.from, options.loading);
  const bool is_whole = options.entry.empty() && options.dtype.empty() && !options.state_dict;
  const bool to_other = ends_with(options.to, ".onnx") || is_pytorch(options.to);
  const bool is_network =
      file.format() == FileFormat::onnx || is_torch_network(file) || (file.model() != nullptr && to_other);
  const bool takes_network = is_whole && (to_other || ends_with(options.to, ".teff"));
  if (is_network && takes_network) return convert_network(options);
  const bool is_module = takes_network && is_pickled_module(file);
  if (is_module && converts_module(options)) return kOk;
  if (options.check)
    throw ValueError("--check: expected a network that becomes a .teff, ONNX or TorchScript file, got another");
  if (options.test_data) throw ValueError("--test-data: expected a network that becomes an ONNX file, got another");
  Dict content = content_of(file, options);
  if (!options.dtype.empty()) content = Converter(dtype_from_string(options.dtype))(content).as_dict();
  check_bytes(content, file);
  if (options.entry.empty()) tell_left_out(file);
  try {
    write(std::move(content), file, options);
  } catch (const ValueError& error) {
    const std::string others = options.entry.empty() ? state_dicts_of(file.structure()) : "";
    if (others.empty()) throw;
    throw ValueError(told(error) + "; --entry takes one entry: " + others);
  }
  return kOk;
}

std::function<int()> set_up(Parameters& parameters) {
  const auto options = std::make_shared<Options>();
  parameters.required("IN", options->from,
                      "a file of any format; of an entire model that becomes an ONNX file or, as .pt, a TorchScript "
                      "archive, and of an ONNX file, a TorchScript archive, a program of torch.export or a pickled "
                      "module of PyTorch's layers that becomes one of these or a .teff file, the network is taken, of "
                      "others the state dict; - is the standard input");
  parameters.required("OUT", options->to,
                      "its extension says the format: .teff, .onnx, .pt, .pth, .safetensors, .npz, .npy");
  parameters.option("--entry", options->entry, "takes one entry, named as `teff show` names it, in place of all",
                    [](const std::string&) { return std::string(); });
  parameters.option("--dtype", options->dtype, "converts floating-point tensors",
                    {"float32", "float64", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"});
  parameters.flag("--check", options->check, "of networks: runs both and prints the largest difference");
  parameters.flag("--state-dict", options->state_dict, "takes the state dict where the network would be taken");
  parameters.flag("--test-data", options->test_data,
                  "for ONNX: writes test_data_set_0 beside it, an example with its outputs");
  parameters.flag("--without-metadata", options->without_metadata, "for formats that have no place for it");
  parameters.loading(options->loading);
  return [options] { return convert(*options); };
}

}  // namespace

const Command kConvert = {"convert", "Writes the content of a file in another format, or with another dtype",
                          "Examples:\n"
                          "  teff convert weights.pt weights.teff\n"
                          "  teff convert model.teff weights.safetensors\n"
                          "  teff convert checkpoint.pt weights.safetensors --entry model_state_dict\n"
                          "  teff convert --skip-unsupported checkpoint.pt rest.teff\n"
                          "  teff convert --check network.onnx network.teff\n"
                          "  teff convert --check model.teff model.onnx\n"
                          "  teff convert --check scripted.pt model.teff --input-type float32:1x3x224x224\n"
                          "  teff convert --dtype float16 weights.teff small.teff",
                          set_up};

}  // namespace teff::cli
