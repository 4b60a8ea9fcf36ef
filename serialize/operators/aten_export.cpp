// SPDX-License-Identifier: MIT
#include "teff/serialize/operators/aten_export.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "teff/engine/error.h"
#include "teff/serialize/operators/aten.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kLongestName = 100;  // of variables, which may stand in many places
constexpr std::string_view kNoIntegers = "annotate(List[int], [])";

// What code may not call a variable: Python's keywords, and the names that it uses itself.
constexpr std::string_view kTakenNames[] = {"False",
                                            "None",
                                            "True",
                                            "and",
                                            "as",
                                            "assert",
                                            "async",
                                            "await",
                                            "break",
                                            "class",
                                            "continue",
                                            "def",
                                            "del",
                                            "elif",
                                            "else",
                                            "except",
                                            "finally",
                                            "for",
                                            "from",
                                            "global",
                                            "if",
                                            "import",
                                            "in",
                                            "is",
                                            "lambda",
                                            "nonlocal",
                                            "not",
                                            "or",
                                            "pass",
                                            "raise",
                                            "return",
                                            "try",
                                            "while",
                                            "with",
                                            "yield",
                                            "self",
                                            "torch",
                                            "ops",
                                            "CONSTANTS",
                                            "annotate",
                                            "getattr",
                                            "hasattr",
                                            "int",
                                            "float",
                                            "bool",
                                            "str",
                                            "inf",
                                            "nan",
                                            "List",
                                            "Optional",
                                            "Tensor",
                                            "Tuple",
                                            "Module",
                                            "__torch__",
                                            "fork",
                                            "print",
                                            "range",
                                            "len",
                                            "unchecked_cast",
                                            "uninitialized",
                                            "isinstance",
                                            "infj",
                                            "nanj",
                                            "list",
                                            "dict",
                                            "tuple",
                                            "complex"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit_of_name(char c) { return c >= '0' && c <= '9'; }

bool is_taken(std::string_view name) {
  return std::find(std::begin(kTakenNames), std::end(kTakenNames), name) != std::end(kTakenNames);
}

std::int64_t number_at(const Dict& rule, std::string_view key, std::int64_t otherwise) {
  const Value* value = rule.find(key);
  return value == nullptr ? otherwise : value->as_int();
}

}  // namespace

std::string aten_integer(std::int64_t value) {
  // The literal of the least one would be that of its opposite, which there is not.
  if (value == std::numeric_limits<std::int64_t>::min()) return "torch.sub(-9223372036854775807, 1)";
  return std::to_string(value);
}

std::string aten_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 40> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  std::string text(digits.data(), end);
  const std::size_t exponent = text.find('e');
  if (text.find('.') == text.npos) text.insert(exponent == text.npos ? text.size() : exponent, ".0");
  return text;
}

std::string aten_integers(std::span<const std::int64_t> values) {
  if (values.empty()) return std::string(kNoIntegers);
  std::string text;
  for (const std::int64_t value : values) text += (text.empty() ? "[" : ", ") + aten_integer(value);
  return text + ']';
}

std::string aten_quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (byte >= 0x20 && byte < 0x7f) {
      quoted += c;
    } else {
      quoted += {'\\', static_cast<char>('0' + (byte >> 6)), static_cast<char>('0' + (byte >> 3 & 7)),
                 static_cast<char>('0' + (byte & 7))};
    }
  }
  return quoted + '"';
}

bool is_aten_name(std::string_view name) {
  return !name.empty() && !is_digit_of_name(name[0]) && !is_taken(name) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit_of_name(c); });
}

std::string AtenState::unique(std::string_view name) {
  std::string base(name.substr(0, kLongestName));
  for (char& c : base) {
    if (!is_letter(c) && !is_digit_of_name(c)) c = '_';
  }
  if (base.empty() || is_digit_of_name(base[0])) base.insert(0, 1, '_');
  if (is_taken(base)) base += '_';
  const auto [known, is_new] = names.try_emplace(base, 0);
  if (is_new) return base;
  std::string result;
  do {
    result = base + '_' + std::to_string(++known->second);
  } while (names.contains(result));
  names.emplace(result, 0);
  return result;
}

AtenCall::AtenCall(AtenState& state, const Graph& graph, std::size_t place)
    : state_(state),
      graph_(graph),
      place_(place),
      node_(graph.nodes[place]),
      result_count_(teff::result_count(graph, place)) {}

const std::string& AtenCall::in(std::size_t i) const {
  return state_.values[static_cast<std::size_t>(node_.inputs.at(i))];
}

const TensorType& AtenCall::type(std::size_t i) const {
  return graph_.nodes[static_cast<std::size_t>(node_.inputs.at(i))].type;
}

std::string AtenCall::training() const {
  if (state_.follows_mode[place_]) return state_.mode_of(node_.scope);
  return flag("training") ? "True" : "False";
}

bool AtenCall::has(std::string_view name) const {
  const Value* value = node_.attributes.find(name);
  return value != nullptr && !value->is_none();
}

std::int64_t AtenCall::integer(std::string_view name) const {
  if (value(name).is_int()) return value(name).as_int();
  refuse("expected a number as " + std::string(name) + ", got one that follows a size of the inputs");
}

std::int64_t AtenCall::axis(std::string_view name, std::int64_t rank) const {
  const std::int64_t dim = integer(name);
  return dim < 0 ? dim + rank : dim;
}

/// {"batch": k}, or {"size": [place, dim, ...], "times": k, "plus": p, "over": n}: see GraphNode::attributes.
std::string AtenCall::size(const Dict& rule) const {
  const auto size_of = [&](std::int64_t place, std::int64_t dim) {
    return "torch.size(" + state_.values.at(static_cast<std::size_t>(place)) + ", " + std::to_string(dim) + ')';
  };
  const auto apply = [](std::string_view op, const std::string& a, const std::string& b) {
    return "torch." + std::string(op) + '(' + a + ", " + b + ')';
  };
  if (const Value* batch = rule.find("batch"); batch != nullptr) {
    const std::string text = size_of(0, 0);
    return batch->as_int() == 1 ? text : apply("mul", text, aten_integer(batch->as_int()));
  }
  const List& list = rule.at("size").as_list();
  std::string text = size_of(list.at(0).as_int(), list.at(1).as_int());
  for (std::size_t i = 2; i < list.size(); ++i) {
    text = apply("mul", text, size_of(list[0].as_int(), list[i].as_int()));
  }
  const std::int64_t times = number_at(rule, "times", 1), plus = number_at(rule, "plus", 0);
  const std::int64_t over = number_at(rule, "over", 1);
  if (times != 1) text = apply("mul", text, aten_integer(times));
  if (plus != 0) text = apply("add", text, aten_integer(plus));
  return over == 1 ? text : apply("floordiv", text, aten_integer(over));
}

std::string AtenCall::written(const Value& value) const {
  if (value.is_none()) return "None";
  if (value.is_bool()) return value.as_bool() ? "True" : "False";
  if (value.is_int()) return aten_integer(value.as_int());
  if (value.is_text()) return aten_quoted(value.as_text());
  if (value.is_dict()) return size(value.as_dict());
  if (value.is_float()) {
    const double number = value.as_float();
    const bool of_whole = input_count() > 0 && !is_floating_point(type(0).dtype) && !is_floating_point(result().dtype);
    const bool is_whole = std::trunc(number) == number && std::abs(number) < 0x1p53;
    return of_whole && is_whole ? aten_integer(static_cast<std::int64_t>(number)) : aten_float(number);
  }
  const List& list = value.as_list();
  if (list.empty()) return std::string(kNoIntegers);
  std::string text;
  for (const Value& item : list) text += (text.empty() ? "[" : ", ") + written(item);
  return text + ']';
}

std::string AtenCall::placeholder(std::string_view key) const {
  if (key == "*") {
    std::string all;
    for (std::size_t i = 0; i < input_count(); ++i) all += (i == 0 ? "" : ", ") + in(i);
    return all;
  }
  if (is_digit_of_name(key[0])) {
    const auto i = static_cast<std::size_t>(key[0] - '0');
    return key.size() > 1 ? in_or_none(i) : in(i);
  }
  if (key == "training") return training();
  const std::size_t colon = key.find(':');
  const std::string_view name = key.substr(0, colon);
  if (colon == key.npos) return option(name);
  if (key.substr(colon + 1) == "list") return has(name) ? option(name) : std::string(kNoIntegers);
  const std::string& reduction = text(name);
  return reduction == "none" ? "0" : reduction == "mean" ? "1" : "2";
}

std::string AtenCall::filled(std::string_view text) const {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '{') {
      result += text[i];
      continue;
    }
    const std::size_t end = text.find('}', i);
    result += placeholder(text.substr(i + 1, end - i - 1));
    i = end;
  }
  return result;
}

std::string AtenCall::let(std::string_view expression) { return let_several(expression, 1)[0]; }

AtenValues AtenCall::let_several(std::string_view expression, std::size_t count) {
  AtenValues names;
  std::string line;
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back(state_.unique(node_.name));
    line += (i == 0 ? "" : ", ") + names.back();
  }
  statement(line + " = " + std::string(expression));
  return names;
}

AtenValues AtenCall::results(std::string_view expression, std::size_t count) {
  AtenValues names;
  std::string line;
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back(state_.unique(i < result_count_ ? graph_.nodes[place_ + i].name : "_"));
    line += (i == 0 ? "" : ", ") + names.back();
  }
  statement(line + " = " + std::string(expression));
  names.resize(result_count_);
  return names;
}

std::string AtenCall::counter(std::size_t i) const {
  const GraphNode& input = graph_.nodes[static_cast<std::size_t>(node_.inputs.at(i))];
  if (input.kind != GraphNode::Kind::get_attr) return "";
  return state_.attribute_of(input.target.substr(0, input.target.rfind('.') + 1) + "num_batches_tracked");
}

void AtenCall::refuse(const std::string& what) const {
  throw ValueError(node_.target + (node_.scope.empty() ? "" : " of " + node_.scope) + ": " + what);
}

AtenValues AtenExport::write(AtenCall& call) const {
  if (several != nullptr) return several(call);
  if (single != nullptr) return call.results(single(call), 1);
  const std::size_t results = count == 0 ? call.result_count() : count;
  std::string text = call.filled(aten);
  if (results == 1 && call.result_count() == 1) return call.results(text, 1);
  return call.results(text, results);
}

std::string AtenExport::operators() const {
  constexpr std::string_view kPrefix = "torch.";
  if (single != nullptr || several != nullptr) return std::string(aten);
  std::string names;
  for (std::size_t place = aten.find(kPrefix); place != aten.npos; place = aten.find(kPrefix, place + 1)) {
    const std::size_t begin = place + kPrefix.size();
    names += (names.empty() ? "" : ", ") + std::string(aten.substr(begin, aten.find('(', begin) - begin));
  }
  return names;
}

const AtenExport* find_aten_export(std::string_view op) {
  for (const std::span<const AtenExport>* table :
       {&operators::aten_out_pointwise, &operators::aten_out_shapes, &operators::aten_out_reductions,
        &operators::aten_out_images, &operators::aten_out_layers, &operators::aten_out_indexing,
        &operators::aten_out_losses}) {
    for (const AtenExport& row : *table) {
      if (row.op == op) return &row;
    }
  }
  return nullptr;
}

}  // namespace teff::serialize
