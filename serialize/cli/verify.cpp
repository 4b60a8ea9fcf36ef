// SPDX-License-Identifier: MIT
#include <algorithm>
#include <iostream>

#include <teff/teff.h>

#include "teff/serialize/cli/command.h"
#include "teff/serialize/cli/json.h"
#include "teff/serialize/cli/text.h"

namespace teff::cli {
namespace {

struct Result {
  std::string path;
  int code = kOk;
  std::vector<FileDamage> damages;
  std::string passed;  // what was checked

  void fail(int with, FileDamage damage) {
    code = with;
    damages.push_back(std::move(damage));
  }
};

void check(Result& result) {
  const File file(result.path);
  result.damages = file.verify();
  if (!result.damages.empty()) {
    result.code = kDiffers;
    return;
  }
  result.passed = std::to_string(file.entries().size()) + " tensors, " + bytes_text(file.size());
  if (file.model() == nullptr) return;
  load_model(result.path, {.self_test = true});
  result.passed += ", self-test passed";
}

Result checked(const std::string& path) {
  Result result{path, kOk, {}, {}};
  try {
    check(result);
  } catch (const FormatError& error) {
    result.fail(kDiffers, {"", error.what()});
  } catch (const Error& error) {
    result.fail(kTrouble, {"", error.what()});
  }
  return result;
}

const char* status(const Result& result) {
  return result.code == kOk ? "ok" : result.code == kDiffers ? "damaged" : "not read";
}

void print_text(const Result& result) {
  const std::string head = printable(result.path) + ": " + status(result) + ": ";
  if (result.code == kOk) std::cout << head << result.passed << '\n';
  for (const FileDamage& damage : result.damages) {
    std::cout << head << (damage.entry.empty() ? "" : '"' + printable(damage.entry) + "\": ")
              << printable(damage.reason) << '\n';
  }
}

Value json_of(const Result& result) {
  List damages;
  for (const FileDamage& damage : result.damages) {
    damages.push_back(Dict{{"entry", damage.entry.empty() ? Value() : Value(damage.entry)}, {"reason", damage.reason}});
  }
  return Dict{{"file", result.path}, {"status", status(result)}, {"damages", damages}};
}

int verify(const std::vector<std::string>& paths, bool json) {
  List all;
  int code = kOk;
  for (const std::string& path : paths) {
    const Result result = checked(path);
    code = std::max(code, result.code);
    if (json) {
      all.push_back(json_of(result));
    } else {
      print_text(result);
    }
  }
  if (json) print_json(std::cout, all);
  return code;
}

std::function<int()> set_up(Parameters& parameters) { return set_up_files(parameters, verify); }

}  // namespace

const Command kVerify = {"verify", "Checks every byte of files, and that models give the outputs that they gave",
                         "Exits with 1 if a file is damaged, with 2 if one cannot be read.\n"
                         "Examples:\n"
                         "  teff verify *.teff\n"
                         "  teff verify --json model.teff",
                         set_up};

}  // namespace teff::cli
