// SPDX-License-Identifier: MIT
#include "support/golden.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "teff/engine/error.h"

namespace teff::testing {
namespace {

/// `2,3`; `-` is the shape of a single number.
Shape read_shape(std::istream& words) {
  std::string text;
  words >> text;
  Shape shape;
  if (text == "-") return shape;
  std::istringstream sizes(text);
  for (std::string size; std::getline(sizes, size, ',');) shape.push_back(std::stoll(size));
  return shape;
}

Tensor read_tensor(std::istream& words) {
  std::string dtype;
  words >> dtype;
  const Shape shape = read_shape(words);
  std::vector<double> values;
  for (std::string word; words >> word;) values.push_back(std::strtod(word.c_str(), nullptr));  // also nan and inf
  return tensor(values, shape).to(dtype_from_string(dtype));
}

std::string read_text(std::istream& words) {
  std::string line, text;
  std::getline(words >> std::ws, line);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) {
      text += line[++i] == 'n' ? '\n' : line[i];
    } else {
      text += line[i];
    }
  }
  return text;
}

template <class T>
T read(std::istream& words) {
  T value{};
  words >> value;
  return value;
}

Value read_value(const std::string& kind, std::istream& words) {
  if (kind == "none") return {};
  if (kind == "bool") return read<std::string>(words) == "True";
  if (kind == "int") return read<std::int64_t>(words);
  if (kind == "float") return std::strtod(read<std::string>(words).c_str(), nullptr);
  if (kind == "text") return read_text(words);
  if (kind == "tensor") return read_tensor(words);
  if (kind == "ints") {
    List list;
    for (std::int64_t value; words >> value;) list.emplace_back(value);
    return list;
  }
  throw Error("golden: unknown kind \"" + kind + '"');
}

void set(Dict& dict, const std::string& key, Value value) {
  const std::size_t dot = key.find('.');
  if (dot == std::string::npos) {
    dict.insert(key, std::move(value));
    return;
  }
  Value& inner = dict[key.substr(0, dot)];
  if (inner.is_none()) inner = Dict();
  set(inner.as_dict(), key.substr(dot + 1), std::move(value));
}

}  // namespace

std::vector<GoldenCase> read_golden(const std::string& file_name) {
  const std::string path = std::string(TEFF_GOLDEN_DIR) + '/' + file_name;
  std::ifstream file(path);
  if (!file) throw Error("golden: cannot open " + path);
  std::vector<GoldenCase> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    const std::string key = read<std::string>(words);
    if (key == "case") {
      cases.push_back({read_text(words), {}});
    } else {
      const std::string kind = read<std::string>(words);
      set(cases.back().entries, key, read_value(kind, words));
    }
  }
  return cases;
}

const Dict& golden_case(const std::vector<GoldenCase>& cases, const std::string& name) {
  for (const GoldenCase& one : cases) {
    if (one.name == name) return one.entries;
  }
  throw Error("golden: no case \"" + name + '"');
}

std::vector<Tensor> tensors_of(const Dict& dict) {
  std::vector<Tensor> tensors;
  for (const DictItem& item : dict) tensors.push_back(item.value.as_tensor());
  return tensors;
}

}  // namespace teff::testing
