// SPDX-License-Identifier: MIT
#include "teff/engine/op_registry.h"

#include <functional>
#include <map>
#include <mutex>

#include "teff/engine/error.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/process.h"

namespace teff {
namespace {

class Registry {
 public:
  Registry() {
    for (const auto table : {ops::activation_ops,     ops::adaptive_pool2d_ops,
                             ops::advanced_index_ops, ops::attention_ops,
                             ops::batch_norm_ops,     ops::binary_ops,
                             ops::cdist_ops,          ops::comparison_ops,
                             ops::conv2d_ops,         ops::conv_transpose2d_ops,
                             ops::copy_ops,           ops::ctc_loss_ops,
                             ops::cumulative_ops,     ops::dropout_ops,
                             ops::embedding_bag_ops,  ops::embedding_ops,
                             ops::extremum_ops,       ops::gather_ops,
                             ops::grid_sample_ops,    ops::group_norm_ops,
                             ops::indexed_pool_ops,   ops::indexing_ops,
                             ops::instance_norm_ops,  ops::interpolate_ops,
                             ops::join_ops,           ops::math_ops,
                             ops::math_pair_ops,      ops::matmul_ops,
                             ops::max_unpool_ops,     ops::multi_margin_loss_ops,
                             ops::nll_loss_ops,       ops::pad_ops,
                             ops::pair_loss_ops,      ops::pieces_ops,
                             ops::pool2d_ops,         ops::rearrange_ops,
                             ops::recurrent_ops,      ops::reduce_ops,
                             ops::reshape_ops,        ops::search_ops,
                             ops::softmax_ops,        ops::sort_ops,
                             ops::unary_ops,          ops::unfold_ops,
                             ops::where_ops}) {
      for (const OpEntry& entry : table()) add(entry);
    }
  }

  void add(const OpEntry& entry) {
    std::lock_guard lock(mutex_);
    const auto [place, added] = entries_.emplace(entry.name, Stored{entry.version, entry.make});
    if (!added && place->second.make != entry.make) {
      throw ValueError("register_op: expected a new name, got \"" + std::string(entry.name) +
                       "\", which another op has");
    }
  }

  OpEntry find(std::string_view name) {
    std::lock_guard lock(mutex_);
    const auto place = entries_.find(name);
    if (place == entries_.end()) {
      throw ValueError("make_op: expected the name of a registered op, got \"" + std::string(name) +
                       "\"; an op of your own must be made known with register_op first");
    }
    return {place->first, place->second.version, place->second.make};
  }

  std::vector<std::string> names() {
    std::lock_guard lock(mutex_);
    std::vector<std::string> result;
    for (const auto& [name, stored] : entries_) result.push_back(name);
    return result;
  }

 private:
  struct Stored {
    int version;
    std::shared_ptr<const Op> (*make)(const Dict&);
  };
  detail::ProcessMutex mutex_;
  std::map<std::string, Stored, std::less<>> entries_;
};

Registry& registry() {
  static Registry* instance = new Registry;  // never destroyed: see parallel.cpp
  return *instance;
}

}  // namespace

std::shared_ptr<const Op> make_op(std::string_view name, const Dict& attributes, int version) {
  const OpEntry entry = registry().find(name);
  if (version < 1 || version > entry.version) {
    throw ValueError(std::string(name) + ": expected version 1 to " + std::to_string(entry.version) +
                     " of the operation, got version " + std::to_string(version));
  }
  return entry.make(attributes);
}

void register_op(const OpEntry& entry) { registry().add(entry); }

std::vector<std::string> registered_ops() { return registry().names(); }

}  // namespace teff
