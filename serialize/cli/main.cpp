// SPDX-License-Identifier: MIT
// The `teff` command: looks into model files, checks, converts, compares and runs them.

#include <algorithm>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
// Behind windows.h, which it needs.
#include <shellapi.h>
#endif

#include <teff/teff.h>

#include "teff/serialize/cli/command.h"
#include "teff/serialize/cli/text.h"

using namespace teff;
using namespace teff::cli;

namespace {

constexpr const Command* kCommands[] = {&kShow, &kVerify, &kConvert, &kDiff,  &kGraph,
                                        &kRun,  &kBench,  &kSummary, &kEmbed, &kSalvage};

constexpr Program kProgram = {
    kCommands, "teff " TEFF_VERSION, "Looks into, checks, converts, compares and runs files of tensors and models.",
    "Exit codes: 0 all is well; 1 files differ, or one is damaged; 2 wrong usage, or a file cannot be read or "
    "written; 3 a file is not supported: it may be whole, but of another kind.\n"
    "A file called - is the standard input. `teff COMMAND --help` tells more."};

/// One line, fit for a terminal.
int complain(std::string text, int code) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::cerr << "teff: " << printable(text) << '\n';
  return code;
}

int run(const std::function<int()>& command) {
  try {
    const int code = command();
    if (std::cout.flush()) return code;
    return complain("the output cannot be written", kTrouble);
  } catch (const UnsupportedError& error) {
    return complain(told(error), kUnsupported);
  } catch (const FormatError& error) {
    return complain(told(error), kDiffers);
  } catch (const std::bad_alloc&) {
    return complain("not enough memory", kTrouble);
  } catch (const std::exception& error) {
    return complain(told(error), kTrouble);
  }
}

/// The arguments: on Windows in UTF-8, as the library takes paths, and not in the code page of argv.
std::vector<std::string> arguments([[maybe_unused]] int argc, [[maybe_unused]] char** argv) {
#if defined(_WIN32)
  std::vector<std::string> texts;
  int count = 0;
  wchar_t** const wide = CommandLineToArgvW(GetCommandLineW(), &count);
  for (int i = 0; i < count; ++i) {
    const int bytes = WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, nullptr, 0, nullptr, nullptr);
    std::string text(static_cast<std::size_t>(std::max(bytes, 1)), '\0');
    WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, text.data(), bytes, nullptr, nullptr);
    text.pop_back();  // the NUL
    texts.push_back(std::move(text));
  }
  LocalFree(wide);
  return texts;
#else
  return {argv, argv + argc};
#endif
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> texts = arguments(argc, argv);
  std::vector<const char*> pointers;
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  std::function<int()> chosen;
  try {
    chosen = parse(kProgram, static_cast<int>(pointers.size()), pointers.data());
  } catch (const UsageError& error) {
    return complain(std::string(error.what()) + " (see teff --help)", kTrouble);
  }
  return run(chosen);
}
