// SPDX-License-Identifier: MIT
#pragma once

// Private: the classes and functions that are known by name in PyTorch's pickles. None is ever called.

#include <cstdint>
#include <string_view>

namespace teff::serialize {

enum class Known : std::uint8_t {
  nothing,
  storage,         // torch.FloatStorage: a class that tuples of storages name
  constant,        // torch.float32, torch.strided: text by its name
  tensor,          // _rebuild_tensor(storage, offset, sizes, strides)
  tensor_v2,       //   the same and more
  tensor_v3,       //   the same, and a dtype for a storage of bytes
  tensor_of_type,  // (how, class, arguments): of a class derived from Tensor
  parameter,       // (tensor, ...)
  meta_tensor,     // of no elements; as all below up to other_tensor, Teff has no place for it
  quantised_tensor,
  sparse_tensor,
  other_tensor,
  size,    // torch.Size(tuple)
  device,  // torch.device(name, index)
  layout,  // _get_layout(name)
  encode,  // _codecs.encode(text, "latin1"): bytes
  bytes,   // bytes(), bytearray(bytes), bytearray(text, "latin-1")
  complex_number,
  graph_module,       // reduce_graph_module(attributes, ...): a module of torch.fx
  namespace_,         // argparse.Namespace: its attributes
  numpy_scalar,       // (dtype, bytes)
  numpy_array,        // _reconstruct(class, ...), with its content as state
  numpy_from_buffer,  // (bytes, dtype, shape, order)
  numpy_dtype,
};

/// What the name is, among those that Teff interprets, or refuses with more than its name.
Known known_global(std::string_view module, std::string_view name);

}  // namespace teff::serialize
