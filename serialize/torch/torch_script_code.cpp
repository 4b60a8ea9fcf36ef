// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/torch_script_code.h"

#include <algorithm>

namespace teff::serialize {
namespace {

/// The character of an escape: "\\303", of a byte in octal digits, or any other character, which stands for itself.
char unescaped(std::string_view& text) {
  int byte = 0;
  std::size_t digits = 0;
  while (digits < 3 && digits < text.size() && text[digits] >= '0' && text[digits] <= '7') {
    byte = byte * 8 + (text[digits++] - '0');
  }
  const char result = digits > 0 ? static_cast<char>(byte) : text[0];
  text.remove_prefix(std::max<std::size_t>(digits, 1));
  return result;
}

/// The texts of a list in one line: ["weight", "bias", ].
std::vector<std::string> names_in(std::string_view list) {
  std::vector<std::string> names;
  for (std::size_t begin = list.find('"'); begin != list.npos; begin = list.find('"')) {
    list.remove_prefix(begin + 1);
    std::string name;
    while (!list.empty() && list[0] != '"') {
      const bool is_escape = list[0] == '\\' && list.size() > 1;
      if (!is_escape) name += list[0];
      list.remove_prefix(1);
      if (is_escape) name += unescaped(list);
    }
    if (list.empty()) break;
    list.remove_prefix(1);
    names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::map<std::string_view, ScriptClass> classes_in(std::string_view code) {
  std::map<std::string_view, ScriptClass> classes;
  ScriptClass* current = nullptr;
  while (!code.empty()) {
    const std::size_t end = std::min(code.find('\n'), code.size());
    const std::string_view line = code.substr(0, end);
    code.remove_prefix(std::min(end + 1, code.size()));
    const auto begins = [&](std::string_view text) { return line.starts_with(text); };
    if (begins("class ")) {
      const std::size_t open = std::min(line.find('('), line.size());
      current = &classes[line.substr(6, open - 6)];
      current->is_module = line.substr(open).starts_with("(Module)");
    } else if (current != nullptr && begins("  __parameters__ = [")) {
      current->parameters = names_in(line);
    } else if (current != nullptr && begins("  __buffers__ = [")) {
      current->buffers = names_in(line);
    }
  }
  return classes;
}

}  // namespace

const ScriptClass* ScriptCode::find(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return nullptr;
  const std::string module = name.substr(0, dot);
  const auto [place, is_new] = files_.try_emplace(module);
  File& file = place->second;
  if (is_new) {
    std::string path = "code/" + module + ".py";
    std::replace(path.begin(), path.end() - 3, '.', '/');
    file.code = read_(path).value_or("");
    file.classes = classes_in(file.code);
  }
  const auto found = file.classes.find(std::string_view(name).substr(dot + 1));
  return found == file.classes.end() ? nullptr : &found->second;
}

}  // namespace teff::serialize
