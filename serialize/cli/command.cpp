// SPDX-License-Identifier: MIT
#include "teff/serialize/cli/command.h"

#include <CLI/CLI.hpp>

#include "teff/serialize/cli/text.h"

namespace teff::cli {

void Parameters::required(const char* name, std::string& to, const char* help) {
  app_.add_option(name, to, help)->required();
}

void Parameters::required(const char* name, std::vector<std::string>& to, const char* help) {
  app_.add_option(name, to, help)->required();
}

void Parameters::option(const char* name, std::string& to, const char* help, Check check) {
  CLI::Option* const option = app_.add_option(name, to, help);
  if (check != nullptr) option->check(check);
}

void Parameters::option(const char* name, std::string& to, const char* help, const std::vector<std::string>& choices) {
  app_.add_option(name, to, help)->check(CLI::IsMember(choices));
}

void Parameters::list(const char* name, std::vector<std::string>& to, const char* help) {
  app_.add_option(name, to, help)->delimiter(',');
}

void Parameters::counts(const char* name, std::vector<std::int64_t>& to, const char* help) {
  app_.add_option(name, to, help)->delimiter(',')->check(CLI::PositiveNumber);
}

void Parameters::number(const char* name, double& to, const char* help) {
  app_.add_option(name, to, help)->check(CLI::PositiveNumber)->capture_default_str();
}

void Parameters::flag(const char* name, bool& to, const char* help) { app_.add_flag(name, to, help); }

void Parameters::loading(LoadOptions& to) {
  flag("--inert-objects", to.inert_objects, "of PyTorch's files: take objects of unknown classes as their attributes");
  app_.add_option("--skip", to.skip, "an entry to leave out, named as `teff show` names it; may be given several times")
      ->allow_extra_args(false);
  flag("--skip-unsupported", to.skip_unsupported, "leave out the entries that Teff has no place for");
  input_types(to);
}

void Parameters::input_types(LoadOptions& to) {
  const auto add = [&to](const std::vector<std::string>& types) {
    for (const std::string& type : types) to.input_types.push_back(type_of(type));
  };
  app_.add_option_function<std::vector<std::string>>(
          "--input-type", add,
          "of PyTorch's networks: what forward takes, such as float32:2x3x224x224 or 2x3x224x224; once for each input")
      ->allow_extra_args(false);
}

void Parameters::limits(LoadOptions& to) {
  app_.add_option("--max-work", to.max_work, "the most operations on single values that a run of a model may take")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app_.add_option("--max-bytes", to.max_bytes, "the most bytes that the results in a run of a model may take")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

std::function<int()> parse(const Program& program, int argc, const char* const* argv) {
  CLI::App app{program.description, "teff"};
  app.set_version_flag("--version", program.version);
  app.require_subcommand(1);
  app.allow_windows_style_options(false);  // /home/model.teff is a path
  app.footer(program.footer);
  std::function<int()> chosen;
  for (const Command* command : program.commands) {
    CLI::App* sub = app.add_subcommand(command->name, command->summary);
    sub->footer(command->help);
    Parameters parameters(*sub);
    sub->callback([&chosen, run = command->set_up(parameters)] { chosen = run; });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    const int code = app.exit(success);
    return [code] { return code; };
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  return chosen;
}

}  // namespace teff::cli
