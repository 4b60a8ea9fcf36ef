// SPDX-License-Identifier: MIT
#pragma once

// Private: the way out. The second half of the table of operators: what each of Teff's operations is in ONNX's version
// 17, as one operator or a few, or why it is not there. It stands in sources of its own (out_*.cpp), so that a program
// that only loads models is linked without it.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/engine/graph.h"

namespace teff::serialize {

class ExportCall;

/// A tensor of the graph that is written, by its name; "" for an input that is left out. Arithmetic on terms writes
/// operators.
struct Term {
  ExportCall* call = nullptr;
  std::string name;
  DType dtype = DType::float32;
};
using Terms = std::vector<Term>;

Term operator+(const Term& a, const Term& b);
Term operator-(const Term& a, const Term& b);
Term operator*(const Term& a, const Term& b);
Term operator/(const Term& a, const Term& b);
Term operator+(const Term& a, double b);
Term operator-(const Term& a, double b);
Term operator*(const Term& a, double b);
Term operator/(const Term& a, double b);
Term operator-(double a, const Term& b);

struct ExportNode {
  std::string op, name;
  std::vector<std::string> inputs, outputs;
  Dict attributes;  // a bool or integer, a number, a text, a tensor, or a list of one of the first two
};

/// What is written so far, and what is known of the graph that is.
struct ExportState {
  std::vector<ExportNode> nodes;
  std::unordered_set<std::string> names;         // of tensors and nodes
  std::vector<std::string> values;               // by place in Teff's graph: the name of the tensor
  std::vector<std::vector<std::int64_t>> sizes;  // by place: -1 where one is free, or follows one that is
  std::map<std::string, std::string> constants;  // names of small ones, by type and bytes
  std::map<std::int64_t, std::string> shapes;    // names of shapes that were asked for, by place

  /// The name, or with a number behind it if there is one like it.
  std::string unique(const std::string& name);
};

/// One call of an operation, and the operators that are written for it.
class ExportCall {
 public:
  ExportCall(ExportState& state, const Graph& graph, std::size_t place);

  // What is called.

  std::size_t input_count() const { return node_.inputs.size(); }
  Term in(std::size_t i);
  Terms all();
  const TensorType& type(std::size_t i) const;
  /// Of input i; -1 where a size is free.
  const std::vector<std::int64_t>& sizes(std::size_t i) const;
  std::int64_t rank(std::size_t i) const { return static_cast<std::int64_t>(sizes(i).size()); }
  bool is_fixed(std::size_t i, std::int64_t dim) const { return sizes(i).at(static_cast<std::size_t>(dim)) >= 0; }
  /// A size of input i. @throws ValueError if it is free.
  std::int64_t fixed(std::size_t i, std::int64_t dim) const;
  std::size_t result_count() const { return result_count_; }
  const TensorType& result(std::size_t i = 0) const { return graph_.nodes[place_ + i].type; }

  // Its options. @throws ValueError if they follow a size of the inputs, where a number is needed.

  const Value& value(std::string_view name) const;
  bool has(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  double number(std::string_view name) const { return value(name).as_float(); }
  double number(std::string_view name, double otherwise) const { return has(name) ? number(name) : otherwise; }
  bool flag(std::string_view name) const { return value(name).as_bool(); }
  const std::string& text(std::string_view name) const { return value(name).as_text(); }
  std::vector<std::int64_t> integers(std::string_view name) const;
  /// The dimension that the option names, from the front.
  std::int64_t axis(std::string_view name, std::int64_t rank) const;

  // What is written.

  Term node(std::string_view op, const Terms& inputs, Dict attributes = {});
  Terms nodes(std::string_view op, const Terms& inputs, std::size_t results, Dict attributes = {});
  /// A tensor of bools, and of whole numbers.
  Term test(std::string_view op, const Terms& inputs) { return as(node(op, inputs), DType::bool_); }
  Term constant(const Tensor& value);
  /// One number.
  Term constant(double value, DType dtype);
  /// int64 [n]
  Term constants(const std::vector<std::int64_t>& values);
  Term scalar(std::int64_t value);
  Term cast(const Term& x, DType dtype);
  /// int64 [n] of integers, some of which may follow sizes; and of the shape of input i.
  Term sizes_of(std::span<const Value> values);
  Term size_of(const Value& value) { return sizes_of({&value, 1}); }
  Term shape_of(std::size_t i) { return shape_at(node_.inputs[i]); }
  Term none() { return {this, "", DType::float32}; }
  static Term as(Term x, DType dtype) {
    x.dtype = dtype;
    return x;
  }

  // Common ones.

  Term reshape(const Term& x, const std::vector<std::int64_t>& sizes);
  Term transpose(const Term& x, const std::vector<std::int64_t>& order);
  Term unsqueeze(const Term& x, const std::vector<std::int64_t>& axes);
  Term squeeze(const Term& x, const std::vector<std::int64_t>& axes);
  Term slice(const Term& x, std::int64_t axis, const Term& start, const Term& end);
  Term reduce(std::string_view op, const Term& x, const std::vector<std::int64_t>& axes, bool keepdims);

  [[noreturn]] void refuse(const std::string& what) const;

 private:
  Term shape_at(std::int64_t place);

  ExportState& state_;
  const Graph& graph_;
  const std::size_t place_;
  const GraphNode& node_;
  std::size_t result_count_;
  std::string path_;  // before the names of nodes
};

/// An operation in ONNX. With neither function it is the operator `onnx`, of the same inputs and without attributes;
/// without a name in `onnx` it is declined.
struct ExportRow {
  using Single = Term (*)(ExportCall&);
  using Several = Terms (*)(ExportCall&);

  constexpr ExportRow(std::string_view name, std::string_view operators) : op(name), onnx(operators) {}
  constexpr ExportRow(std::string_view name, std::string_view operators, Single function, std::string_view when = "")
      : op(name), onnx(operators), note(when), single(function) {}
  constexpr ExportRow(std::string_view name, std::string_view operators, Several function, std::string_view when = "")
      : op(name), onnx(operators), note(when), several(function) {}
  static constexpr ExportRow declined(std::string_view name, std::string_view reason) {
    ExportRow row(name, "");
    row.note = reason;
    return row;
  }

  bool is_declined() const { return onnx.empty(); }
  Terms write(ExportCall& call) const;

  std::string_view op;    // Teff's
  std::string_view onnx;  // the operators that it becomes
  std::string_view note;  // when not, or why not
  Single single = nullptr;
  Several several = nullptr;
};

/// Null for an operation that is not in the table: a program's own.
const ExportRow* find_export(std::string_view op);

namespace operators {
extern const std::span<const ExportRow> out_pointwise, out_shapes, out_reductions, out_images, out_layers, out_indexing,
    out_losses;
}

}  // namespace teff::serialize
