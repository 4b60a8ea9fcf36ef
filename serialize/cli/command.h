// SPDX-License-Identifier: MIT
#pragma once

// The subcommands of `teff`. To add one: a file that defines it, and its line in the table of main.cpp.

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace teff::cli {

// What the command exits with, as diff(1) does.
inline constexpr int kOk = 0;
inline constexpr int kDiffers = 1;  // files differ, or one is damaged
inline constexpr int kTrouble = 2;  // wrong usage, a file that cannot be read or written

struct Command {
  const char* name;
  const char* summary;
  const char* help;  // behind the options: what they do not say, and examples
  /// Adds options to the subcommand. What it returns runs it, after parsing, and returns the exit code.
  std::function<int()> (*set_up)(CLI::App& app);
};

/// The set-up of a subcommand that takes files of any format and --json, and prints one object for each file.
std::function<int()> set_up_files(CLI::App& app, int (*run)(const std::vector<std::string>& paths, bool json));

extern const Command kShow, kVerify, kConvert, kDiff, kGraph, kEmbed, kSalvage;

}  // namespace teff::cli
