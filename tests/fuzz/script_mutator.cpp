// SPDX-License-Identifier: MIT
#include "fuzz/script_mutator.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "fuzz/torch_mutator.h"
#include "fuzz/zip_entries.h"

namespace teff::fuzz {
namespace {

using Pieces = std::vector<std::string>;

constexpr std::array<std::string_view, 24> kExtremes = {"0",
                                                        "1",
                                                        "-1",
                                                        "2",
                                                        "-2",
                                                        "7",
                                                        "65536",
                                                        "2147483647",
                                                        "2147483648",
                                                        "-2147483649",
                                                        "9223372036854775807",
                                                        "-9223372036854775808",
                                                        "4611686018427387904",
                                                        "9223372036854775808",
                                                        "1e-300",
                                                        "1e300",
                                                        "0.5",
                                                        "inf",
                                                        "-inf",
                                                        "nan",
                                                        "None",
                                                        "True",
                                                        "False",
                                                        "\"\""};

constexpr std::array<std::string_view, 96> kVocabulary = {
    "add",       "add_",           "annotate", "append",       "arange",      "batch_norm", "cat",       "chunk",
    "clear",     "conv2d",         "copy_",    "cumsum",       "detach",      "dim",        "div",       "dropout",
    "dtype",     "embedding",      "eq",       "expand",       "expand_as",   "extend",     "fill_",     "flatten",
    "floordiv",  "format",         "full",     "gather",       "ge",          "getattr",    "index",     "insert",
    "int",       "float",          "bool",     "item",         "keys",        "len",        "linear",    "lstm",
    "gru",       "masked_fill_",   "matmul",   "max",          "mean",        "mul",        "mul_",      "narrow",
    "neg",       "numel",          "ones",     "permute",      "pop",         "pow",        "range",     "relu",
    "relu_",     "remainder",      "repeat",   "reshape",      "select",      "size",       "slice",     "softmax",
    "split",     "squeeze",        "squeeze_", "stack",        "sub",         "sum",        "tensor",    "to",
    "topk",      "transpose",      "type_as",  "unbind",       "unsqueeze",   "unsqueeze_", "values",    "view",
    "where",     "zeros",          "zero_",    "__contains__", "__getitem__", "__is__",     "__isnot__", "__not__",
    "_set_item", "__range_length", "training", "self",         "torch",       "if",         "while",     "return"};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Words, numbers and texts; all else character by character.
Pieces pieces_of(std::string_view code) {
  Pieces pieces;
  while (!code.empty()) {
    std::size_t size = 1;
    if (is_word(code[0])) {
      while (size < code.size() && is_word(code[size])) ++size;
    } else if (code[0] == '"') {
      size = std::min(code.find('"', 1), code.size() - 1) + 1;
    }
    pieces.emplace_back(code.substr(0, size));
    code.remove_prefix(size);
  }
  return pieces;
}

/// With their ends.
Pieces lines_of(std::string_view code) {
  Pieces lines;
  while (!code.empty()) {
    const std::size_t size = std::min(code.find('\n'), code.size() - 1) + 1;
    lines.emplace_back(code.substr(0, size));
    code.remove_prefix(size);
  }
  return lines;
}

template <class List>
auto& any_of_list(List& list, Random& random) {
  return list[random() % list.size()];
}

/// A word or number, or else whatever is there.
std::string& any_word(Pieces& pieces, Random& random) {
  for (int tries = 0; tries < 20; ++tries) {
    std::string& piece = any_of_list(pieces, random);
    if (!piece.empty() && is_word(piece[0])) return piece;
  }
  return pieces[0];
}

void change_pieces(Pieces& pieces, Random& random) {
  std::string& word = any_word(pieces, random);
  const bool is_number = !word.empty() && std::isdigit(static_cast<unsigned char>(word[0])) != 0;
  switch (random() % 6) {
    case 0:
      std::swap(word, any_word(pieces, random));
      break;
    case 1:
      word = std::string(any_word(pieces, random));
      break;
    case 2:
      std::swap(any_of_list(pieces, random), any_of_list(pieces, random));
      break;
    case 3:
      any_of_list(pieces, random).clear();
      break;
    default:
      word = is_number ? any_of_list(kExtremes, random) : any_of_list(kVocabulary, random);
      break;
  }
}

void change_lines(Pieces& lines, Random& random) {
  const auto at = lines.begin() + static_cast<std::ptrdiff_t>(random() % lines.size());
  switch (random() % 4) {
    case 0:
      lines.erase(at);
      break;
    case 1:
      lines.insert(at, std::string(*at));
      break;
    case 2:
      std::swap(*at, any_of_list(lines, random));
      break;
    default:
      lines.insert(at, std::string(any_of_list(lines, random)));
      break;
  }
}

}  // namespace

void mutate_code(Bytes& code, Random& random, Mutator mutate) {
  if (code.empty() || random() % 16 == 0) return mutate(code);
  const std::string text(code.begin(), code.end());
  const bool by_line = random() % 4 == 0;
  Pieces parts = by_line ? lines_of(text) : pieces_of(text);
  by_line ? change_lines(parts, random) : change_pieces(parts, random);
  code.clear();
  for (const std::string& part : parts) code.insert(code.end(), part.begin(), part.end());
}

namespace {

/// Changes an entry whose name ends so, now and then another.
void mutate_text_in_zip(Bytes& file, Random& random, Mutator mutate, std::string_view extension) {
  if (random() % 8 == 0) return mutate_torch(file, random, mutate);
  std::vector<ZipPart> entries = unpack_zip(file);
  std::vector<ZipPart*> code;
  for (ZipPart& entry : entries) {
    if (entry.name.ends_with(extension)) code.push_back(&entry);
  }
  if (code.empty()) return mutate_torch(file, random, mutate);
  mutate_code(any_of_list(code, random)->bytes, random, mutate);
  file = pack_zip(entries);
}

}  // namespace

void mutate_script(Bytes& file, Random& random, Mutator mutate) { mutate_text_in_zip(file, random, mutate, ".py"); }

void mutate_exported(Bytes& file, Random& random, Mutator mutate) { mutate_text_in_zip(file, random, mutate, ".json"); }

}  // namespace teff::fuzz
