// SPDX-License-Identifier: MIT
#include "support/onnx_published.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <span>

#include "support/onnx_test_case.h"
#include "support/onnx_writer.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/testing.h"
#include "teff/serialize/save_load.h"

namespace teff::testing {
namespace {

/// The fields of a message, each with its bytes as they stand.
struct Field {
  std::uint64_t number;
  std::string_view all, content;
};

std::vector<Field> fields_of(std::string_view message) {
  std::vector<Field> fields;
  const auto varint = [&](std::size_t& place) {
    std::uint64_t result = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(message.at(place++));
      result |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return result;
    }
  };
  for (std::size_t place = 0; place < message.size();) {
    const std::size_t begin = place;
    const std::uint64_t key = varint(place);
    std::size_t bytes = 0;
    if ((key & 7) == 0) varint(place);
    if ((key & 7) == 1) bytes = 8;
    if ((key & 7) == 5) bytes = 4;
    if ((key & 7) == 2) bytes = varint(place);
    fields.push_back({key >> 3, message.substr(begin, place + bytes - begin), message.substr(place, bytes)});
    place += bytes;
  }
  return fields;
}

std::string_view content_of(std::string_view message, std::uint64_t number) {
  for (const Field& field : fields_of(message)) {
    if (field.number == number) return field.content;
  }
  return {};
}

/// Names of the graph's inputs that are no initialisers.
std::vector<std::string> input_names(std::string_view model) {
  std::vector<std::string> names, given;
  const std::vector<Field> fields = fields_of(content_of(model, 7));
  for (const Field& field : fields) {
    if (field.number == 5) given.emplace_back(content_of(field.content, 8));
  }
  for (const Field& field : fields) {
    if (field.number != 11) continue;
    const std::string name(content_of(field.content, 1));
    if (std::find(given.begin(), given.end(), name) == given.end()) names.push_back(name);
  }
  return names;
}

/// The model with one more initialiser.
std::string with_initializer(std::string_view model, std::string_view name, std::string_view tensor) {
  std::string result;
  for (const Field& field : fields_of(model)) {
    if (field.number != 7) {
      result += field.all;
      continue;
    }
    result += onnx::bytes(7, std::string(field.content) + onnx::bytes(5, std::string(tensor) + onnx::bytes(8, name)));
  }
  return result;
}

nn::GraphModule load_bytes(const std::string& model) {
  return load_model(std::as_bytes(std::span(model.data(), model.size())));
}

std::optional<Tensor> read_values(const std::filesystem::path& path) { return read_onnx_values(read_bytes(path)); }

}  // namespace

OnnxOutcome try_onnx_test(const std::filesystem::path& folder) {
  const std::filesystem::path data = folder / "test_data_set_0";
  OnnxOutcome outcome;
  std::string model = read_bytes(folder / "model.onnx");
  std::vector<std::string> names = input_names(model);
  const std::vector<std::string> all = names;
  std::optional<nn::GraphModule> module;
  while (!module) {
    try {
      module = load_bytes(model);
    } catch (const Error& error) {
      outcome = {OnnxOutcome::Kind::refused, outcome.is_bound, error.what()};
      const std::string_view reason = outcome.reason;
      if (reason.find("to be known before the network runs") == reason.npos) return outcome;
      const auto named = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
        return reason.find("(\"" + name + "\")") != reason.npos;
      });
      if (named == names.end()) return outcome;
      const auto place = std::find(all.begin(), all.end(), *named) - all.begin();
      model = with_initializer(model, *named, read_bytes(data / ("input_" + std::to_string(place) + ".pb")));
      names.erase(named);
      outcome.is_bound = true;
    }
  }
  outcome.reason.clear();
  outcome.kind = OnnxOutcome::Kind::refused;
  try {
    const NoGradGuard no_grad;
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (std::find(names.begin(), names.end(), all[i]) == names.end()) continue;
      const std::optional<Tensor> input = read_values(data / ("input_" + std::to_string(i) + ".pb"));
      if (!input) throw Error("an input is of another dtype");
      inputs.push_back(*input);
    }
    const std::vector<Tensor> outputs = module->forward_many(inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::optional<Tensor> output = read_values(data / ("output_" + std::to_string(i) + ".pb"));
      if (!output) throw Error("an output is of another dtype");
      // Some of these files have bfloat16 as whole numbers.
      if (output->dtype() == DType::uint16 && outputs[i].dtype() == DType::bfloat16) throw Error("stored otherwise");
      outcome.kind = OnnxOutcome::Kind::wrong;
      // Some results of these were published with four digits.
      const bool is_rounded = folder.filename().string().starts_with("test_gridsample");
      assert_close(outputs[i], *output, {1e-4, is_rounded ? 1e-4 : 1e-6, true});
    }
    outcome.kind = OnnxOutcome::Kind::passed;
  } catch (const Error& error) {
    outcome.reason = error.what();
  }
  return outcome;
}

std::vector<std::filesystem::path> onnx_test_folders(const std::string& kind, std::size_t first, std::size_t count) {
  const char* const named = std::getenv("TEFF_ONNX_TESTS");
  const std::filesystem::path folder =
      std::filesystem::path(named != nullptr ? named : "/usr/share/libonnx-testdata/data") / kind;
  std::vector<std::filesystem::path> all, chosen;
  if (!std::filesystem::exists(folder)) return all;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) all.push_back(entry.path());
  std::sort(all.begin(), all.end());
  for (std::size_t i = first; i < all.size(); i += count) chosen.push_back(all[i]);
  return chosen;
}

void check_onnx_tests(const std::string& kind, std::size_t first, std::size_t count, int floor) {
  const std::vector<std::filesystem::path> folders = onnx_test_folders(kind, first, count);
  if (folders.empty()) {
    std::cout << "skipped: ONNX's tests are not installed\n";
    return;
  }
  int passed = 0, bound = 0;
  std::map<std::string, std::vector<std::string>> refused;
  for (const std::filesystem::path& folder : folders) {
    const std::string name = folder.filename().string();
    const OnnxOutcome outcome = try_onnx_test(folder);
    if (outcome.kind == OnnxOutcome::Kind::wrong) FAIL_CHECK(name << ": " << outcome.reason);
    if (outcome.kind == OnnxOutcome::Kind::refused) refused[outcome.reason].push_back(name);
    passed += outcome.kind == OnnxOutcome::Kind::passed ? 1 : 0;
    bound += outcome.kind == OnnxOutcome::Kind::passed && outcome.is_bound ? 1 : 0;
  }
  for (const auto& group : refused) {
    for (const std::string& name : group.second) MESSAGE("refused: " << name << ": " << group.first);
  }
  MESSAGE(kind << ": " << passed << " of " << folders.size() << " pass, " << bound
               << " of them with sizes as initialisers");
  CHECK(passed >= floor);
}

}  // namespace teff::testing
