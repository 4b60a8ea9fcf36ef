// SPDX-License-Identifier: MIT

// A program of its own, for it replaces operator new: memory that runs out at every allocation in turn, that is
// counted, and that must not grow. Usage: teff_reliability_memory CYCLES

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <new>
#include <sstream>

#include "examples/models/net.h"
#include "reliability/files.h"
#include "reliability/hostile_files.h"
#include "reliability/report.h"

namespace {

struct Memory {
  long live_blocks = 0;
  long live_bytes = 0;
  long peak_bytes = 0;
  long until_failure = 0;  // allocations; 0: none fails
  bool stays_out = false;  // all later ones fail, too
  bool failed = false;
};
Memory memory;

bool fails() {
  if (memory.until_failure == 0) return false;
  if (memory.until_failure > 1) {
    --memory.until_failure;
    return false;
  }
  memory.failed = true;
  if (!memory.stays_out) memory.until_failure = 0;
  return true;
}

void* take(std::size_t bytes, std::size_t alignment) noexcept {
  if (fails()) return nullptr;
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  void* pointer = std::aligned_alloc(alignment, rounded);
  if (pointer == nullptr) return nullptr;
  ++memory.live_blocks;
  memory.live_bytes += static_cast<long>(::malloc_usable_size(pointer));
  memory.peak_bytes = std::max(memory.peak_bytes, memory.live_bytes);
  return pointer;
}

void* take_or_throw(std::size_t bytes, std::size_t alignment) {
  if (void* pointer = take(bytes, alignment)) return pointer;
  throw std::bad_alloc();
}

void give_back(void* pointer) noexcept {
  if (pointer == nullptr) return;
  --memory.live_blocks;
  memory.live_bytes -= static_cast<long>(::malloc_usable_size(pointer));
  std::free(pointer);
}

}  // namespace

void* operator new(std::size_t bytes) { return take_or_throw(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return take_or_throw(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return take(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return take(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* pointer) noexcept { give_back(pointer); }
void operator delete(void* pointer, std::size_t) noexcept { give_back(pointer); }
void operator delete(void* pointer, std::align_val_t) noexcept { give_back(pointer); }
void operator delete(void* pointer, std::size_t, std::align_val_t) noexcept { give_back(pointer); }
void operator delete(void* pointer, const std::nothrow_t&) noexcept { give_back(pointer); }
void operator delete(void* pointer, std::align_val_t, const std::nothrow_t&) noexcept { give_back(pointer); }

namespace {

using namespace teff;
using namespace teff::reliability;
using teff::testing::TempFolder;

/// Runs the work with the n-th allocation failing, for each n until none fails. After each, `is_unchanged` must hold
/// and no block more than before be in use. Returns how many failed.
long run_out_of_memory(const std::string& name, bool stays_out, const std::function<void()>& work,
                       const std::function<bool()>& is_unchanged) {
  work();  // what is made once and kept
  for (long n = 1;; ++n) {
    empty_cache();  // tensors ask the system again
    const long before = memory.live_blocks;
    bool threw = false;
    memory.failed = false;
    memory.stays_out = stays_out;
    memory.until_failure = n;
    try {
      work();
    } catch (const std::bad_alloc&) {
      threw = true;
    } catch (const ResourceError&) {  // for values of tensors and for scratch memory
      threw = true;
    }
    memory.until_failure = 0;
    if (!memory.failed) return n - 1;
    empty_cache();
    const long leaked = memory.live_blocks - before;
    const std::string where = name + " with allocation " + std::to_string(n) + " failing";
    check(threw || !stays_out, "R17: std::bad_alloc or ResourceError in " + where);
    check(leaked == 0, "R17: no leak in " + where + ", got " + std::to_string(leaked) + " blocks more");
    if (threw) check(is_unchanged(), "R17: everything as it was after " + where);
  }
}

/// Tensors of its own.
Dict load_copy(const Dict& dict) {
  std::stringstream stream;
  save(dict, stream);
  return load(stream);
}

void test_no_memory() {
  const TempFolder folder;
  manual_seed(0);
  Net net, other;
  const Tensor images = randn({2, 3, 32, 32});
  const std::string dict = folder / "dict.teff", model = folder / "model.teff", target = folder / "target.teff";
  save(other.state_dict(), dict, {.durable = false});
  save_model(other, images, model, {.durable = false});
  save(version(1, 100), target, {.durable = false});
  optim::SGD optimizer(net.parameters(), {.lr = 0.1, .momentum = 0.9});
  const auto train = [&](Net& trained, optim::SGD& by) {
    by.zero_grad();
    cross_entropy(trained(images), tensor<std::int64_t>({1, 2})).backward();
    by.step();
  };
  train(net, optimizer);
  const Dict state = net.clone().state_dict(), other_state = other.clone().state_dict();
  const Dict steps = load_copy(optimizer.state_dict());
  Dict other_steps = steps;
  other_steps.at("param_groups").as_list()[0].as_dict().at("lr") = 0.5;
  const std::string old_bytes = read_file(target);
  const auto is_unchanged = [&] {
    return read_file(target) == old_bytes && count_files(folder.path()) == 3 && net.state_dict() == state &&
           optimizer.state_dict() == steps;
  };
  const auto restored = [&](const std::function<void()>& work) {
    return [&, work] {
      work();
      memory.until_failure = 0;
      write_file(target, old_bytes);
      net.load_state_dict(state);
      optimizer.load_state_dict(steps);
    };
  };
  const std::pair<std::string, std::function<void()>> works[] = {
      {"save", restored([&] { save(net.state_dict(), target, {.durable = false}); })},
      {"save_model", restored([&] { save_model(net, images, target, {.durable = false}); })},
      {"load", [&] { load(dict); }},
      {"load, mapped", [&] { load(dict, {.mmap = true}); }},
      {"load_model with its self-test", [&] { load_model(model, {.self_test = true}); }},
      {"load_state_dict", restored([&] { net.load_state_dict(other_state); })},
      {"load_state_dict of an optimiser", restored([&] { optimizer.load_state_dict(other_steps); })},
      {"construction of a network", [] { Net fresh; }},
      {"a training step",
       [&] {
         Net fresh = net.clone();
         optim::SGD another(fresh.parameters(), {.lr = 0.1, .momentum = 0.9});
         train(fresh, another);
       }},
  };
  long failed = 0;
  for (const auto& [name, work] : works) {
    for (const bool stays_out : {false, true}) failed += run_out_of_memory(name, stays_out, work, is_unchanged);
  }
  report("R17", "no memory at each allocation of save, load, save_model, load_model, construction, training",
         std::to_string(failed) + " failures: exception, no leak, file and network as they were");
}

bool is_loaded(const std::string& path) {
  try {
    load(path);
    return true;
  } catch (const Error&) {
  }
  try {
    load_model(path);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// The file that takes the most memory for each of its bytes.
struct Heaviest {
  const char* format;
  double limit;  // times the file
  long files = 0;
  double factor = 0;
  std::string name{};

  void add(const std::string& file, double times) {
    ++files;
    if (times <= factor) return;
    factor = times;
    name = file;
  }
  void finish() const {
    check(factor <= limit, std::string("R9: memory of ") + format + ", got " + std::to_string(factor) + " times");
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", factor);
    report("R9", std::string("peak memory of loads of ") + std::to_string(files) + " hostile " + format,
           std::string("at most ") + text + " times the file and 1 MiB (" + name + ")");
  }
};

/// Peak memory of loads, after the first MiB. What the limits allow is not elements of tensors but small values, each
/// of which takes a few bytes in a file and a whole Value in memory.
void test_peak_memory(const std::string& corpus) {
  constexpr double kMiB = 1 << 20;
  const TempFolder folder;
  const std::string path = folder / "hostile.teff";
  Heaviest pickles{"pickles", 48}, others{".teff and .safetensors files", 32};
  for_each_hostile_file(corpus, [&](const std::string& name, const std::string& bytes) {
    write_file(path, bytes);
    is_loaded(path);
    empty_cache();
    const long before = memory.peak_bytes = memory.live_bytes;
    is_loaded(path);
    const double peak = static_cast<double>(memory.peak_bytes - before);
    const double factor = std::max(0.0, peak - kMiB) / static_cast<double>(bytes.size());
    const bool is_pickle = bytes.starts_with("PK") || bytes.starts_with('\x80');
    (is_pickle ? pickles : others).add(name, factor);
  });
  others.finish();
  pickles.finish();
}

int next_descriptor() {
  const int descriptor = ::open("/dev/null", O_RDONLY);
  ::close(descriptor);
  return descriptor;
}

void test_soak(long cycles) {
  const TempFolder folder;
  const std::string path = folder / "soak.teff", broken = folder / "broken.teff";
  write_file(broken, "damaged");
  const Dict content = version(1, 100);
  const auto cycle = [&](long i) {
    save(content, path, {.durable = false});
    check(load(path, {.mmap = i % 2 == 0}) == content, "R30: the same values");
    if (i % 10 == 0) is_loaded(broken);
  };
  for (long i = 0; i < 100; ++i) cycle(i);
  empty_cache();
  const long blocks = memory.live_blocks, bytes = memory.live_bytes;
  const int descriptor = next_descriptor();
  for (long i = 0; i < cycles; ++i) cycle(i);
  empty_cache();
  const long more_blocks = memory.live_blocks - blocks, more_bytes = memory.live_bytes - bytes;
  check(more_blocks == 0 && more_bytes == 0, "R30: no growth in memory, got " + std::to_string(more_blocks) +
                                                 " blocks and " + std::to_string(more_bytes) + " bytes more");
  check(next_descriptor() == descriptor, "R30: no growth in descriptors");
  report("R30", "cycles of save and load", std::to_string(cycles) + " without growth in memory or descriptors");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s CORPUS CYCLES\n", argv[0]);
    return 2;
  }
  set_num_threads(1);
  test_no_memory();
  test_peak_memory(argv[1]);
  test_soak(std::atol(argv[2]));
  return failures == 0 ? 0 : 1;
}
