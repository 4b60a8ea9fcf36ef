// SPDX-License-Identifier: MIT
#pragma once

// Private: what the code of a TorchScript archive says of its classes. Of the code nothing but two lists of names is
// read, and nothing is run.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace teff::serialize {

struct ScriptClass {
  bool is_module = false;
  std::vector<std::string> parameters;  // in the alphabet's order, as the buffers
  std::vector<std::string> buffers;
};

class ScriptCode {
 public:
  /// `read(name)`: the text of an entry of the archive; none if there is no such entry.
  using Read = std::function<std::optional<std::string>(const std::string& name)>;

  explicit ScriptCode(Read read) : read_(std::move(read)) {}

  /// Of "__torch__.torch.nn.modules.conv.Conv2d"; null if the archive has no such class.
  const ScriptClass* find(const std::string& name);

 private:
  Read read_;
  struct File {
    std::string code;  // which the names are part of
    std::map<std::string_view, ScriptClass> classes;
  };
  std::map<std::string, File> files_;  // by the name of the module
};

}  // namespace teff::serialize
