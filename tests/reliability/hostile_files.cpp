// SPDX-License-Identifier: MIT
#include "reliability/hostile_files.h"

#include <sstream>

#include "reliability/files.h"
#include "reliability/hostile_onnx.h"
#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/io/zip_writer.h"
#include "teff/serialize/teff/model_file.h"
#include "teff/serialize/teff/teff_file.h"

namespace teff::reliability {
namespace {

using Visit = std::function<void(const std::string&, const std::string&)>;

constexpr std::size_t kBytes = 1'000'000;

std::string saved(const Dict& dict) {
  std::ostringstream stream;
  save(dict, stream);
  return stream.str();
}

std::string saved(const nn::GraphModuleData& module) {
  std::ostringstream stream;
  serialize::StreamSink sink(stream);
  const Tensor example = zeros(module.graph.nodes[0].type.shape);
  const serialize::ModelContent content{module, {{example}, {example}}};
  serialize::write_teff(sink, serialize::FileKind::model, {},
                        [&](serialize::HeaderWriter& archive) { archive(content); });
  return stream.str();
}

Dict keys(std::size_t count, const std::function<std::string(std::size_t)>& key, const Value& value) {
  Dict dict;
  for (std::size_t i = 0; i < count; ++i) dict.insert(key(i), value);
  return dict;
}

Value deep(Value value, const std::string& key) {
  for (int i = 0; i < 62; ++i) value = Dict{{key, std::move(value)}};
  return value;
}

/// Keys for which the hash of GCC's library is the same: blocks of 8 bytes are mixed by steps that can be undone.
std::string colliding_key(std::size_t i) {
  constexpr std::uint64_t kFactor = 0xc6a4a7935bd1e995, kInverse = 0x5f7a0ea7e59b19bd, kSeed = 0xc70f6907;
  const auto mix = [](std::uint64_t word) { return (word * kFactor ^ ((word * kFactor) >> 47)) * kFactor; };
  const auto unmix = [](std::uint64_t word) {
    word *= kInverse;
    return (word ^ (word >> 47)) * kInverse;
  };
  const std::uint64_t first = 0x6161616161616161 + i;
  const std::uint64_t after_first = ((kSeed ^ 16 * kFactor) ^ mix(first)) * kFactor;
  const std::uint64_t words[] = {first, unmix(after_first ^ 42)};
  return {reinterpret_cast<const char*>(words), sizeof words};
}

List repeated(std::size_t count, const Value& value) { return List(count, value); }

void visit_dicts(const Visit& visit) {
  const auto number = [](std::size_t i) { return std::to_string(i); };
  const auto terminal = [](std::size_t i) { return std::string(4, '\x1b') + std::to_string(i); };
  visit("Nones", saved({{"a", repeated(kBytes / 8, nullptr)}}));
  visit("empty lists", saved({{"a", repeated(kBytes / 16, List{})}}));
  visit("empty dicts", saved({{"a", repeated(kBytes / 16, Dict{})}}));
  visit("dicts of one", saved({{"a", repeated(kBytes / 40, Dict{{"", nullptr}})}}));
  visit("short keys", saved(keys(kBytes / 22, number, nullptr)));
  visit("keys of one hash", saved(keys(kBytes / 32, colliding_key, nullptr)));
  visit("deep lists of lists", saved({{"a", repeated(kBytes / 1000, [] {
                                         Value value;
                                         for (int i = 0; i < 60; ++i) value = List{value};
                                         return value;
                                       }())}}));
  visit("a long text", saved({{"a", std::string(kBytes, '\x1b')}}));
  List tensors;
  for (std::size_t i = 0; i < kBytes / 72; ++i) tensors.emplace_back(zeros({0}));
  visit("empty tensors", saved({{"a", tensors}}));
  visit("empty tensors under long names", saved({{"a", deep(tensors, std::string(80, '\x1b'))}}));
  for (Value& value : tensors) value = Value(zeros({1}, {.dtype = DType::uint8}));
  tensors.resize(kBytes / 140);
  visit("tensors of one byte", saved({{"a", tensors}}));
  const Tensor shared = zeros({64});
  for (Value& value : tensors) value = Value(shared.view({64}));
  visit("tensors that share their elements", saved({{"a", tensors}}));
  visit("one large tensor", saved({{"a", zeros({static_cast<std::int64_t>(kBytes)}, {.dtype = DType::uint8})}}));
  visit("keys of control characters", saved(keys(kBytes / 26, terminal, nullptr)));
}

GraphNode call(std::string name, std::string target, std::vector<std::int64_t> inputs, const Shape& shape) {
  GraphNode node;
  node.kind = GraphNode::Kind::call;
  node.name = std::move(name);
  node.target = std::move(target);
  node.inputs = std::move(inputs);
  node.type.shape = shape;
  return node;
}

GraphNode get_attr(const std::string& name, const Shape& shape) {
  GraphNode node;
  node.kind = GraphNode::Kind::get_attr;
  node.name = node.target = name;
  node.type.shape = shape;
  return node;
}

/// An input without elements, and a result.
nn::GraphModuleData small_module(const Shape& shape) {
  nn::GraphModuleData module;
  module.graph.nodes.emplace_back();
  module.graph.nodes[0].name = "x";
  module.graph.nodes[0].type.shape = shape;
  module.graph.outputs = {0};
  module.summary.type_name = "Net";
  return module;
}

void visit_models(const Visit& visit) {
  nn::GraphModuleData chain = small_module({1});
  for (std::size_t i = 1; i < kBytes / 130; ++i) {
    chain.graph.nodes.push_back(call(std::to_string(i), "relu", {static_cast<std::int64_t>(i) - 1}, {1}));
  }
  visit("a chain of calls", saved(chain));

  nn::GraphModuleData norms = small_module({2, 1});
  norms.training = false;
  for (std::size_t i = 0; i < kBytes / 200; ++i) {
    norms.state.push_back({"n" + std::to_string(i) + ".num_batches_tracked", scalar_tensor(0).to(DType::int64), false});
  }
  norms.state.push_back({"running_mean", zeros({1}), false});
  norms.state.push_back({"running_var", ones({1}), false});
  norms.graph.nodes.push_back(get_attr("running_mean", {1}));
  norms.graph.nodes.push_back(get_attr("running_var", {1}));
  for (std::size_t i = 3; i < kBytes / 400; ++i) {
    norms.graph.nodes.push_back(call(std::to_string(i), "batch_norm", {0, 1, 2}, {2, 1}));
  }
  visit("batch norms", saved(norms));

  nn::GraphModuleData fan = small_module({1});
  fan.graph.nodes.push_back(call("cat", "cat", std::vector<std::int64_t>(kBytes / 8, 0), {1}));
  visit("a call of many inputs", saved(fan));

  nn::GraphModuleData pieces = small_module({0, kBytes / 130});
  pieces.graph.nodes.push_back(call("split", "split", {0}, {0, 1}));
  pieces.graph.nodes[1].attributes = {{"dim", 1}};
  for (std::size_t i = 1; i < kBytes / 130; ++i) {
    GraphNode result = call("r" + std::to_string(i), "", {1}, {0, 1});
    result.kind = GraphNode::Kind::result;
    pieces.graph.nodes.push_back(result);
  }
  visit("a call of many results", saved(pieces));
  pieces.graph.nodes[0].type.shape = {0, std::int64_t{1} << 50};
  visit("a call of more results than there are", saved(pieces));
  pieces.graph.nodes.resize(2);
  pieces.graph.nodes[1].target = "split_with_sizes";
  pieces.graph.nodes[1].attributes = {{"sizes", repeated(kBytes / 16, 0)}, {"dim", 0}};
  visit("a call of many sizes", saved(pieces));

  nn::GraphModuleData children = small_module({1});
  children.summary.children.assign(kBytes / 40, nn::ModuleSummary{"", "A", "", {}});
  visit("many modules", saved(children));
}

std::string zip_of(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::ostringstream stream;
  serialize::StreamSink sink(stream);
  serialize::ZipWriter zip(sink, "a");
  for (const auto& [name, bytes] : entries) zip.add(name, bytes_of(bytes));
  zip.finish();
  return stream.str();
}

std::string torch_file_with(const std::string& pickle) {
  return zip_of({{"data.pkl", pickle}, {"version", "3\n"}, {"data/0", std::string(64, '\0')}});
}

/// Lists that refer to the list before ten times: few bytes that unfold to very many.
std::string unfolding_pickle() {
  std::string pickle = std::string("\x80\x02]q") + '\0';
  for (char list = 1; list < 40; ++list) {
    pickle += std::string("]q") + list + '(';
    for (int i = 0; i < 10; ++i) pickle += std::string("h") + static_cast<char>(list - 1);
    pickle += 'e';
  }
  return pickle + '.';
}

std::string repeated(const std::string& part) {
  std::string all;
  while (all.size() + part.size() <= kBytes) all += part;
  return all;
}

/// Objects, modules, arrays, keys: what of a pickle means more than a number, as often as a file of 1 MB has place.
void visit_torch_objects(const Visit& visit) {
  const auto text = [](const std::string& value) {
    return "X" + std::string{static_cast<char>(value.size()), 0, 0, 0} + value;
  };
  // What `once` puts on the stack is in the memo only.
  const auto visit_list = [&](const std::string& name, const std::string& once, const std::string& part) {
    visit("a pickle of " + name, torch_file_with("\x80\x02(" + once + "1]" + repeated(part + "a") + "."));
  };
  const std::string type = "cm\nC\nq\1", numbers = "](" + std::string(100'000, 'N') + "e";
  visit_list("objects with a state", type, "h\1)\x81}b");
  visit_list("objects with items", type, "h\1)\x81K\1" + std::string("a"));
  visit_list("objects with arguments", type + "K\1\x85q\2", "h\1h\2\x81");
  visit_list("objects of one state", type + numbers + "q\2", "h\1)\x81h\2" + std::string("b"));
  visit_list("calls of calls", type, "h\1)R)R)R");
  const std::string members =
      text("_parameters") + "q\2}q\3" + text("_buffers") + "q\4h\3" + text("_modules") + "q\5h\3";
  visit_list("one module", type + "}(" + members + "uq\6", "h\1)\x81h\6" + std::string("b"));
  visit_list("modules", type + members, "h\1)\x81}(h\2h\3h\4h\3h\5h\3u" + std::string("b"));
  visit_list("sets", "c__builtin__\nset\nq\1", "h\1)R");
  visit_list("deques of one list", "ccollections\ndeque\nq\1" + numbers + "\x85q\2", "h\1h\2R");
  visit_list("long integers", "", "\x8a\xff" + std::string(255, '\x7f'));
  visit_list("a long integer", "\x8a\xff" + std::string(255, '\x7f') + "q\1", "h\1");
  visit_list("digits", "", "L" + std::string(600, '9') + "L\n");
  visit_list("one class", type, "h\1");
  visit_list("persistent ids", "", ")Q");
  visit_list("complex numbers", "c__builtin__\ncomplex\nq\1K\1K\1\x86q\2", "h\1h\2R");
  const std::string of_numpy = "cnumpy.core.multiarray\n", dtype = "cnumpy\ndtype\n" + text("u4") + "\x85Rq\2";
  visit_list("scalars of numpy", of_numpy + "scalar\nq\1" + dtype + "C\4" + "abcd\x86q\3", "h\1h\3R");
  const std::string array = of_numpy + "_reconstruct\nq\1" + dtype;
  visit_list("arrays of numpy", array + "(K\1K\1\x85h\2\x89" + "C\4" + "abcdtq\3", "h\1)Rh\3" + std::string("b"));
  const std::string many = "B" + std::string("\x40\x42\x0f\0", 4).replace(0, 4, std::string("\x80\x1a\6\0", 4));
  visit_list(
      "arrays of numpy of one text",
      array + "(K\1" + "J" + std::string("\xa0\x86\1\0", 4) + "\x85h\2\x89" + many + std::string(400'000, 'a') + "tq\3",
      "h\1)Rh\3" + std::string("b"));
  visit_list("one text of bytes", many + std::string(400'000, 'a') + "q\1", "h\1");
  std::string tuples = "K\1K\2\x86q\1", different;
  for (char i = 2; i < 60; ++i) {
    tuples += std::string("h") + static_cast<char>(i - 1) + 'h' + static_cast<char>(i - 1) + "\x86q" + i;
  }
  visit("a pickle of keys that are tuples of tuples",
        torch_file_with("\x80\2(" + tuples + "1}" + repeated(std::string("h") + '\x3b' + "Ns") + "."));
  for (int i = 0; different.size() < kBytes; ++i) {
    different += std::string("M") + static_cast<char>(i) + static_cast<char>(i >> 8) + "h\1h\1h\1\x87\x86Ns";
  }
  visit("a pickle of keys that are tuples",
        torch_file_with("\x80\2(" + text(std::string(100, 'x')) + "q\1" + "1}" + different + "."));
}

void visit_torch_files(const Visit& visit) {
  visit_torch_objects(visit);
  visit("a pickle that unfolds", torch_file_with(unfolding_pickle()));
  for (int opcode = 0; opcode < 256; ++opcode) {
    const std::string repeated(kBytes, static_cast<char>(opcode));
    visit("a pickle of opcode " + std::to_string(opcode), torch_file_with("\x80\x02" + repeated + '.'));
    visit("a pickle of opcode " + std::to_string(opcode) + " and lists",
          torch_file_with("\x80\x02](" + repeated + std::string(1000, ']') + "e."));
  }
  std::vector<std::pair<std::string, std::string>> entries{{"data.pkl", "\x80\x02}."}, {"version", "3"}};
  for (std::size_t i = 0; entries.size() < kBytes / 140; ++i) {
    const std::string name = colliding_key(i);
    if (name.find_first_of(std::string("/\\\0", 3)) == std::string::npos) entries.emplace_back(name, "");
  }
  visit("a zip of names of one hash", zip_of(entries));
  List tensors(kBytes / 100, Value(zeros({1})));
  for (Value& tensor : tensors) tensor = Value(zeros({1}));
  std::ostringstream torch, safetensors;
  save({{"a", tensors}}, torch, {.format = FileFormat::pytorch});
  visit("a PyTorch file of small tensors", torch.str());
  Dict dict;
  for (std::size_t i = 0; i < kBytes / 80; ++i) dict.insert(std::to_string(i), tensors[0]);
  save(dict, safetensors, {.format = FileFormat::safetensors});
  visit("a safetensors file of small tensors", safetensors.str());
  const std::string json = "{\"a\":" + std::string(kBytes, '[');
  const std::uint64_t length = json.size();
  visit("a safetensors file of deep lists", std::string(reinterpret_cast<const char*>(&length), 8) + json);
}

std::string number(std::uint64_t value, std::size_t bytes) {
  return std::string(reinterpret_cast<const char*>(&value), bytes);
}

/// A zip with one entry, deflated, of which so many bytes are said to come out.
std::string zip_of_packed(const std::string& name, const std::string& packed, std::uint64_t bytes) {
  const std::string fields = number(8, 2) + number(0, 4) + number(1, 4) + number(packed.size(), 4) + number(bytes, 4) +
                             number(name.size(), 2) + number(0, 2);
  const std::string head = "PK\x03\x04" + number(20, 2) + number(0, 2) + fields + name + packed;
  const std::string directory =
      "PK\x01\x02" + number(20, 2) + number(20, 2) + number(0, 2) + fields + std::string(14, '\0') + name;
  return head + directory + "PK\x05\x06" + number(0, 4) + number(1, 2) + number(1, 2) + number(directory.size(), 4) +
         number(head.size(), 4) + number(0, 2);
}

std::string repeated(const std::string& text, std::size_t bytes) {
  std::string result;
  while (result.size() < bytes) result += text;
  return result;
}

void visit_numpy_files(const Visit& visit) {
  Dict arrays;
  for (std::size_t i = 0; i < kBytes / 400; ++i) arrays.insert(std::to_string(i), ones({1}));
  std::ostringstream npz;
  save(arrays, npz, {.format = FileFormat::npz});
  visit("arrays of NumPy", npz.str());
  for (const std::string& header : {std::string(60'000, ' '), "{'descr': '" + std::string(60'000, 'x'),
                                    "{'shape': (" + repeated("1,", 60'000), repeated("{", 60'000)}) {
    visit("a header of NumPy", std::string("\x93NUMPY\1\0", 8) + number(header.size(), 2) + header);
  }
  // What inflating costs most: blocks that give nothing, stored, with everybody's codes and with codes of their own;
  // and the most bytes from the fewest: the byte before, 258 times.
  const std::string stored("\0\0\0\xff\xff", 5);
  const std::string fixed("\x02\x08\x20\x80\x00", 5);
  const std::string own("\x04\xc0\x81\x00\x00\x00\x00\x00\x90\xff\x6b\x10\x00\x07\x02\x00\x00\x00\x00\x40\xfe\xaf\x41"
                        "\x00\x1c\x08\x00\x00\x00\x00\x00\xf9\xbf\x06\x01\x70\x20\x00\x00\x00\x00\x00\xe4\xff\x1a",
                        45);
  const std::string start("\x4b\x1c\x05\xa3\x60\x14\x8c\x82\x51\x30\x0a\x46\xc1\x28", 14),
      run("\x18\x05\xa3\x60\x14\x8c\x82\x51\x30\x0a\x46\xc1\x28", 13);
  const std::uint64_t most = 16 * kBytes + 16 * 1024 * 1024;
  for (const bool is_numpy : {false, true}) {
    const auto visit_packed = [&](const std::string& what, const std::string& packed, std::uint64_t bytes) {
      const std::string name = is_numpy ? "a.npy" : "x/version";
      visit(name + " of " + what, zip_of_packed(name, packed, bytes));
    };
    visit_packed("empty blocks", repeated(stored, kBytes), 900);
    visit_packed("empty blocks of fixed codes", repeated(fixed, kBytes), 900);
    visit_packed("empty blocks of own codes", repeated(own, kBytes), 900);
    visit_packed("runs", start + repeated(run, kBytes), most);
  }
}

}  // namespace

void for_each_hostile_file(const std::string& corpus, const Visit& visit) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus)) {
    if (entry.is_regular_file()) visit(entry.path().filename().string(), read_file(entry.path().string()));
  }
  visit_dicts(visit);
  visit_models(visit);
  visit_torch_files(visit);
  visit_numpy_files(visit);
  visit_onnx_files(visit);
}

}  // namespace teff::reliability
