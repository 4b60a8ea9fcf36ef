// SPDX-License-Identifier: MIT
#include "fuzz/checks.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/file.h"
#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/teff/dict_codec.h"
#include "teff/serialize/teff/model_file.h"
#include "teff/serialize/teff/teff_file.h"

namespace teff::fuzz {

void expect(bool condition, const char* promise) {
  if (condition) return;
  std::fprintf(stderr, "finding: expected that %s\n", promise);
  std::abort();
}

void expect_refusal(std::string_view text) {
  expect(text.starts_with("load"), "a refusal begins with the name of the function");
  expect(
      std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }),
      "a refusal has no control characters");
}

namespace {

constexpr std::size_t kMaxEntries = 50;
constexpr std::int64_t kMaxElements = 1 << 14;  // of a value in a run

void read_entries(const File& file) {
  try {
    const std::vector<FileEntry> entries = file.entries();
    for (const FileEntry& entry : std::span(entries).first(std::min(kMaxEntries, entries.size()))) {
      expect(file.read(entry.path).is_tensor(), "an entry is a tensor");
    }
  } catch (const FormatError&) {  // damaged, or paths too long to list
  }
}

}  // namespace

void check_file(std::span<const std::byte> bytes, bool is_loaded) {
  bool is_whole = false, is_model = false;
  try {
    const File file(bytes);
    is_model = file.model() != nullptr;
    read_entries(file);
    is_whole = file.verify().empty() && file.unsupported().empty();
    static_cast<void>(file.metadata());
    std::ostringstream printed;
    for (const FileModule& module : file.modules()) printed << module.summary;
  } catch (const FormatError&) {
  }
  expect(is_whole || !is_loaded, "a file that is loaded is found whole");
  expect(is_loaded || !is_whole || is_model, "a file that is refused is not found whole");
}

void check_dict(std::span<const std::byte> bytes, const LoadOptions& options, FileFormat format) {
  Dict dict;
  try {
    dict = load(bytes, options);
  } catch (const FormatError& error) {
    expect_refusal(error.what());
    if (!options.inert_objects) check_file(bytes, false);
    return;
  }
  if (!options.inert_objects) check_file(bytes, true);
  std::ostringstream saved, printed;
  printed << dict;
  try {
    save(dict, saved, {.format = format});
  } catch (const ValueError&) {
    return;
  }
  const std::string again = saved.str();
  expect(load(std::as_bytes(std::span(again))) == dict, "a dictionary that is saved again comes back equal");
}

std::string save_graph(const nn::GraphModuleData& data, const std::vector<Tensor>& inputs) {
  std::ostringstream stream;
  serialize::StreamSink sink(stream);
  serialize::ModelContent content{data, {inputs, {}}};
  content.self_test.outputs.assign(data.graph.outputs.size(), zeros({0}));
  serialize::write_teff(sink, serialize::FileKind::model, {},
                        [&](serialize::HeaderWriter& archive) { archive(content); });
  return stream.str();
}

void run_on_zeros(nn::GraphModule& module) {
  std::vector<Tensor> inputs;
  for (const GraphNode& node : module.graph().nodes) {
    if (numel(node.type.shape) > kMaxElements) return;
    if (node.kind == GraphNode::Kind::placeholder) inputs.push_back(zeros(node.type.shape, {.dtype = node.type.dtype}));
  }
  try {
    const NoGradGuard no_grad;
    module.forward_many(inputs);
  } catch (const Error&) {  // indices may be out of range
  }
}

void check_network(std::span<const std::byte> bytes) {
  const LoadOptions options{.max_work = 1e8, .max_bytes = 1e8};
  const auto printed = [](const nn::GraphModule& module) {
    std::ostringstream text;
    text << module << module.graph() << module.state_dict();
    return text.str();
  };
  try {
    nn::GraphModule module = load_model(bytes, options);
    const std::string file = save_graph(module.data(), std::vector<Tensor>(module.inputs().size(), zeros({0})));
    const nn::GraphModule again = load_model(std::as_bytes(std::span(file)), options);
    expect(printed(again) == printed(module), "a network that is saved comes back equal");
    run_on_zeros(module);
  } catch (const FormatError& error) {
    expect_refusal(error.what());
  } catch (const ResourceError& error) {
    expect_refusal(error.what());
  }
}

}  // namespace teff::fuzz
