// SPDX-License-Identifier: MIT
#include <iostream>

#include <teff/teff.h>

#include "teff/serialize/cli/command.h"
#include "teff/serialize/cli/text.h"

namespace teff::cli {
namespace {

int salvage_to(const std::string& from, const std::string& to) {
  const Salvage rest = salvage(from);
  save(rest.dict, to);
  for (const FileDamage& damage : rest.damages) {
    std::cout << (damage.entry.empty() ? printable(from) : "lost \"" + printable(damage.entry) + '"') << ": "
              << printable(damage.reason) << '\n';
  }
  return rest.damages.empty() ? kOk : kDiffers;
}

std::function<int()> set_up(Parameters& parameters) {
  struct Options {
    std::string from, to;
  };
  const auto options = std::make_shared<Options>();
  parameters.required("IN", options->from, "a damaged or truncated .teff file");
  parameters.required("OUT", options->to, "the file to write");
  return [options] { return salvage_to(options->from, options->to); };
}

}  // namespace

const Command kSalvage = {"salvage", "Writes the intact entries of a damaged file, and names the others",
                          "Of an entire model the state dict is written. Exits with 1 if something is lost.\n"
                          "Examples:\n"
                          "  teff salvage broken.teff rest.teff",
                          set_up};

}  // namespace teff::cli
