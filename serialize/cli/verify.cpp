// SPDX-License-Identifier: MIT
#include <iostream>
#include <memory>

#include <teff/teff.h>

#include "teff/serialize/cli/command.h"
#include "teff/serialize/cli/input.h"
#include "teff/serialize/cli/json.h"
#include "teff/serialize/cli/text.h"

namespace teff::cli {
namespace {

struct Result {
  std::string path;
  int code = kOk;
  std::vector<FileDamage> damages;
  std::string passed;  // what was checked

  void fail(int with, const std::exception& error) {
    code = with;
    damages.push_back({"", told(error, path)});
  }
};

void check(Result& result, const LoadOptions& loading) {
  const File file = open_file(result.path, loading);
  result.damages = file.verify();
  if (!result.damages.empty()) {
    result.code = kDiffers;
    return;
  }
  result.passed = std::to_string(file.entries().size()) + " tensors, " + bytes_text(file.size());
  if (!file.has_checksums()) result.passed += ", which have no checksums";
  if (!loading.skip_unsupported) {
    for (const UnsupportedEntry& entry : file.unsupported()) result.damages.push_back({entry.path, entry.what});
    if (!result.damages.empty()) result.code = kUnsupported;
  }
  if (file.model() == nullptr) return;
  LoadOptions model = loading;
  model.self_test = true;
  open_model(result.path, model);
  result.passed += ", self-test passed";
}

Result checked(const std::string& path, const LoadOptions& loading) {
  Result result{path, kOk, {}, {}};
  try {
    check(result, loading);
  } catch (const UnsupportedError& error) {
    result.fail(kUnsupported, error);
  } catch (const FormatError& error) {
    result.fail(kDiffers, error);
  } catch (const Error& error) {
    result.fail(kTrouble, error);
  }
  return result;
}

const char* status(const Result& result) {
  switch (result.code) {
    case kOk:
      return "ok";
    case kDiffers:
      return "damaged";
    case kUnsupported:
      return "not supported";
    default:
      return "not read";
  }
}

/// The code of all files together: what is worse counts.
int worse(int a, int b) {
  const auto badness = [](int code) {
    return code == kTrouble ? 3 : code == kDiffers ? 2 : code == kUnsupported ? 1 : 0;
  };
  return badness(a) < badness(b) ? b : a;
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

struct Options {
  std::vector<std::string> paths;
  bool json = false;
  LoadOptions loading;
};

int verify(const Options& options) {
  List all;
  int code = kOk;
  for (const std::string& path : options.paths) {
    const Result result = checked(path, options.loading);
    code = worse(code, result.code);
    if (options.json) {
      all.push_back(json_of(result));
    } else {
      print_text(result);
    }
  }
  if (options.json) print_json(std::cout, all);
  return code;
}

std::function<int()> set_up(Parameters& parameters) {
  const auto options = std::make_shared<Options>();
  parameters.required("FILE", options->paths, "files of any format; - is the standard input");
  parameters.flag("--json", options->json, "print a list with one object for each file");
  parameters.loading(options->loading);
  parameters.limits(options->loading);
  return [options] { return verify(*options); };
}

}  // namespace

const Command kVerify = {"verify", "Checks every byte of files, and that models give the outputs that they gave",
                         "Exits with 1 if a file is damaged, with 2 if one cannot be read, with 3 if one is not "
                         "supported: it may be whole, but it is of another kind, or holds what Teff has no place "
                         "for.\n"
                         "Examples:\n"
                         "  teff verify *.teff\n"
                         "  teff verify --json model.teff",
                         set_up};

}  // namespace teff::cli
