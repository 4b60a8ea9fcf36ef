// SPDX-License-Identifier: MIT
#pragma once

// Private: the way out to ATen's operators, in the code of TorchScript. The table's third part (aten_out_*.cpp): what
// each of Teff's operations is there, as a call or a few, or why it is not there. PyTorch 1.13 and 2.6 have all of
// them. It stands in sources of its own, so that a program that only loads models is linked without it.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/engine/graph.h"

namespace teff::serialize {

class AtenCall;

/// What is written so far.
struct AtenState {
  std::vector<std::string> statements;
  std::unordered_map<std::string, std::size_t> names;  // of variables; how many are like it
  std::vector<std::string> values;                     // by place in the graph: an expression
  std::vector<bool> follows_mode;                      // by place: whether training and evaluation differ
  /// The expression that says whether the module of that path trains.
  std::function<std::string(const std::string& scope)> mode_of;
  /// That of a parameter or buffer; "" if there is none.
  std::function<std::string(const std::string& key)> attribute_of;

  /// A name for a variable, like the beginning of this one.
  std::string unique(std::string_view name);
};

using AtenValues = std::vector<std::string>;

/// One call of an operation, and the code that is written for it.
class AtenCall {
 public:
  AtenCall(AtenState& state, const Graph& graph, std::size_t place);

  // What is called.

  std::size_t input_count() const { return node_.inputs.size(); }
  const std::string& in(std::size_t i) const;
  /// None where there is no such input.
  std::string in_or_none(std::size_t i) const { return i < input_count() ? in(i) : "None"; }
  /// The next input, if the option says that it is there; else None.
  std::string in_if(std::string_view option, std::size_t& next) const { return flag(option) ? in(next++) : "None"; }
  const TensorType& type(std::size_t i) const;
  std::int64_t rank(std::size_t i) const { return static_cast<std::int64_t>(type(i).shape.size()); }
  std::size_t result_count() const { return result_count_; }
  const TensorType& result(std::size_t i = 0) const { return graph_.nodes[place_ + i].type; }
  /// Whether the module that makes the call trains; "False" where the mode does not matter.
  std::string training() const;

  // Its options.

  const Value& value(std::string_view name) const { return node_.attributes.at(name); }
  bool has(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  double number(std::string_view name) const { return value(name).as_float(); }
  bool flag(std::string_view name) const { return value(name).as_bool(); }
  const std::string& text(std::string_view name) const { return value(name).as_text(); }
  /// The dimension that the option names, from the front.
  std::int64_t axis(std::string_view name, std::int64_t rank) const;
  /// As it is written: sizes that follow the inputs' as arithmetic. A number that goes with whole numbers is whole.
  std::string option(std::string_view name) const { return written(value(name)); }
  std::string written(const Value& value) const;

  // What is written.

  /// The text with "{0}" for an input, "{1?}" for one or None, "{*}" for all, "{name}" for an option, "{training}" for
  /// the mode, "{name:code}" for ATen's number of a reduction, "{name:list}" for a list that may be left out.
  std::string filled(std::string_view text) const;
  /// A variable that has the expression's value.
  std::string let(std::string_view expression);
  AtenValues let_several(std::string_view expression, std::size_t count);
  void statement(std::string line) { state_.statements.push_back(std::move(line)); }
  /// Has the results the names of the nodes.
  AtenValues results(std::string_view expression, std::size_t count);

  std::string fresh(std::string_view name) { return state_.unique(name); }
  /// num_batches_tracked beside the statistic that input i is; "" if there is none.
  std::string counter(std::size_t i) const;

  [[noreturn]] void refuse(const std::string& what) const;

 private:
  std::string placeholder(std::string_view key) const;
  std::string size(const Dict& rule) const;

  AtenState& state_;
  const Graph& graph_;
  const std::size_t place_;
  const GraphNode& node_;
  const std::size_t result_count_;
};

/// As Python writes them; the number again when it is read.
std::string aten_integer(std::int64_t value);
std::string aten_float(double value);
std::string aten_integers(std::span<const std::int64_t> values);
/// Within quotes, in ASCII.
std::string aten_quoted(std::string_view text);
/// Whether code can have it as a name as it stands.
bool is_aten_name(std::string_view name);

/// An operation in ATen: a call, as text to be filled in, of as many results as the operation has, or of `count`, of
/// which these are the first; or a function that writes it. Without either it is declined.
struct AtenExport {
  using Single = std::string (*)(AtenCall&);
  using Several = AtenValues (*)(AtenCall&);

  constexpr AtenExport(std::string_view name, std::string_view call, std::size_t results = 0)
      : op(name), aten(call), count(results) {}
  constexpr AtenExport(std::string_view name, std::string_view operators, Single function, std::string_view when = "")
      : op(name), aten(operators), note(when), single(function) {}
  constexpr AtenExport(std::string_view name, std::string_view operators, Several function, std::string_view when = "")
      : op(name), aten(operators), note(when), several(function) {}
  static constexpr AtenExport declined(std::string_view name, std::string_view reason) {
    AtenExport row(name, "");
    row.note = reason;
    return row;
  }

  bool is_declined() const { return aten.empty(); }
  /// The expressions of the results.
  AtenValues write(AtenCall& call) const;
  /// The operators: "conv2d".
  std::string operators() const;

  std::string_view op;    // Teff's
  std::string_view aten;  // the call, or the operators that the function writes
  std::string_view note;  // when not, or why not
  std::size_t count = 0;
  Single single = nullptr;
  Several several = nullptr;
};

/// Null for an operation that is not in the table: a program's own.
const AtenExport* find_aten_export(std::string_view op);

namespace operators {
extern const std::span<const AtenExport> aten_out_pointwise, aten_out_shapes, aten_out_reductions, aten_out_images,
    aten_out_layers, aten_out_indexing, aten_out_losses;
}

}  // namespace teff::serialize
