// SPDX-License-Identifier: MIT

// Runs every target over its corpus, and over mutations of it that are the same each time.
// Usage: teff_fuzz_replay CORPUS MUTATIONS [TARGET [FILE [SEED]]]
// FILE gets each input before it is read, so that the one that ends the program can be looked at. Other seeds, other
// mutations.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz/target.h"
#include "teff/engine/parallel.h"

namespace fs = std::filesystem;
using namespace teff::fuzz;

namespace {

Bytes read_file(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// In the order of their names, so that every run is the same.
std::vector<Bytes> read_corpus(const fs::path& folder) {
  std::vector<fs::path> paths{fs::directory_iterator(folder), fs::directory_iterator()};
  std::sort(paths.begin(), paths.end());
  std::vector<Bytes> corpus;
  for (const fs::path& path : paths) corpus.push_back(read_file(path));
  return corpus;
}

/// One small change of any bytes.
void mutate(Bytes& bytes) {
  static Random random(1);
  const std::size_t place = bytes.empty() ? 0 : random() % bytes.size();
  const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(place);
  const auto byte = static_cast<std::uint8_t>(random());
  switch (random() % (bytes.empty() ? 1 : 4)) {
    case 0:
      bytes.insert(at, byte);
      break;
    case 1:
      bytes.erase(at);
      break;
    case 2:
      *at = byte;
      break;
    default:
      *at = static_cast<std::uint8_t>(*at ^ (1U << (random() % 8)));
      break;
  }
}

class Replay {
 public:
  Replay(const Target& target, const char* kept) : target_(target), kept_(kept) {}

  double slowest() const { return slowest_; }

  void run(const Bytes& bytes) {
    if (kept_ != nullptr) {
      std::ofstream(kept_, std::ios::binary)
          .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
    const std::clock_t begin = std::clock();
    target_.run(std::as_bytes(std::span(bytes)));
    slowest_ = std::max(slowest_, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }

  void run_mutations(const std::vector<Bytes>& corpus, long count, unsigned seed) {
    Random random(seed);
    for (long i = 0; i < count; ++i) {
      Bytes bytes = corpus[random() % corpus.size()];
      for (unsigned changes = 1 + random() % 3; changes > 0; --changes) {
        target_.mutate == nullptr ? mutate(bytes) : target_.mutate(bytes, random, mutate);
      }
      run(bytes);
    }
  }

 private:
  const Target& target_;
  const char* kept_;
  double slowest_ = 0;  // seconds of one core
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s CORPUS MUTATIONS [TARGET [FILE [SEED]]]\n", argv[0]);
    return 2;
  }
  const unsigned seed = argc > 5 ? static_cast<unsigned>(std::atol(argv[5])) : 1;
  teff::set_num_threads(1);
  for (const Target& target : targets()) {
    if (argc > 3 && target.name != argv[3]) continue;
    const long mutations = std::atol(argv[2]) / target.cost;
    const std::vector<Bytes> corpus = read_corpus(fs::path(argv[1]) / target.name);
    Replay replay(target, argc > 4 ? argv[4] : nullptr);
    for (const Bytes& bytes : corpus) replay.run(bytes);
    if (!corpus.empty()) replay.run_mutations(corpus, mutations, seed);
    std::printf("%s: %zu files, %ld mutations, at most %.3f s\n", std::string(target.name).c_str(), corpus.size(),
                mutations, replay.slowest());
    if (corpus.empty()) return 1;
  }
  return 0;
}
