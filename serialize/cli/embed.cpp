// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <teff/teff.h>

#include "teff/serialize/cli/command.h"
#include "teff/serialize/cli/text.h"

namespace teff::cli {
namespace {

constexpr std::size_t kLineBytes = 60;

/// The bytes of a file that was opened as a regular one. Its size was known then; it may not have grown.
std::string read_bytes(const std::string& path, std::uint64_t size) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  std::ifstream stream(path, std::ios::binary);
  if (!stream.read(bytes.data(), static_cast<std::streamsize>(size)) ||
      stream.peek() != std::ifstream::traits_type::eof()) {
    throw IoError(path + ": it cannot be read, or changes meanwhile");
  }
  return bytes;
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream stream(path, std::ios::binary);
  stream << text;
  if (!stream.flush()) throw IoError(path + ": it cannot be written");
}

/// The bytes as string literals: what compilers read quickest. Octal escapes have an end; a '?' could begin a trigraph.
void add_literals(std::string& text, std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % kLineBytes == 0) text += i == 0 ? "\n    \"" : "\"\n    \"";
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (std::isalnum(byte) || byte == ' ' || byte == '_') {
      text += bytes[i];
    } else {
      std::array<char, 5> code{};
      std::snprintf(code.data(), code.size(), "\\%03o", static_cast<unsigned>(byte));
      text += code.data();
    }
  }
  text += '"';
}

std::string source_text(const std::string& header, const std::string& name, std::string_view bytes) {
  std::string text = "// Written by `teff embed`.\n#include \"" + header + "\"\n\n";
  text += "#if defined(__clang__)\n#pragma clang diagnostic ignored \"-Woverlength-strings\"\n#endif\n\n";
  text += "namespace {\n\nalignas(64) constexpr unsigned char kBytes[] =";
  add_literals(text, bytes);
  text += ";\n\n}  // namespace\n\n";
  text += "std::span<const std::byte> " + name + "() {\n";
  text += "  return std::as_bytes(std::span(kBytes)).first(" + std::to_string(bytes.size()) + ");\n}\n";
  return text;
}

std::string header_text(const std::string& name, const std::string& path, bool is_model) {
  return "// Written by `teff embed`.\n#pragma once\n\n#include <cstddef>\n#include <span>\n\n/// The file " +
         printable(std::filesystem::path(path).filename().string()) +
         ": give it to teff::" + (is_model ? "load_model" : "load") + ".\nstd::span<const std::byte> " + name + "();\n";
}

/// The name of the file, without folder and extension, as an identifier.
std::string identifier(const std::string& path) {
  std::string name = std::filesystem::path(path).stem().string();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0 ? '_' + name : name;
}

bool is_keyword(std::string_view name) {
  static constexpr std::string_view kKeywords[] = {"alignas",   "alignof",      "and",           "and_eq",
                                                   "asm",       "auto",         "bitand",        "bitor",
                                                   "bool",      "break",        "case",          "catch",
                                                   "char",      "char16_t",     "char32_t",      "char8_t",
                                                   "class",     "co_await",     "co_return",     "co_yield",
                                                   "compl",     "concept",      "const",         "const_cast",
                                                   "consteval", "constexpr",    "constinit",     "continue",
                                                   "decltype",  "default",      "delete",        "do",
                                                   "double",    "dynamic_cast", "else",          "enum",
                                                   "explicit",  "export",       "extern",        "false",
                                                   "float",     "for",          "friend",        "goto",
                                                   "if",        "inline",       "int",           "long",
                                                   "main",      "mutable",      "namespace",     "new",
                                                   "noexcept",  "not",          "not_eq",        "nullptr",
                                                   "operator",  "or",           "or_eq",         "private",
                                                   "protected", "public",       "register",      "reinterpret_cast",
                                                   "requires",  "return",       "short",         "signed",
                                                   "sizeof",    "static",       "static_assert", "static_cast",
                                                   "std",       "struct",       "switch",        "template",
                                                   "this",      "thread_local", "throw",         "true",
                                                   "try",       "typedef",      "typeid",        "typename",
                                                   "union",     "unsigned",     "using",         "virtual",
                                                   "void",      "volatile",     "wchar_t",       "while",
                                                   "xor",       "xor_eq"};
  return std::find(std::begin(kKeywords), std::end(kKeywords), name) != std::end(kKeywords);
}

std::string check_identifier(const std::string& name) {
  const bool valid = !name.empty() && identifier(name) == name;
  if (valid && is_keyword(name)) return "expected a name that C++ leaves free, got " + name;
  return valid ? "" : "expected letters, digits and _, got " + name;
}

std::string free_identifier(const std::string& path) {
  const std::string name = identifier(path);
  return is_keyword(name) ? name + '_' : name;
}

int embed(const std::string& path, const std::string& output, const std::string& given_name) {
  const std::filesystem::path header = std::filesystem::path(output).replace_extension(".h");
  if (header == output) throw ValueError("expected an output like model.cpp, got " + output);
  const std::string bytes = read_bytes(path, File(path).size());
  const File file(std::as_bytes(std::span(bytes)));
  if (const auto damages = file.verify(); !damages.empty()) {
    throw FormatError(path + ": " + damages[0].entry + ": " + damages[0].reason);
  }
  const std::string name = given_name.empty() ? free_identifier(output) : given_name;
  write_text(output, source_text(header.filename().string(), name, bytes));
  write_text(header.string(), header_text(name, path, file.model() != nullptr));
  return kOk;
}

std::function<int()> set_up(Parameters& parameters) {
  struct Options {
    std::string path, output, name;
  };
  const auto options = std::make_shared<Options>();
  parameters.required("FILE", options->path, "a .teff file");
  parameters.required("-o,--output", options->output,
                      "the source to write, like model.cpp; model.h is written beside it");
  parameters.option("--name", options->name, "of the function that returns the bytes; else that of the source",
                    check_identifier);
  return [options] { return embed(options->path, options->output, options->name); };
}

}  // namespace

const Command kEmbed = {"embed", "Writes a file as C++ source, to be linked into a program",
                        "Examples:\n"
                        "  teff embed model.teff -o model.cpp\n"
                        "and in the program, with model.h and model.cpp:\n"
                        "  teff::nn::GraphModule net = teff::load_model(model());",
                        set_up};

}  // namespace teff::cli
