// SPDX-License-Identifier: MIT
#pragma once

// Private: the code of a TorchScript archive, each file parsed when something of it is asked for.

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "teff/serialize/script/script_value.h"

namespace teff::serialize {

class ScriptProgram {
 public:
  using Read = std::function<std::optional<std::string>(const std::string& name)>;
  explicit ScriptProgram(Read read) : read_(std::move(read)) {}

  /// "__torch__.torch.nn.functional.relu": a function, or a NamedTuple. @throws UnsupportedError if there is none.
  ScriptCallable function(const std::string& name);
  /// @throws UnsupportedError if the class has no such method.
  ScriptCallable method(const std::string& type, std::string_view name);
  /// `stride : Final[int] = 2`; null if there is none.
  const ScriptExpression* constant(const std::string& type, std::string_view name);

 private:
  struct Class {
    const ScriptClassCode* code = nullptr;
    std::map<std::string_view, const ScriptFunction*> methods;
    std::map<std::string_view, const ScriptExpression*> constants;
  };
  struct File {
    std::string name;
    ScriptFile code;
    std::map<std::string_view, const ScriptFunction*> functions;
    std::map<std::string_view, Class> classes;
  };
  File& file_of(const std::string& name);
  const Class* find_class(const std::string& type, File*& file);

  Read read_;
  std::size_t parts_left_ = kMaxScriptParts;
  std::map<std::string, std::unique_ptr<File>> files_;  // by the module: "__torch__.torch.nn.functional"
};

}  // namespace teff::serialize
