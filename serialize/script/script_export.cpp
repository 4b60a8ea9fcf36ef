// SPDX-License-Identifier: MIT
#include "teff/serialize/script/script_export.h"

#include <optional>

#include "teff/engine/error.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/operators/aten_export.h"
#include "teff/serialize/operators/export_rules.h"

namespace teff::serialize {
namespace {

std::optional<std::string> why_not_in_aten(const std::string& op) {
  const AtenExport* row = find_aten_export(op);
  if (row == nullptr) return "an operation of the program's own";
  return row->is_declined() ? std::optional<std::string>(row->note) : std::nullopt;
}

class ForwardWriter {
 public:
  ForwardWriter(const nn::GraphModuleData& data, const OutModules& modules) : graph_(data.graph), modules_(modules) {
    check_operations(graph_, "TorchScript", why_not_in_aten);
    for (const GraphNode& node : graph_.nodes) state_.follows_mode.push_back(node.attributes.contains("training"));
    fill_attributes(graph_);
    state_.values.resize(graph_.nodes.size());
    state_.mode_of = [this](const std::string& scope) { return modules_.at(scope).expression + ".training"; };
    state_.attribute_of = [this](const std::string& key) { return modules_.attribute(key); };
  }

  ScriptCode run() {
    std::string header = "  def forward(self: " + modules_.root().class_name;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (graph_.nodes[i].kind != GraphNode::Kind::placeholder) continue;
      state_.values[i] = state_.unique(graph_.nodes[i].name);
      header += ",\n    " + state_.values[i] + ": Tensor";
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) add(i);
    result_.forward = header + ") -> " + outputs_type() + ":\n";
    for (const std::string& line : state_.statements) result_.forward += "    " + line + '\n';
    result_.forward += "    return " + outputs() + '\n';
    return std::move(result_);
  }

 private:
  void add(std::size_t place) {
    const GraphNode& node = graph_.nodes[place];
    if (node.kind == GraphNode::Kind::get_attr) state_.values[place] = named_shortly(attribute(node.target), node.name);
    if (node.kind != GraphNode::Kind::call) return;
    AtenCall call(state_, graph_, place);
    const AtenValues results = find_aten_export(node.target)->write(call);
    for (std::size_t i = 0; i < call.result_count(); ++i) state_.values[place + i] = results.at(i);
    count_code();
  }

  /// What may stand in many places.
  std::string named_shortly(std::string expression, const std::string& name) {
    constexpr std::size_t kLong = 200;
    if (expression.size() <= kLong) return expression;
    const std::string variable = state_.unique(name);
    state_.statements.push_back(variable + " = " + expression);
    return variable;
  }

  /// A graph of a stranger's file may name one thing very often.
  void count_code() {
    for (; counted_ < state_.statements.size(); ++counted_) code_bytes_ += state_.statements[counted_].size();
    if (code_bytes_ <= kMaxHeaderBytes) return;
    throw ValueError("expected a network whose code takes at most " + std::to_string(kMaxHeaderBytes) +
                     " bytes, got more");
  }

  /// A parameter or buffer, or a constant, of which each is kept once.
  std::string attribute(const std::string& target) {
    for (const auto& [name, tensor] : graph_.constants) {
      if (name != target) continue;
      const auto [known, is_new] = constants_.emplace(name, result_.constants.size());
      if (is_new) result_.constants.push_back(tensor);
      return "CONSTANTS.c" + std::to_string(known->second);
    }
    return modules_.attribute(target);
  }

  std::string outputs_type() const {
    if (graph_.outputs.size() == 1) return "Tensor";
    std::string text;
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) text += i == 0 ? "Tensor" : ", Tensor";
    return "Tuple[" + text + ']';
  }

  std::string outputs() const {
    std::string text;
    for (const std::int64_t output : graph_.outputs) {
      text += (text.empty() ? "" : ", ") + state_.values[static_cast<std::size_t>(output)];
    }
    return graph_.outputs.size() == 1 ? text : '(' + text + ')';
  }

  Graph graph_;
  const OutModules& modules_;
  AtenState state_;
  ScriptCode result_;
  std::map<std::string, std::size_t> constants_;
  std::size_t counted_ = 0;  // statements
  std::uint64_t code_bytes_ = 0;
};

}  // namespace

ScriptCode export_script(const nn::GraphModuleData& data, const OutModules& modules) {
  return ForwardWriter(data, modules).run();
}

}  // namespace teff::serialize
