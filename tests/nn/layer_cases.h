// SPDX-License-Identifier: MIT
#pragma once

// Layers by the names that golden files have for them.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "nn/nets.h"
#include "support/golden.h"
#include "teff/engine/testing.h"

namespace teff::nn_testing {

using MadeLayer = std::shared_ptr<nn::Module>;
using LayerCases = std::map<std::string, std::function<MadeLayer()>>;

template <class M>
std::function<MadeLayer()> layer_maker(M (*make)()) {
  return [make] { return std::make_shared<M>(make()); };
}

/// A name, and a captureless lambda that makes the layer.
#define TEFF_LAYER(name, ...)                                          \
  {                                                                    \
    name, ::teff::nn_testing::layer_maker(+[] { return __VA_ARGS__; }) \
  }

/// Tensors of a golden dict by dotted name: dots nest there.
inline void add_flat(const Dict& dict, const std::string& prefix, Dict& flat) {
  for (const DictItem& item : dict) {
    if (item.value.is_dict()) {
      add_flat(item.value.as_dict(), prefix + item.key + '.', flat);
    } else {
      flat.insert(prefix + item.key, item.value);
    }
  }
}

/// A part of a case, which is left out where it is empty.
inline Dict part_of(const Dict& entries, const char* name) {
  Dict flat;
  if (const Value* part = entries.find(name)) add_flat(part->as_dict(), "", flat);
  return flat;
}

/// Prints, and begins with the weights, as the case says.
inline void check_begin(const nn::Module& layer, const Dict& entries) {
  CHECK(printed(layer) == entries.at("printed").as_text());
  const Dict state = layer.state_dict();
  REQUIRE(keys_of(state) == keys_of(part_of(entries, "state")));
  for (const DictItem& item : state) {
    INFO(item.key);
    const Tensor expected = part_of(entries, "state").at(item.key).as_tensor();
    CHECK_NOTHROW(assert_close(item.value.as_tensor(), expected, {1e-6, 1e-7}));
  }
}

/// Layers of linear algebra may begin with other last bits.
inline void check_same_begin(const nn::Module& layer, const Dict& entries) {
  check_begin(layer, entries);
  for (const DictItem& item : layer.state_dict()) {
    INFO(item.key);
    CHECK(same_bits(item.value.as_tensor(), part_of(entries, "state").at(item.key).as_tensor()));
  }
}

}  // namespace teff::nn_testing
