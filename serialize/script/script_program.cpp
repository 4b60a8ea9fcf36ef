// SPDX-License-Identifier: MIT
#include "teff/serialize/script/script_program.h"

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/serialize/io/place.h"

namespace teff::serialize {
namespace {

/// In front of the last dot, and behind it.
std::pair<std::string, std::string_view> split_name(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return {"", name};
  return {name.substr(0, dot), std::string_view(name).substr(dot + 1)};
}

template <class Map>
typename Map::mapped_type find_in(const Map& map, std::string_view name) {
  const auto found = map.find(name);
  return found == map.end() ? nullptr : found->second;
}

}  // namespace

ScriptProgram::File& ScriptProgram::file_of(const std::string& module) {
  std::unique_ptr<File>& file = files_[module];
  if (file != nullptr) return *file;
  std::string path = "code/" + module + ".py";
  std::replace(path.begin(), path.end() - 3, '.', '/');
  const std::optional<std::string> text = read_(path);
  if (!text) throw FormatError("expected the entry \"" + escaped(path, 200) + "\" with the code, got none");
  auto made = std::make_unique<File>();
  made->name = std::move(path);
  try {
    made->code = parse_script(*text, parts_left_);
    parts_left_ -= made->code.parts;
  } catch (const Error& error) {
    detail::throw_again(error, escaped(made->name, 200) + ", " + error.what());
  }
  for (const ScriptFunction& function : made->code.functions) made->functions.emplace(function.name, &function);
  for (const ScriptClassCode& code : made->code.classes) {
    Class& known = made->classes[code.name];
    known.code = &code;
    for (const ScriptFunction& method : code.methods) known.methods.emplace(method.name, &method);
    for (const auto& [name, value] : code.constants) known.constants.emplace(name, &value);
  }
  file = std::move(made);
  return *file;
}

const ScriptProgram::Class* ScriptProgram::find_class(const std::string& type, File*& file) {
  const auto [module, name] = split_name(type);
  file = &file_of(module);
  const auto found = file->classes.find(name);
  return found == file->classes.end() ? nullptr : &found->second;
}

ScriptCallable ScriptProgram::function(const std::string& name) {
  const auto [module, last] = split_name(name);
  File& file = file_of(module);
  if (const ScriptFunction* function = find_in(file.functions, last)) return {function, nullptr, &file.name};
  const auto found = file.classes.find(last);
  if (found != file.classes.end() && found->second.code->base == "NamedTuple") {
    return {nullptr, found->second.code, &file.name};
  }
  throw UnsupportedError("expected a function of the archive, got \"" + escaped(name, 200) + '"');
}

ScriptCallable ScriptProgram::method(const std::string& type, std::string_view name) {
  File* file = nullptr;
  const Class* known = find_class(type, file);
  const ScriptFunction* method = known == nullptr ? nullptr : find_in(known->methods, name);
  if (method != nullptr) return {method, nullptr, &file->name};
  throw UnsupportedError("expected the method \"" + escaped(name, 100) + "\" of \"" + escaped(type, 200) +
                         "\", got no such method");
}

const ScriptExpression* ScriptProgram::constant(const std::string& type, std::string_view name) {
  File* file = nullptr;
  const Class* known = find_class(type, file);
  return known == nullptr ? nullptr : find_in(known->constants, name);
}

}  // namespace teff::serialize
