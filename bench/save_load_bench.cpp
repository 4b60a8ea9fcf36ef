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

/// The checksums of all tensors, by this number of threads.
void verify_dict(benchmark::State& state, int threads) {
  const TemporaryFile path("teff_verify_bench.teff");
  const Dict dict = big();
  save(dict, path.path, {.durable = false});
  const int before = get_num_threads();
  set_num_threads(threads);
  const File file(path.path);
  for (auto _ : state) benchmark::DoNotOptimize(file.verify().size());
  set_num_threads(before);
  state.SetBytesProcessed(state.iterations() * bytes_of(dict));
}

/// One tensor of 4 MB among 64, verified, of a file that is opened each time.
void load_entry(benchmark::State& state) {
  const TemporaryFile path("teff_entry_bench.teff");
  save(big(), path.path, {.durable = false});
  for (auto _ : state) benchmark::DoNotOptimize(File(path.path).read("40").as_tensor().nbytes());
  state.SetBytesProcessed(state.iterations() * 1024 * 1024 * 4);
}

/// All names, types and places of a file of 256 MB.
void list_entries(benchmark::State& state) {
  const TemporaryFile path("teff_list_bench.teff");
  save(big(), path.path, {.durable = false});
  for (auto _ : state) benchmark::DoNotOptimize(File(path.path).entries().size());
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
  add("load_unverified/256MB", [](benchmark::State& state) { load_dict(state, big, {.verify = false}); })->Unit(ms);
  add("load_mapped/256MB", [](benchmark::State& state) {
    load_dict(state, big, {.verify = false, .mmap = true});
  })->Unit(ms);
  add("load_mapped_verified/256MB", [](benchmark::State& state) { load_dict(state, big, {.mmap = true}); })->Unit(ms);
  for (const int threads : {1, 2, 4}) {
    add("verify/256MB/threads:" + std::to_string(threads), [threads](benchmark::State& state) {
      verify_dict(state, threads);
    })->Unit(ms);
  }
  add("load_entry/4MB_of_256MB", load_entry)->Unit(us);
  add("list_entries/256MB", list_entries)->Unit(us);
  add("save/net_state_dict", [](benchmark::State& state) { save_dict(state, small); })->Unit(us);
  add("load/net_state_dict", [](benchmark::State& state) { load_dict(state, small, {}); })->Unit(us);
  add("save_model/net", save_net)->Unit(us);
  add("load_model/net", load_net)->Unit(us);
}
