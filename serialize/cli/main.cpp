// SPDX-License-Identifier: MIT
// The `teff` command: looks into model files, checks, converts, compares and runs them.

#include <algorithm>
#include <iostream>
#include <new>

#include <teff/teff.h>

#include "teff/serialize/cli/command.h"
#include "teff/serialize/cli/text.h"

using namespace teff;
using namespace teff::cli;

namespace {

constexpr const Command* kCommands[] = {&kShow, &kVerify, &kConvert, &kDiff,   &kGraph,
                                        &kRun,  &kBench,  &kEmbed,   &kSalvage};

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

}  // namespace

int main(int argc, char** argv) {
  std::function<int()> chosen;
  try {
    chosen = parse(kProgram, argc, argv);
  } catch (const UsageError& error) {
    return complain(std::string(error.what()) + " (see teff --help)", kTrouble);
  }
  return run(chosen);
}
