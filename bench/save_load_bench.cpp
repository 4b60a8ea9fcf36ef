// SPDX-License-Identifier: MIT
// Saving and loading: 256 MB in 64 matrices, and the recipe's Net. Bytes/s are those of the tensors, so that
// a mapped load, which touches nothing, shows what it saves. Files go to the folder for temporary files, and
// are not flushed to the disk.

#include <filesystem>

#include "bench/bench.h"
#include "examples/models/net.h"

using namespace teff;

namespace {

/// A path in the folder for temporary files; what is there goes with it.
struct TemporaryFile {
  std::string path;
  explicit TemporaryFile(const char* name) : path((std::filesystem::temp_directory_path() / name).string()) {}
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
};

Dict big() {
  Dict dict;
  for (int i = 0; i < 64; ++i) dict.insert(std::to_string(i), randn({1024, 1024}));
  return dict;
}

Dict small() { return Net().state_dict(); }

std::int64_t bytes_of(const Dict& dict) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : dict) bytes += value.as_tensor().nbytes();
  return static_cast<std::int64_t>(bytes);
}

void save_dict(benchmark::State& state, Dict (*make)()) {
  const TemporaryFile file("teff_save_bench.teff");
  const Dict dict = make();
  for (auto _ : state) save(dict, file.path, {.durable = false});
  state.SetBytesProcessed(state.iterations() * bytes_of(dict));
}

void load_dict(benchmark::State& state, Dict (*make)(), const LoadOptions& options) {
  const TemporaryFile file("teff_load_bench.teff");
  const Dict dict = make();
  save(dict, file.path, {.durable = false});
  for (auto _ : state) benchmark::DoNotOptimize(load(file.path, options).size());
  state.SetBytesProcessed(state.iterations() * bytes_of(dict));
}

void save_net(benchmark::State& state) {
  const TemporaryFile file("teff_save_model_bench.teff");
  Net net;
  const Tensor images = randn({4, 3, 32, 32});
  for (auto _ : state) save_model(net, images, file.path, {.durable = false});
  state.SetBytesProcessed(state.iterations() * bytes_of(net.state_dict()));
}

void load_net(benchmark::State& state) {
  const TemporaryFile file("teff_load_model_bench.teff");
  Net net;
  save_model(net, randn({4, 3, 32, 32}), file.path, {.durable = false});
  for (auto _ : state) benchmark::DoNotOptimize(load_model(file.path).is_training());
  state.SetBytesProcessed(state.iterations() * bytes_of(net.state_dict()));
}

}  // namespace

void bench::register_all() {
  const auto ms = benchmark::kMillisecond;
  const auto us = benchmark::kMicrosecond;
  add("save/256MB", [](benchmark::State& state) { save_dict(state, big); })->Unit(ms);
  add("load/256MB", [](benchmark::State& state) { load_dict(state, big, {}); })->Unit(ms);
  add("load_unverified/256MB", [](benchmark::State& state) {
    load_dict(state, big, {.verify = false});
  })->Unit(ms);
  add("load_mapped/256MB", [](benchmark::State& state) {
    load_dict(state, big, {.verify = false, .mmap = true});
  })->Unit(ms);
  add("save/net_state_dict", [](benchmark::State& state) { save_dict(state, small); })->Unit(us);
  add("load/net_state_dict", [](benchmark::State& state) { load_dict(state, small, {}); })->Unit(us);
  add("save_model/net", save_net)->Unit(us);
  add("load_model/net", load_net)->Unit(us);
}
