// SPDX-License-Identifier: MIT
#include "teff/nn/load_report.h"

#include <ostream>

#include "teff/nn/text.h"

namespace teff {
namespace {

void print_names(std::ostream& out, const std::vector<std::string>& names) {
  out << '[';
  const char* separator = "";
  for (const std::string& name : names) {
    out << separator << nn::detail::quoted(name, '\'');
    separator = ", ";
  }
  out << ']';
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const LoadReport& report) {
  if (report.missing_keys.empty() && report.unexpected_keys.empty() && report.mismatched.empty()) {
    return out << "<All keys matched successfully>";
  }
  out << "_IncompatibleKeys(missing_keys=";
  print_names(out, report.missing_keys);
  out << ", unexpected_keys=";
  print_names(out, report.unexpected_keys);
  if (!report.mismatched.empty()) {
    std::vector<std::string> names;
    for (const LoadReport::Mismatch& mismatch : report.mismatched) names.push_back(mismatch.key);
    out << ", mismatched_keys=";
    print_names(out, names);
  }
  return out << ')';
}

}  // namespace teff
