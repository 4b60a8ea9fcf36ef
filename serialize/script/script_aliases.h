// SPDX-License-Identifier: MIT
#pragma once

// Private: tensors that share elements, as PyTorch's operators make them, and operators that change some in place. Here
// nothing is changed: the changed tensor is another one, which all handles see from then on.

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "teff/engine/tensor.h"
#include "teff/serialize/operators/operator_call.h"

namespace teff::serialize {

/// How a part is taken of a whole.
struct ScriptView {
  enum class Kind : std::uint8_t {
    none,     // it is no part: elements of its own
    shape,    // all of it, in another shape
    order,    // all of it, its dimensions in the order `dims`
    slice,    // from start to end by step along dim
    select,   // place `start` along dim
    spread,   // expand
    unknown,  // some part
  };
  Kind kind = Kind::none;
  IntList dims = {};
  std::int64_t dim = 0, start = 0, end = 0, step = 1;
};

class ScriptAliases {
 public:
  /// What there is of the tensor now. @throws UnsupportedError if that is not known.
  Tensor current(const Tensor& tensor);
  /// The results of an operator that got `whole`, of which `now` was there: those that are parts of it are kept as
  /// such.
  void add_results(std::string_view name, const OperatorCall& call, const Tensor& whole, const Tensor& now,
                   const TensorList& results);
  /// Puts values of the same type in the tensor's place, and in the place of its part of whatever it is part of.
  /// @throws UnsupportedError where they have no place.
  void write(const Tensor& tensor, const Tensor& values);
  /// The same with another shape. @throws UnsupportedError if it shares elements with other tensors.
  void replace(const Tensor& tensor, const Tensor& by);
  /// What the elements belong to.
  Tensor owner(const Tensor& tensor) const;

 private:
  using Key = std::pair<const void*, std::uint32_t>;
  struct Part {
    Tensor whole;
    ScriptView view;
    Tensor value;  // as of the time when the whole was `seen`
    Key seen;
    int depth = 1;  // of wholes that are parts
  };
  static Key key_of(const Tensor& tensor);
  static Tensor taken(const Tensor& whole, const ScriptView& view, const Shape& shape);
  static Tensor put(const Tensor& whole, const ScriptView& view, const Tensor& values);

  std::map<Key, Part> parts_;
  std::map<Key, Tensor> replaced_;
  std::map<Key, bool> wholes_;  // that have parts
  std::vector<Tensor> kept_;    // which the keys are of
};

/// Whether two handles are of one tensor.
bool is_same_tensor(const Tensor& a, const Tensor& b);

}  // namespace teff::serialize
