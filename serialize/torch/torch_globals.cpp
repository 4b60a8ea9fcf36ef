// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/torch_globals.h"

#include <algorithm>
#include <array>

namespace teff::serialize {
namespace {

struct Global {
  std::string_view module;
  std::string_view name;
  Known known;
};

constexpr auto kGlobals = std::to_array<Global>({
    {"torch._utils", "_rebuild_tensor", Known::tensor},
    {"torch._utils", "_rebuild_tensor_v2", Known::tensor_v2},
    {"torch._utils", "_rebuild_tensor_v3", Known::tensor_v3},
    {"torch._utils", "_rebuild_parameter", Known::parameter},
    {"torch._utils", "_rebuild_parameter_with_state", Known::parameter},
    {"torch._utils", "_rebuild_qtensor", Known::quantised_tensor},
    {"torch._utils", "_rebuild_sparse_tensor", Known::sparse_tensor},
    {"torch._utils", "_rebuild_sparse_csr_tensor", Known::sparse_tensor},
    {"torch._utils", "_rebuild_meta_tensor_no_storage", Known::meta_tensor},
    {"torch._tensor", "_rebuild_from_type", Known::tensor_of_type},
    {"torch._tensor", "_rebuild_from_type_v2", Known::tensor_of_type},
    {"torch.tensor", "_rebuild_from_type", Known::tensor_of_type},
    {"torch.nn.parameter", "Parameter", Known::parameter},
    {"torch.nn.parameter", "Buffer", Known::parameter},
    {"torch", "Size", Known::size},
    {"torch", "device", Known::device},
    {"torch.serialization", "_get_layout", Known::layout},
    {"_codecs", "encode", Known::encode},
    {"__builtin__", "bytes", Known::bytes},
    {"builtins", "bytes", Known::bytes},
    {"__builtin__", "bytearray", Known::bytes},
    {"builtins", "bytearray", Known::bytes},
    {"__builtin__", "complex", Known::complex_number},
    {"builtins", "complex", Known::complex_number},
    {"argparse", "Namespace", Known::namespace_},
    {"types", "SimpleNamespace", Known::namespace_},
    {"numpy.core.multiarray", "scalar", Known::numpy_scalar},
    {"numpy._core.multiarray", "scalar", Known::numpy_scalar},
    {"numpy.core.multiarray", "_reconstruct", Known::numpy_array},
    {"numpy._core.multiarray", "_reconstruct", Known::numpy_array},
    {"numpy.core.numeric", "_frombuffer", Known::numpy_from_buffer},
    {"numpy._core.numeric", "_frombuffer", Known::numpy_from_buffer},
    {"numpy", "dtype", Known::numpy_dtype},
    {"torch.autograd.variable", "Variable", Known::parameter},
    {"torch.jit._pickle", "build_boollist", Known::parameter},
    {"torch.jit._pickle", "build_doublelist", Known::parameter},
    {"torch.jit._pickle", "build_intlist", Known::parameter},
    {"torch.jit._pickle", "build_tensorlist", Known::parameter},
    {"torch.jit._pickle", "restore_type_tag", Known::parameter},
    {"torch.fx.graph_module", "reduce_graph_module", Known::graph_module},
});

// Of the module torch: the class of all tensors, layouts, memory formats, ways of quantisation.
constexpr auto kTorchConstants = std::to_array<std::string_view>({
    "Tensor",
    "strided",
    "sparse_coo",
    "sparse_csr",
    "sparse_csc",
    "sparse_bsr",
    "sparse_bsc",
    "contiguous_format",
    "channels_last",
    "channels_last_3d",
    "preserve_format",
    "per_tensor_affine",
    "per_channel_affine",
    "per_tensor_symmetric",
    "per_channel_symmetric",
    "per_channel_affine_float_qparams",
    "float",
    "double",
    "half",
    "long",
    "int",
    "short",
    "bool",
    "cfloat",
    "cdouble",
    "chalf",
    "bfloat16",
});
// Dtypes are these and the number of their bits: float8_e4m3fn, quint4x2, uint16.
constexpr auto kDTypeStems =
    std::to_array<std::string_view>({"float", "int", "uint", "qint", "quint", "complex", "bits"});

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_torch_constant(std::string_view name) {
  if (std::find(kTorchConstants.begin(), kTorchConstants.end(), name) != kTorchConstants.end()) return true;
  const bool is_word =
      std::all_of(name.begin(), name.end(), [](char c) { return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z'); });
  return is_word && std::any_of(kDTypeStems.begin(), kDTypeStems.end(), [&](std::string_view stem) {
           return name.starts_with(stem) && name.size() > stem.size() && is_digit(name[stem.size()]);
         });
}

}  // namespace

Known known_global(std::string_view module, std::string_view name) {
  if (module == "torch" || module == "torch.storage" || module == "torch.cuda") {
    if (name.ends_with("Storage")) return Known::storage;
    if (module == "torch" && is_torch_constant(name)) return Known::constant;
  }
  const auto found = std::find_if(kGlobals.begin(), kGlobals.end(),
                                  [&](const Global& global) { return global.module == module && global.name == name; });
  if (found != kGlobals.end()) return found->known;
  return module == "torch._utils" && name.starts_with("_rebuild_") ? Known::other_tensor : Known::nothing;
}

}  // namespace teff::serialize
