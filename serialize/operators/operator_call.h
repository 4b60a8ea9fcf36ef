// SPDX-License-Identifier: MIT
#pragma once

// Private: an operator of another system's graph, as it is called there, and the table that says what it is in Teff.
// A row's function reads the arguments by OperatorCall alone and calls Teff's public functions; who decodes the
// arguments (the reader of ONNX, of TorchScript, of exported programs) is nothing to it.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/engine/tensor.h"

namespace teff::serialize {

/// What goes wrong is told by who holds the call: operator, node, place in the file.
class OperatorCall {
 public:
  virtual ~OperatorCall() = default;

  /// How many tensors it gets, those that are left out included; and how many of its results somebody may read.
  virtual std::size_t input_count() const = 0;
  virtual std::size_t result_count() const = 0;
  /// Whether result i has a name.
  virtual bool wants(std::size_t i) const = 0;
  virtual int opset() const = 0;

  /// Input i; undefined if it is left out.
  virtual Tensor maybe(std::size_t i) const = 0;
  /// Input i with its values. @throws UnsupportedError if they depend on the values of the graph's inputs.
  virtual Tensor known(std::size_t i) const = 0;
  /// Whether known(i) has something to give.
  virtual bool is_known(std::size_t i) const = 0;
  /// Input i as what training changes by itself: a running statistic.
  virtual Tensor statistic(std::size_t i) const = 0;
  /// An option by its name; none if it is not given. One that is given and that nobody asks for is refused.
  virtual std::optional<Value> option(std::string_view name) const = 0;

  // Made of these.

  Tensor tensor(std::size_t i) const;
  bool has(std::size_t i) const { return i < input_count() && maybe(i).defined(); }
  std::int64_t integer(std::string_view name, std::int64_t otherwise) const;
  bool flag(std::string_view name, bool otherwise) const;
  double number(std::string_view name, double otherwise) const;
  std::string text(std::string_view name, std::string_view otherwise) const;
  std::vector<std::int64_t> integers(std::string_view name, std::vector<std::int64_t> otherwise = {}) const;
  std::vector<double> numbers(std::string_view name) const;
  /// Known inputs as numbers.
  std::vector<std::int64_t> known_integers(std::size_t i) const;
  std::int64_t known_integer(std::size_t i) const;
  double known_number(std::size_t i) const;
  /// Input i if there is one, or else the option of that name: what newer versions made of an attribute.
  std::vector<std::int64_t> integers(std::size_t i, std::string_view name,
                                     std::vector<std::int64_t> otherwise = {}) const;
  /// Of no effect here.
  void ignore(std::string_view name) const { static_cast<void>(option(name)); }

  /// A dimension of input i, counted from the front.
  std::int64_t axis(std::int64_t dim, std::int64_t rank) const;
};

/// @throws UnsupportedError with what was met unless supported: "expected ..., got ...".
void expect_supported(bool supported, const std::string& what);

/// What an operator is: a function of Teff of one or two tensors, or what reads the call and calls such functions.
class Conversion {
 public:
  using ByValue = Tensor (*)(Tensor);
  using Unary = Tensor (*)(const Tensor&);
  using Binary = Tensor (*)(const Tensor&, const Tensor&);
  using Single = Tensor (*)(const OperatorCall&);
  using Several = TensorList (*)(const OperatorCall&);

  constexpr Conversion(ByValue function) : kind_(Kind::by_value), by_value_(function) {}
  constexpr Conversion(Unary function) : kind_(Kind::unary), unary_(function) {}
  constexpr Conversion(Binary function) : kind_(Kind::binary), binary_(function) {}
  constexpr Conversion(Single function) : kind_(Kind::single), single_(function) {}
  constexpr Conversion(Several function) : kind_(Kind::several), several_(function) {}

  TensorList operator()(const OperatorCall& call) const;

 private:
  enum class Kind : std::uint8_t { by_value, unary, binary, single, several };
  Kind kind_;
  union {
    ByValue by_value_;
    Unary unary_;
    Binary binary_;
    Single single_;
    Several several_;
  };
};

/// One operator. Rows of one name differ in the versions for which they hold.
struct OperatorRow {
  std::string_view name;
  Conversion convert;
  int since = 1;
  int until = 1 << 20;
};

/// The row of ONNX's operator in a version of ONNX's operators; null if there is none.
const OperatorRow* find_onnx_operator(std::string_view name, std::int64_t opset);

/// The tables, one for each file of this folder.
namespace operators {
extern const std::span<const OperatorRow> pointwise, constants, shapes, reductions, images, pooling, norms, indexing,
    resizing, losses, logic, gathering, recurrent;
}

/// The values of a tensor as numbers.
std::vector<std::int64_t> integers_of(const Tensor& values);
std::vector<double> numbers_of(const Tensor& values);

IntList list_of(const std::vector<std::int64_t>& values);

/// The most elements that are made of constants, such as a range, before anybody asks for them.
inline constexpr std::int64_t kMaxConstant = 1 << 16;

/// Both inputs as broadcasting has them; before version 7 the second one's place was an attribute.
std::pair<Tensor, Tensor> two_inputs(const OperatorCall& call);

}  // namespace teff::serialize
