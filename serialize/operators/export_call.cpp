// SPDX-License-Identifier: MIT
#include "teff/serialize/operators/export_call.h"

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/onnx/onnx_codes.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kSharedBytes = 64;  // of constants that are written once

std::int64_t at(const Dict& dict, std::string_view key, std::int64_t otherwise) {
  const Value* value = dict.find(key);
  return value == nullptr ? otherwise : value->as_int();
}

}  // namespace

Term operator+(const Term& a, const Term& b) { return a.call->node("Add", {a, b}); }
Term operator-(const Term& a, const Term& b) { return a.call->node("Sub", {a, b}); }
Term operator*(const Term& a, const Term& b) { return a.call->node("Mul", {a, b}); }
Term operator/(const Term& a, const Term& b) { return a.call->node("Div", {a, b}); }
Term operator+(const Term& a, double b) { return a + a.call->constant(b, a.dtype); }
Term operator-(const Term& a, double b) { return a - a.call->constant(b, a.dtype); }
Term operator*(const Term& a, double b) { return a * a.call->constant(b, a.dtype); }
Term operator/(const Term& a, double b) { return a / a.call->constant(b, a.dtype); }
Term operator-(double a, const Term& b) { return b.call->constant(a, b.dtype) - b; }

std::string ExportState::unique(const std::string& name) {
  std::string result = name;
  for (int i = 1; !names.insert(result).second; ++i) result = name + '_' + std::to_string(i);
  return result;
}

ExportCall::ExportCall(ExportState& state, const Graph& graph, std::size_t place)
    : state_(state),
      graph_(graph),
      place_(place),
      node_(graph.nodes[place]),
      result_count_(teff::result_count(graph, place)),
      path_('/' + node_.scope + (node_.scope.empty() ? "" : "/")) {
  std::replace(path_.begin(), path_.end(), '.', '/');
}

Term ExportCall::in(std::size_t i) {
  return {this, state_.values[static_cast<std::size_t>(node_.inputs.at(i))], type(i).dtype};
}

Terms ExportCall::all() {
  Terms terms;
  for (std::size_t i = 0; i < input_count(); ++i) terms.push_back(in(i));
  return terms;
}

const TensorType& ExportCall::type(std::size_t i) const {
  return graph_.nodes[static_cast<std::size_t>(node_.inputs.at(i))].type;
}

const std::vector<std::int64_t>& ExportCall::sizes(std::size_t i) const {
  return state_.sizes[static_cast<std::size_t>(node_.inputs.at(i))];
}

std::int64_t ExportCall::fixed(std::size_t i, std::int64_t dim) const {
  if (is_fixed(i, dim)) return sizes(i)[static_cast<std::size_t>(dim)];
  refuse("expected a fixed size in dimension " + std::to_string(dim) + " of input " + std::to_string(i) +
         ", got one that is free: capture with sizes that cannot vary");
}

const Value& ExportCall::value(std::string_view name) const { return node_.attributes.at(name); }

bool ExportCall::has(std::string_view name) const {
  const Value* value = node_.attributes.find(name);
  return value != nullptr && !value->is_none();
}

std::int64_t ExportCall::integer(std::string_view name) const {
  if (value(name).is_int()) return value(name).as_int();
  refuse("expected a number as " + std::string(name) + ", got one that follows a size of the inputs");
}

std::vector<std::int64_t> ExportCall::integers(std::string_view name) const {
  std::vector<std::int64_t> result;
  for (const Value& item : value(name).as_list()) {
    if (!item.is_int())
      refuse("expected numbers as " + std::string(name) + ", got some that follow sizes of the inputs");
    result.push_back(item.as_int());
  }
  return result;
}

std::int64_t ExportCall::axis(std::string_view name, std::int64_t rank) const {
  const std::int64_t dim = integer(name);
  return dim < 0 ? dim + rank : dim;
}

Term ExportCall::node(std::string_view op, const Terms& inputs, Dict attributes) {
  return nodes(op, inputs, 1, std::move(attributes))[0];
}

Terms ExportCall::nodes(std::string_view op, const Terms& inputs, std::size_t results, Dict attributes) {
  ExportNode node{std::string(op), state_.unique(path_ + std::string(op)), {}, {}, std::move(attributes)};
  Terms terms;
  for (const Term& input : inputs) node.inputs.push_back(input.name);
  for (std::size_t i = 0; i < results; ++i) {
    node.outputs.push_back(state_.unique(node.name + "_output_" + std::to_string(i)));
    terms.push_back({this, node.outputs.back(), inputs.empty() ? DType::float32 : inputs[0].dtype});
  }
  state_.nodes.push_back(std::move(node));
  return terms;
}

Term ExportCall::constant(const Tensor& value) {
  std::string key;
  if (value.nbytes() <= kSharedBytes) {
    key = std::string(to_string(value.dtype())) + to_string(value.shape());
    key.append(static_cast<const char*>(value.raw_data()), value.nbytes());
    const auto known = state_.constants.find(key);
    if (known != state_.constants.end()) return {this, known->second, value.dtype()};
  }
  const Term term = as(node("Constant", {}, {{"value", value}}), value.dtype());
  if (!key.empty()) state_.constants.emplace(key, term.name);
  return term;
}

Term ExportCall::constant(double value, DType dtype) { return constant(full({}, value, {.dtype = dtype})); }
Term ExportCall::constants(const std::vector<std::int64_t>& values) { return constant(tensor(values)); }
Term ExportCall::scalar(std::int64_t value) { return constant(full({}, value, {.dtype = DType::int64})); }

Term ExportCall::cast(const Term& x, DType dtype) {
  return x.dtype == dtype ? x : as(node("Cast", {x}, {{"to", onnx_code(dtype)}}), dtype);
}

Term ExportCall::shape_at(std::int64_t place) {
  std::string& name = state_.shapes[place];
  if (name.empty()) name = node("Shape", {{this, state_.values[static_cast<std::size_t>(place)], DType::int64}}).name;
  return {this, name, DType::int64};
}

/// {"batch": k}, or {"size": [place, dim, ...], "times": k, "plus": p, "over": n}: see GraphNode::attributes.
Term ExportCall::sizes_of(std::span<const Value> values) {
  Terms parts;
  std::vector<std::int64_t> numbers;
  const auto flush = [&] {
    if (!numbers.empty()) parts.push_back(constants(numbers));
    numbers.clear();
  };
  for (const Value& value : values) {
    if (value.is_int()) {
      numbers.push_back(value.as_int());
      continue;
    }
    flush();
    const Dict& rule = value.as_dict();
    const Value* batch = rule.find("batch");
    std::vector<std::int64_t> dims{0};
    std::int64_t place = 0;
    if (batch == nullptr) {
      const List& list = rule.at("size").as_list();
      place = list.at(0).as_int();
      dims.clear();
      for (std::size_t i = 1; i < list.size(); ++i) dims.push_back(list[i].as_int());
    }
    const std::int64_t times = batch != nullptr ? batch->as_int() : at(rule, "times", 1);
    const std::int64_t plus = at(rule, "plus", 0), over = at(rule, "over", 1);
    Term size = node("Gather", {shape_at(place), constants(dims)}, {{"axis", 0}});
    if (dims.size() > 1) size = reduce("ReduceProd", size, {0}, true);
    if (times != 1) size = size * constants({times});
    if (plus != 0) size = size + constants({plus});
    if (over != 1) size = size / constants({over});
    parts.push_back(size);
  }
  flush();
  if (parts.empty()) return constants({});
  return parts.size() == 1 ? parts[0] : node("Concat", parts, {{"axis", 0}});
}

namespace {

IntList int_list(const std::vector<std::int64_t>& values) { return IntList(std::span<const std::int64_t>(values)); }

}  // namespace

Term ExportCall::reshape(const Term& x, const std::vector<std::int64_t>& sizes) {
  return node("Reshape", {x, constants(sizes)});
}
Term ExportCall::transpose(const Term& x, const std::vector<std::int64_t>& order) {
  return node("Transpose", {x}, {{"perm", int_list(order)}});
}
Term ExportCall::unsqueeze(const Term& x, const std::vector<std::int64_t>& axes) {
  return node("Unsqueeze", {x, constants(axes)});
}
Term ExportCall::squeeze(const Term& x, const std::vector<std::int64_t>& axes) {
  return node("Squeeze", {x, constants(axes)});
}
Term ExportCall::slice(const Term& x, std::int64_t axis, const Term& start, const Term& end) {
  return node("Slice", {x, start, end, constants({axis})});
}

Term ExportCall::reduce(std::string_view op, const Term& x, const std::vector<std::int64_t>& axes, bool keepdims) {
  Dict attributes{{"keepdims", keepdims}};
  if (op == "ReduceSum") return node(op, axes.empty() ? Terms{x} : Terms{x, constants(axes)}, std::move(attributes));
  if (!axes.empty()) attributes.insert("axes", int_list(axes));
  return node(op, {x}, std::move(attributes));
}

void ExportCall::refuse(const std::string& what) const {
  throw ValueError(node_.target + (node_.scope.empty() ? "" : " of " + node_.scope) + ": " + what);
}

Terms ExportRow::write(ExportCall& call) const {
  if (single != nullptr) return {single(call)};
  if (several != nullptr) return several(call);
  return {call.node(onnx, call.all())};
}

const ExportRow* find_export(std::string_view op) {
  for (const std::span<const ExportRow>* table :
       {&operators::out_pointwise, &operators::out_shapes, &operators::out_reductions, &operators::out_images,
        &operators::out_layers, &operators::out_indexing, &operators::out_losses}) {
    for (const ExportRow& row : *table) {
      if (row.op == op) return &row;
    }
  }
  return nullptr;
}

}  // namespace teff::serialize
