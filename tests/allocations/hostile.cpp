// SPDX-License-Identifier: MIT
// A program of its own, for it replaces operator new: a file must not make a reader take much more memory than the file
// itself, whatever it claims.

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "serialize/torch/zip_fixture.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

#include "teff/engine/allocator.h"

namespace {

std::atomic<std::size_t> in_use{0}, peak{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* pointer = std::aligned_alloc(alignment, std::max(rounded, alignment));
  if (pointer == nullptr) throw std::bad_alloc();
  const std::size_t now = in_use += ::malloc_usable_size(pointer);
  peak = std::max<std::size_t>(peak, now);
  return pointer;
}

void freed(void* pointer) {
  in_use -= ::malloc_usable_size(pointer);
  std::free(pointer);
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* pointer) noexcept { freed(pointer); }
void operator delete(void* pointer, std::size_t) noexcept { freed(pointer); }
void operator delete(void* pointer, std::align_val_t) noexcept { freed(pointer); }
void operator delete(void* pointer, std::size_t, std::align_val_t) noexcept { freed(pointer); }

namespace {

using namespace teff;
using namespace teff::testing;

constexpr std::size_t kSlack = 1 << 20;

/// The most memory that was in use at a time while the bytes were loaded, or refused.
std::size_t peak_of(const std::string& bytes, const LoadOptions& options = {}) {
  reset_peak_memory_stats();
  const std::size_t before = in_use, cached = memory_stats().bytes_in_use;
  peak = before;
  try {
    load_bytes(bytes, options);
  } catch (const FormatError&) {
  }
  return peak - before + memory_stats().peak_bytes_in_use - cached;
}

std::string repeated(const std::string& part, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += part;
  return all;
}

/// Each list holds the one before twice.
std::string doubling(int depth) {
  std::string bomb = "]q\x01";
  for (int i = 1; i < depth; ++i) {
    const std::string id(1, static_cast<char>(i)), next(1, static_cast<char>(i + 1));
    bomb += "](h" + id + "h" + id + "eq" + next;
  }
  return bomb;
}

}  // namespace

TEST_CASE("a pickle that unfolds, or claims more than there is, takes at most 16 times its size") {
  const std::string huge = "\x8a\x08" + word(std::uint64_t{1} << 40);
  const std::string zero("K\0\x85", 3);
  for (const std::string& pickle :
       {"(" + doubling(60) + "t", "(" + doubling(100) + "t", repeated("]", 200'000), repeated("(", 1'000'000),
        repeated("]", 1'000'000), "](" + text(std::string(60'000, 'x')) + "q\x01" + repeated("h\x01", 10'000) + "e",
        global("collections", "OrderedDict") + "q\x02](" + repeated("K\x01K\x02\x86", 10'000) + "e\x85q\x03R" +
            repeated("h\x02h\x03R", 10'000),
        tensor_pickle({.numel = huge, .sizes = huge + "\x85"}),
        tensor_pickle({.sizes = huge + "\x85", .strides = zero}),
        global("torch", "Size") + repeated("q\x01)Rh\x01", 100'000)}) {
    for (const bool inert : {false, true}) {
      const std::string file = pt_of(kProto + dict(text("a") + pickle) + '.');
      CAPTURE(pickle.substr(0, 20));
      CAPTURE(file.size());
      CHECK(peak_of(file, {.inert_objects = inert}) <= 16 * file.size() + kSlack);
    }
  }
}

// One byte of a pickle can be a value, which takes 88 bytes in a List.
TEST_CASE("a pickle of many small values takes at most 128 times its size") {
  for (const std::string& pickle : {"](" + repeated("]", 100'000) + "e", "]" + repeated("]a", 500'000),
                                    "](" + repeated("K\x01", 200'000) + "e", repeated("]\x94", 500'000)}) {
    const std::string file = pt_of(kProto + dict(text("a") + pickle) + '.');
    CAPTURE(pickle.substr(0, 20));
    CHECK(peak_of(file) <= 128 * file.size() + kSlack);
  }
}

TEST_CASE("a zip file takes at most twice its size") {
  std::vector<ZipPart> parts{{"x/data.pkl", kProto + "}."}, {"x/version", "3"}};
  for (int i = 0; i < 20'000; ++i) parts.push_back({"x/data/" + std::to_string(i), ""});
  const std::string many = zip_of(parts);
  CHECK(peak_of(many) <= 2 * many.size() + kSlack);
  for (const ZipEnd& end : {ZipEnd{.entries = 0xfffe}, {.bytes = 0xfffffffe}, {.offset = 0}}) {
    const std::string lying = zip_of({{"x/data.pkl", kProto + "}."}, {"x/version", "3"}}, end);
    CHECK(peak_of(lying) <= 2 * lying.size() + kSlack);
  }
}

TEST_CASE("a .safetensors header takes at most 32 times its size") {
  const auto file_with = [](const std::string& json) { return word(json.size()) + json; };
  std::string entries;
  for (int i = 0; i < 20'000; ++i) {
    entries += (entries.empty() ? "{" : ",") + std::string("\"") + std::to_string(i) +
               R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  for (const std::string& file :
       {file_with(entries + '}'), file_with("{\"a\":{\"shape\":[" + repeated("1,", 1'000'000)),
        file_with("{\"" + std::string(1'000'000, 'x')), file_with("{" + repeated("\"__metadata__\":{", 100'000)),
        word(100'000'000) + "{\"a\":{\"dtype\":\"U8\",\"shape\":[100000000],\"data_offsets\":[0,100000000]}}"}) {
    CAPTURE(file.substr(8, 40));
    CHECK(peak_of(file) <= 32 * file.size() + kSlack);
  }
}
