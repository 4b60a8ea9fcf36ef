// SPDX-License-Identifier: MIT
#pragma once

// Private: a program of torch.export as plain data.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/engine/tensor.h"
#include "teff/serialize/file_entry.h"
#include "teff/serialize/io/json_tree.h"

namespace teff::serialize {

/// An argument, or what a result is called.
struct ExportedValue {
  enum class Kind : std::uint8_t { value, name, list, graph };
  Kind kind = Kind::value;
  Value value = {};                       // a number, a text; none: None
  std::string name = {};                  // of a tensor or a number that was computed
  std::vector<ExportedValue> items = {};  // of a list
};

struct ExportedNode {
  std::string target;  // "torch.ops.aten.conv2d.default"
  std::string name;    // of its first result
  std::string scope;   // path of the module that it is of: "layer1.0.conv1"
  std::string line;    // of the program that was exported: "net.py, line 17"
  std::vector<std::pair<std::string, ExportedValue>> inputs;
  std::vector<ExportedValue> outputs;
};

/// What the file says of a tensor: sizes, also of open ones, as they were when the program was exported; -1 where it
/// does not say.
struct ExportedMeta {
  std::int64_t dtype = 0;
  std::vector<std::int64_t> sizes;
  std::vector<bool> is_open;
};

/// An input of the graph.
struct ExportedInput {
  enum class Role : std::uint8_t { user, parameter, buffer, constant, fixed };
  Role role = Role::user;
  std::string name;
  std::string target;      // of state: its key
  bool persistent = true;  // of a buffer
  Value value;             // of one that is fixed
};

struct ExportedOutput {
  ExportedValue value;
  std::string buffer;  // that it is the new value of; else the user's
};

struct ExportedProgram {
  std::vector<ExportedInput> inputs;
  std::vector<ExportedOutput> outputs;
  std::vector<ExportedNode> nodes;
  std::map<std::string, ExportedMeta, std::less<>> metas;
  std::vector<std::string> output_names;  // of a dictionary; else empty
};

/// @throws FormatError; UnsupportedError for another version of the schema, and what Teff has no place for.
ExportedProgram read_exported_program(const JsonTree& json);

ExportedMeta read_exported_meta(const JsonValue& json);
/// The dtype that the schema has that number for. @throws UnsupportedError if Teff has none.
DType exported_dtype(std::int64_t code);

/// A node as `teff show` lists it, whatever its arguments are.
FileOperator list_exported_node(const JsonValue& json);

/// "node \"conv2d_1\" (torch.ops.aten.conv2d.default)"
std::string describe(const ExportedNode& node);

}  // namespace teff::serialize
