// SPDX-License-Identifier: MIT
#include "teff/serialize/cli/command.h"

#include <memory>

namespace teff::cli {

std::function<int()> set_up_files(CLI::App& app, int (*run)(const std::vector<std::string>& paths, bool json)) {
  struct Options {
    std::vector<std::string> paths;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();
  app.add_option("FILE", options->paths, "files of any format")->required();
  app.add_flag("--json", options->json, "print a list with one object for each file");
  return [options, run] { return run(options->paths, options->json); };
}

}  // namespace teff::cli
