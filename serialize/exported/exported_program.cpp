// SPDX-License-Identifier: MIT
#include "teff/serialize/exported/exported_program.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "teff/engine/error.h"
#include "teff/engine/shape.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/operators/aten.h"

namespace teff::serialize {
namespace {

using ValueKind = ExportedValue::Kind;

constexpr std::int64_t kSchema = 8;
constexpr std::size_t kShown = 100;

/// By the schema's numbers, from 0 on.
constexpr std::array<std::optional<DType>, 14> kDTypes = {
    std::nullopt,   DType::uint8,   DType::int8,  DType::int16, DType::int32, DType::int64, DType::float16,
    DType::float32, DType::float64, std::nullopt, std::nullopt, std::nullopt, DType::bool_, DType::bfloat16,
};
constexpr std::int64_t kUint16 = 28;

/// ATen's numbers of memory formats, by the schema's.
constexpr std::array<std::int64_t, 5> kMemoryFormats = {1, 0, 2, 3, 1};

std::string shown(const std::string& name) { return '"' + escaped(name, kShown) + '"'; }

ExportedValue name_value(std::string name) { return {ValueKind::name, {}, std::move(name), {}}; }
ExportedValue plain(Value value) { return {ValueKind::value, std::move(value), {}, {}}; }

/// The one member of an object that stands for one of several things.
std::pair<std::string, JsonValue> only_member(const JsonValue& json) {
  std::pair<std::string, JsonValue> only;
  json.each_member([&](const std::string& name, const JsonValue& value) {
    if (only.second) json.refuse("expected one member, got more");
    only = {name, value};
  });
  if (!only.second) json.refuse("expected one member, got none");
  return only;
}

/// A number that was computed, or one that is written there; `as` its type.
ExportedValue read_symbol(const JsonValue& json) {
  const auto [name, value] = only_member(json);
  if (name == "as_name") return name_value(value.text());
  if (name == "as_int") return plain(value.integer());
  if (name == "as_float") return plain(value.number());
  if (name == "as_bool") return plain(value.boolean());
  json.refuse("expected a number or the name of one, got " + shown(name));
}

ExportedValue read_tensor(const JsonValue& json) { return name_value(json.at("name").text()); }

ExportedValue read_maybe_tensor(const JsonValue& json) {
  const auto [name, value] = only_member(json);
  if (name == "as_none") return {};
  if (name == "as_tensor") return read_tensor(value);
  json.refuse("expected a tensor or none, got " + shown(name));
}

template <class Read>
ExportedValue read_list(const JsonValue& json, Read&& read) {
  ExportedValue list{ValueKind::list, {}, {}, {}};
  json.each([&](const JsonValue& item) { list.items.push_back(read(item)); });
  return list;
}

ExportedValue read_integer(const JsonValue& json) { return plain(json.integer()); }

ExportedValue read_memory_format(const JsonValue& json) {
  const std::int64_t code = json.integer();
  if (code < 0 || code >= static_cast<std::int64_t>(kMemoryFormats.size())) {
    json.refuse("expected a memory format of 0 to 4, got " + std::to_string(code));
  }
  return plain(kMemoryFormats[static_cast<std::size_t>(code)]);
}

using ReadValue = ExportedValue (*)(const JsonValue&);
struct NamedReader {
  std::string_view name;
  ReadValue read;
};

constexpr NamedReader kReaders[] = {
    {"as_bool", [](const JsonValue& json) { return plain(json.boolean()); }},
    {"as_bools",
     [](const JsonValue& json) {
       return read_list(json, [](const JsonValue& item) { return plain(item.boolean()); });
     }},
    {"as_device", [](const JsonValue&) { return ExportedValue{}; }},
    {"as_float", [](const JsonValue& json) { return plain(json.number()); }},
    {"as_floats",
     [](const JsonValue& json) { return read_list(json, [](const JsonValue& item) { return plain(item.number()); }); }},
    {"as_graph",
     [](const JsonValue&) {
       return ExportedValue{ValueKind::graph, {}, {}, {}};
     }},
    {"as_int", read_integer},
    {"as_int_lists",
     [](const JsonValue& json) {
       return read_list(json, [](const JsonValue& item) { return read_list(item, read_integer); });
     }},
    {"as_ints", [](const JsonValue& json) { return read_list(json, read_integer); }},
    {"as_layout", [](const JsonValue&) { return ExportedValue{}; }},
    {"as_memory_format", read_memory_format},
    {"as_nested_tensors",
     [](const JsonValue& json) {
       return read_list(json, [](const JsonValue& item) { return read_list(item, read_tensor); });
     }},
    {"as_none", [](const JsonValue&) { return ExportedValue{}; }},
    {"as_optional_tensor", read_maybe_tensor},
    {"as_optional_tensors", [](const JsonValue& json) { return read_list(json, read_maybe_tensor); }},
    {"as_scalar_type", [](const JsonValue& json) { return plain(aten_code(exported_dtype(json.integer()))); }},
    {"as_string", [](const JsonValue& json) { return plain(json.text()); }},
    {"as_strings",
     [](const JsonValue& json) { return read_list(json, [](const JsonValue& item) { return plain(item.text()); }); }},
    {"as_sym_bool", read_symbol},
    {"as_sym_bools", [](const JsonValue& json) { return read_list(json, read_symbol); }},
    {"as_sym_float", read_symbol},
    {"as_sym_floats", [](const JsonValue& json) { return read_list(json, read_symbol); }},
    {"as_sym_int", read_symbol},
    {"as_sym_ints", [](const JsonValue& json) { return read_list(json, read_symbol); }},
    {"as_tensor", read_tensor},
    {"as_tensors", [](const JsonValue& json) { return read_list(json, read_tensor); }},
};

ExportedValue read_value(const JsonValue& json) {
  const auto [name, value] = only_member(json);
  const auto* const found =
      std::lower_bound(std::begin(kReaders), std::end(kReaders), name,
                       [](const NamedReader& one, const std::string& other) { return one.name < other; });
  if (found == std::end(kReaders) || found->name != name) {
    throw UnsupportedError("expected arguments of numbers, texts and tensors, got " + shown(name));
  }
  return found->read(value);
}

/// "L__self___conv1,conv1,torch.nn.modules.conv.Conv2d" is the last of the modules that the node is in.
std::string scope_in(std::string_view stack) {
  std::string_view last = stack.substr(stack.rfind(';') == stack.npos ? 0 : stack.rfind(';') + 1);
  const std::size_t begin = last.find(',');
  if (begin == last.npos) return "";
  last = last.substr(begin + 1);
  const std::string_view path = last.substr(0, last.find(','));
  constexpr std::string_view kSelf = "L['self'].";
  const std::string_view plain_path = path.starts_with(kSelf) ? path.substr(kSelf.size()) : path;
  return plain_path.size() > kShown || plain_path.find_first_of("[]'\"") != plain_path.npos ? ""
                                                                                            : std::string(plain_path);
}

/// `File "net.py", line 17, in forward`: the last one in a trace.
std::string line_in(const std::string& trace) {
  const std::size_t begin = trace.rfind("File \"");
  if (begin == trace.npos) return "";
  const std::string_view rest = std::string_view(trace).substr(begin + 6);
  const std::size_t end = rest.find('"'), comma = rest.find(", in "), line = rest.find(", line ");
  if (end == rest.npos || line == rest.npos || comma == rest.npos || comma < line) return "";
  const std::string_view path = rest.substr(0, end);
  const std::size_t slash = path.find_last_of("/\\");
  return std::string(path.substr(slash == path.npos ? 0 : slash + 1)) + std::string(rest.substr(line, comma - line));
}

ExportedNode read_node(const JsonValue& json) {
  ExportedNode node;
  node.target = json.at("target").text();
  json.at("outputs").each([&](const JsonValue& output) { node.outputs.push_back(read_value(output)); });
  for (const ExportedValue& output : node.outputs) {
    const ExportedValue& first = output.kind == ValueKind::list && !output.items.empty() ? output.items[0] : output;
    if (node.name.empty()) node.name = first.name;
  }
  if (const JsonValue metadata = json.find("metadata")) {
    if (const JsonValue stack = metadata.find("nn_module_stack")) node.scope = scope_in(stack.text());
    if (const JsonValue trace = metadata.find("stack_trace")) node.line = line_in(trace.text());
  }
  try {
    json.at("inputs").each([&](const JsonValue& input) {
      node.inputs.emplace_back(input.at("name").text(), read_value(input.at("arg")));
    });
  } catch (const UnsupportedError& error) {
    throw UnsupportedError(describe(node) + ": " + error.what());
  }
  return node;
}

ExportedInput state_input(const JsonValue& spec, ExportedInput::Role role, const char* key) {
  ExportedInput input;
  input.role = role;
  input.name = spec.at("arg").at("name").text();
  input.target = spec.at(key).text();
  return input;
}

ExportedInput read_input(const JsonValue& json) {
  using Role = ExportedInput::Role;
  const auto [kind, spec] = only_member(json);
  if (kind == "parameter") return state_input(spec, Role::parameter, "parameter_name");
  if (kind == "tensor_constant") return state_input(spec, Role::constant, "tensor_constant_name");
  if (kind == "buffer") {
    ExportedInput input = state_input(spec, Role::buffer, "buffer_name");
    const JsonValue persistent = spec.find("persistent");
    input.persistent = !persistent || persistent.boolean();
    return input;
  }
  ExportedInput input;
  if (kind == "constant_input") {
    input.role = Role::fixed;
    input.name = spec.at("name").text();
    const JsonValue value = spec.find("value");
    if (value) input.value = read_value(value).value;
    return input;
  }
  if (kind != "user_input") throw UnsupportedError("expected inputs that are tensors, got " + shown(kind));
  const auto [type, name] = only_member(spec.at("arg"));
  if (type == "as_tensor") {
    input.name = name.at("name").text();
  } else if (type == "as_none" || type == "as_int" || type == "as_float" || type == "as_bool" || type == "as_string") {
    input.role = Role::fixed;  // one that nothing reads: its value is in the code
  } else {
    throw UnsupportedError("expected inputs that are tensors, got " + shown(type));
  }
  return input;
}

ExportedOutput read_output(const JsonValue& json) {
  const auto [kind, spec] = only_member(json);
  if (kind == "user_output") return {read_value(spec.at("arg")), ""};
  const std::string name = spec.at("arg").at("name").text();
  if (kind == "loss_output") return {name_value(name), ""};
  if (kind == "buffer_mutation") return {name_value(name), spec.at("buffer_name").text()};
  throw UnsupportedError("expected a program that gives tensors and updates buffers, got one with a " + shown(kind) +
                         " of " + shown(name));
}

/// The names of the outputs, if they are one dictionary of tensors.
std::vector<std::string> names_in(const JsonValue& call_graph, std::size_t count) {
  std::vector<std::string> names;
  bool is_first = true;
  call_graph.each([&](const JsonValue& entry) {
    const JsonValue signature = is_first ? entry.find("signature") : JsonValue();
    is_first = false;
    const JsonValue spec = signature ? signature.find("out_spec") : JsonValue();
    if (!spec) return;
    const JsonTree tree(spec.text(), 0);
    if (!tree.root().is(JsonValue::Kind::array)) return;
    JsonValue last;
    tree.root().each([&](const JsonValue& value) { last = value; });
    if (!last.is(JsonValue::Kind::object) || !last.find("type") || last.at("type").text() != "builtins.dict") return;
    const JsonTree keys(last.at("context").text(), 0);
    keys.root().each([&](const JsonValue& key) { names.push_back(key.is(JsonValue::Kind::text) ? key.text() : ""); });
    std::size_t leaves = 0;
    bool is_flat = true;
    last.at("children_spec").each([&](const JsonValue& child) {
      ++leaves;
      is_flat = is_flat && !child.find("type");
    });
    if (!is_flat || leaves != names.size() || leaves != count) names.clear();
  });
  return names;
}

void check_schema(const JsonValue& root) {
  const std::int64_t major = root.at("schema_version").at("major").integer();
  if (major == kSchema) return;
  const JsonValue by = root.find("torch_version");
  throw UnsupportedError("expected version 8 of the schema of torch.export, which PyTorch 2.6 writes, got version " +
                         std::to_string(major) + (by ? " by PyTorch " + escaped(by.text(), kShown) : "") +
                         ": export it again");
}

}  // namespace

std::string describe(const ExportedNode& node) {
  return "node " + shown(node.name) + " (" + escaped(node.target, kShown) +
         (node.line.empty() ? "" : ", " + escaped(node.line, kShown)) + ')';
}

DType exported_dtype(std::int64_t code) {
  if (code == kUint16) return DType::uint16;
  if (code >= 0 && code < static_cast<std::int64_t>(kDTypes.size())) {
    const std::optional<DType> dtype = kDTypes[static_cast<std::size_t>(code)];
    if (dtype) return *dtype;
  }
  throw UnsupportedError("expected a dtype that Teff has, got number " + std::to_string(code) +
                         " of torch.export's schema");
}

ExportedMeta read_exported_meta(const JsonValue& json) {
  ExportedMeta meta;
  meta.dtype = json.at("dtype").integer();
  json.at("sizes").each([&](const JsonValue& size) {
    const auto [kind, value] = only_member(size);
    if (meta.sizes.size() == kMaxRank) size.refuse("expected at most 8 dimensions, got more");
    JsonValue number = value;
    if (kind == "as_expr") {
      const JsonValue hint = value.find("hint");
      number = hint ? hint.find("as_int") : JsonValue();
    } else if (kind != "as_int") {
      size.refuse("expected as_int or as_expr, got " + shown(kind));
    }
    const std::int64_t at = number ? number.integer() : -1;
    if (at < -1 || (at < 0 && number)) size.refuse("expected a size of at least 0, got " + std::to_string(at));
    meta.sizes.push_back(at);
    meta.is_open.push_back(kind == "as_expr");
  });
  return meta;
}

FileOperator list_exported_node(const JsonValue& json) {
  constexpr std::string_view kOps = "torch.ops.";
  FileOperator one;
  const std::string target = json.at("target").text();
  one.type = target.starts_with(kOps) ? target.substr(kOps.size()) : target;
  const auto add_names = [](const JsonValue& argument, std::vector<std::string>& names) {
    const auto [kind, value] = only_member(argument);
    if (kind == "as_tensor") names.push_back(value.at("name").text());
    if (kind == "as_tensors") value.each([&](const JsonValue& item) { names.push_back(item.at("name").text()); });
  };
  json.at("inputs").each([&](const JsonValue& input) { add_names(input.at("arg"), one.inputs); });
  json.at("outputs").each([&](const JsonValue& output) { add_names(output, one.outputs); });
  if (!one.outputs.empty()) one.name = one.outputs[0];
  return one;
}

ExportedProgram read_exported_program(const JsonTree& json) {
  const JsonValue root = json.root();
  check_schema(root);
  const JsonValue module = root.at("graph_module"), graph = module.at("graph"), signature = module.at("signature");
  ExportedProgram program;
  signature.at("input_specs").each([&](const JsonValue& spec) { program.inputs.push_back(read_input(spec)); });
  signature.at("output_specs").each([&](const JsonValue& spec) { program.outputs.push_back(read_output(spec)); });
  graph.at("nodes").each([&](const JsonValue& node) { program.nodes.push_back(read_node(node)); });
  if (program.nodes.size() > kMaxNodes) {
    throw UnsupportedError("expected a program of at most 65536 nodes, got " + std::to_string(program.nodes.size()));
  }
  graph.at("tensor_values").each_member([&](const std::string& name, const JsonValue& meta) {
    program.metas.emplace(name, read_exported_meta(meta));
  });
  if (const JsonValue calls = module.find("module_call_graph")) {
    std::size_t users = 0;
    for (const ExportedOutput& output : program.outputs) users += output.buffer.empty() ? 1 : 0;
    program.output_names = names_in(calls, users);
  }
  return program;
}

}  // namespace teff::serialize
