// SPDX-License-Identifier: MIT
#pragma once

// The subcommands of `teff`. To add one: a file that defines it, and its line in the table of main.cpp. The parser is
// CLI11's, which takes longer to compile than all else here: command.cpp alone knows it.

#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <teff/serialize/options.h>

namespace CLI {
class App;
}

namespace teff::cli {

// What the command exits with, as diff(1) does.
inline constexpr int kOk = 0;
inline constexpr int kDiffers = 1;      // files differ, or one is damaged
inline constexpr int kTrouble = 2;      // wrong usage, a file that cannot be read or written
inline constexpr int kUnsupported = 3;  // a file may be whole, but is of a kind, or holds what, Teff does not read

/// What a subcommand takes from the command line, and where it goes: the variables must be there until it is parsed.
class Parameters {
 public:
  /// Says what is wrong with a text; empty if nothing is.
  using Check = std::string (*)(const std::string& text);

  explicit Parameters(CLI::App& app) : app_(app) {}

  /// A text that must be given: by its place as "FILE", or by its name as "-o,--output".
  void required(const char* name, std::string& to, const char* help);
  /// One or more of them.
  void required(const char* name, std::vector<std::string>& to, const char* help);
  /// A text that may be left out.
  void option(const char* name, std::string& to, const char* help, Check check = nullptr);
  void option(const char* name, std::string& to, const char* help, const std::vector<std::string>& choices);
  /// Several texts, given one after the other or with a comma between them; may be left out.
  void list(const char* name, std::vector<std::string>& to, const char* help);
  /// Whole numbers of 1 and more, likewise.
  void counts(const char* name, std::vector<std::int64_t>& to, const char* help);
  /// A number above 0 that may be left out.
  void number(const char* name, double& to, const char* help);
  void flag(const char* name, bool& to, const char* help);
  /// The flags that say what is taken of a file.
  void loading(LoadOptions& to);
  /// The option that says what a network takes whose file does not; one of loading().
  void input_types(LoadOptions& to);
  /// The options that say what running a model may take.
  void limits(LoadOptions& to);

 private:
  CLI::App& app_;
};

struct Command {
  const char* name;
  const char* summary;
  const char* help;  // behind the options: what they do not say, and examples
  /// Tells the subcommand's parameters. What it returns runs it, after parsing, and returns the exit code.
  std::function<int()> (*set_up)(Parameters& parameters);
};

/// The arguments of a program are none that it takes.
struct UsageError : std::runtime_error {
  using runtime_error::runtime_error;
};

struct Program {
  std::span<const Command* const> commands;
  const char* version;
  const char* description;
  const char* footer;
};

/// What runs the subcommand that the arguments name. Help and version are printed here. @throws UsageError
std::function<int()> parse(const Program& program, int argc, const char* const* argv);

extern const Command kShow, kVerify, kConvert, kDiff, kGraph, kRun, kBench, kSummary, kEmbed, kSalvage;

}  // namespace teff::cli
