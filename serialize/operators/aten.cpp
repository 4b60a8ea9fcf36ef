// SPDX-License-Identifier: MIT
#include "teff/serialize/operators/aten.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "teff/engine/error.h"

namespace teff::serialize {
namespace {

/// c10/core/ScalarType.h has the numbers.
constexpr std::pair<std::int64_t, DType> kCodes[] = {
    {0, DType::uint8},   {1, DType::int8},    {2, DType::int16},   {3, DType::int32},  {4, DType::int64},
    {5, DType::float16}, {6, DType::float32}, {7, DType::float64}, {11, DType::bool_}, {15, DType::bfloat16},
    {27, DType::uint16}, {28, DType::uint32}, {29, DType::uint64},
};

/// Other names of operators, whose arguments have the same names.
struct AtenAlias {
  std::string_view alias, name;
};
constexpr AtenAlias kAliases[] = {
    {"__and__", "bitwise_and"},
    {"__lshift__", "bitwise_left_shift"},
    {"__or__", "bitwise_or"},
    {"__rshift__", "bitwise_right_shift"},
    {"__xor__", "bitwise_xor"},
    {"_adaptive_avg_pool2d", "adaptive_avg_pool2d"},
    {"_adaptive_avg_pool3d", "adaptive_avg_pool3d"},
    {"_unsafe_index", "index"},
    {"_unsafe_index_put", "index_put"},
    {"_unsafe_view", "view"},
    {"absolute", "abs"},
    {"clip", "clamp"},
    {"concat", "cat"},
    {"concatenate", "cat"},
    {"divide", "div"},
    {"fix", "trunc"},
    {"greater", "gt"},
    {"greater_equal", "ge"},
    {"grid_sampler_2d", "grid_sampler"},
    {"less", "lt"},
    {"less_equal", "le"},
    {"lift", "alias"},
    {"lift_fresh", "alias"},
    {"linalg_matmul", "matmul"},
    {"linalg_multi_dot", "chain_matmul"},
    {"moveaxis", "movedim"},
    {"multiply", "mul"},
    {"native_channel_shuffle", "channel_shuffle"},
    {"negative", "neg"},
    {"nll_loss2d", "nll_loss"},
    {"nll_loss_nd", "nll_loss"},
    {"not_equal", "ne"},
    {"positive", "alias"},
    {"resolve_conj", "alias"},
    {"resolve_neg", "alias"},
    {"row_stack", "vstack"},
    {"sgn", "sign"},
    {"special_expit", "sigmoid"},
    {"special_gammaln", "lgamma"},
    {"subtract", "sub"},
    {"swapdims", "transpose"},
    {"true_divide", "div"},
};

constexpr bool are_aliases_in_order() {
  for (std::size_t i = 1; i < std::size(kAliases); ++i) {
    if (kAliases[i].alias <= kAliases[i - 1].alias) return false;
  }
  return true;
}
static_assert(are_aliases_in_order());

auto all_tables() {
  return std::array{&operators::aten_pointwise,   &operators::aten_shapes,   &operators::aten_pieces,
                    &operators::aten_reductions,  &operators::aten_products, &operators::aten_layers,
                    &operators::aten_transformer, &operators::aten_losses,   &operators::aten_pooling,
                    &operators::aten_indexing,    &operators::aten_creation};
}

const AtenRow* find_row(std::string_view name) {
  for (const std::span<const AtenRow>* table : all_tables()) {
    const auto found = std::lower_bound(table->begin(), table->end(), name,
                                        [](const AtenRow& row, std::string_view other) { return row.name < other; });
    if (found != table->end() && found->name == name) return &*found;
  }
  return nullptr;
}

/// A row of that name, or of what the name is an alias of.
const AtenRow* find_named(std::string_view name) {
  if (const AtenRow* row = find_row(name)) return row;
  const auto found = std::lower_bound(std::begin(kAliases), std::end(kAliases), name,
                                      [](const AtenAlias& one, std::string_view other) { return one.alias < other; });
  return found != std::end(kAliases) && found->alias == name ? find_row(found->name) : nullptr;
}

std::string without(std::string_view name, std::string_view prefix) { return std::string(name.substr(prefix.size())); }

}  // namespace

/// Some have names by a rule: view_copy is what exported programs call a view, arcsin is asin, special_erf is erf.
const AtenRow* find_aten_operator(std::string_view name) {
  constexpr std::string_view kCopy = "_copy", kUnsafe = "unsafe_", kSpecial = "special_", kArc = "arc";
  if (const AtenRow* row = find_named(name)) return row;
  if (name.ends_with(kCopy)) return find_named(name.substr(0, name.size() - kCopy.size()));
  if (name.starts_with(kUnsafe)) return find_named(without(name, kUnsafe));
  if (name.starts_with(kSpecial)) return find_named(without(name, kSpecial));
  if (name.starts_with(kArc)) return find_named('a' + without(name, kArc));
  return nullptr;
}

std::vector<std::string_view> aten_operator_names() {
  std::vector<std::string_view> names;
  for (const std::span<const AtenRow>* table : all_tables()) {
    for (const AtenRow& row : *table) names.push_back(row.name);
  }
  for (const AtenAlias& one : kAliases) names.push_back(one.alias);
  return names;
}

DType aten_dtype(std::int64_t code) {
  for (const auto& [number, dtype] : kCodes) {
    if (number == code) return dtype;
  }
  throw UnsupportedError("expected a dtype that Teff has, got PyTorch's number " + std::to_string(code));
}

std::int64_t aten_code(DType dtype) {
  for (const auto& [number, known] : kCodes) {
    if (known == dtype) return number;
  }
  throw UnsupportedError("expected a dtype that PyTorch has a number for, got " + std::string(to_string(dtype)));
}

}  // namespace teff::serialize
