// SPDX-License-Identifier: MIT
// Models whose files list free sizes (feature 1 of FORMAT.md).
#include <sstream>

#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"

using namespace teff;
using namespace teff::testing;

namespace {

constexpr std::size_t kFeatures = 16;  // where the preamble has them

/// Takes any image.
struct Blur : nn::Module {
  nn::Conv2d conv{1, 1, 3, {.padding = 1}};
  TEFF_MODULE(Blur, conv)
  Tensor forward(const Tensor& x) override { return conv(x); }
};

/// Takes the images that it was captured with.
struct Mean : nn::Module {
  nn::Conv2d conv{1, 2, 3};
  TEFF_MODULE(Mean, conv)
  Tensor forward(const Tensor& x) override {
    const Tensor h = conv(x);
    return h.sum({2, 3}) / static_cast<double>(h.size(2) * h.size(3));
  }
};

std::string with_features(std::string file, std::uint64_t features) {
  file.replace(kFeatures, 8, word(features));
  return model_refusal(repaired(file));
}

/// What the file is refused with when the free sizes, the last part of its header, are others of the same length.
std::string with_free_sizes(const std::string& file, const std::string& old_list, const std::string& list) {
  const std::size_t header = word_at(file, 24), end = 64 + header;
  REQUIRE(file.substr(end - old_list.size(), old_list.size()) == old_list);
  std::string changed = file;
  changed.replace(end - old_list.size(), old_list.size(), list);
  return model_refusal(repaired(changed));
}

}  // namespace

TEST_CASE("a file names feature 1 if other sizes than the batch are free, and else is what it was") {
  Blur blur;
  Mean mean;
  const std::string free = saved_model(blur, ones({2, 1, 8, 8})), fixed = saved_model(mean, ones({2, 1, 8, 8}));
  REQUIRE(word_at(free, kFeatures) == 2);
  REQUIRE(word_at(fixed, kFeatures) == 0);
  CHECK(with_features(free, 2) == "loaded");
  CHECK(contains(with_features(fixed, 2), "the 0 bytes that are left"));  // no list follows
  CHECK(contains(with_features(free, 0), "expected the end of the header, got "));
}

TEST_CASE("free sizes that are no dimensions of inputs are refused") {
  Blur blur;
  const std::string file = saved_model(blur, ones({2, 1, 8, 8}));
  const auto one = [](std::uint64_t input, std::uint64_t dim, std::uint64_t least = 1) {
    return word(least) + word(1) + word(input) + word(dim);
  };
  const std::string good = word(3) + one(0, 0, 0) + one(0, 2) + one(0, 3);
  const auto refusal = [&](const std::string& list) { return with_free_sizes(file, good, list); };
  const std::string rule = "expected as a free size dimensions of inputs, each once, of one size, got dimension ";
  CHECK(refusal(good) == "loaded");
  CHECK(refusal(word(3) + one(0, 0, 2) + one(0, 2, 8) + one(0, 3, 0)) == "loaded");
  CHECK(contains(refusal(word(3) + one(0, 0) + one(0, 2, 9) + one(0, 3)),
                 "expected the least of a free size from 0 to the captured 8, got 9"));
  CHECK(contains(refusal(word(3) + one(0, 0) + one(0, 2, ~0ULL) + one(0, 3)), "to the captured 8, got -1"));
  CHECK(contains(refusal(word(3) + one(0, 0) + one(0, 2) + one(0, 4)), rule + "4 of input 0"));
  CHECK(contains(refusal(word(3) + one(0, 0) + one(0, 2) + one(1, 0)), rule + "0 of input 1"));
  CHECK(contains(refusal(word(3) + one(0, 0) + one(0, 2) + one(0, 2)), rule + "2 of input 0"));
  CHECK(contains(refusal(word(3) + one(0, 0) + one(0, 2) + one(~0ULL, 0)), rule));
  CHECK(contains(refusal(word(3) + one(0, 0) + one(0, 2) + one(0, ~0ULL)), rule));
  CHECK(contains(refusal(word(0) + good.substr(8)), "expected the end of the header, got 96 more bytes"));
  CHECK(contains(refusal(word(1ULL << 40) + good.substr(8)), "bytes that are left"));
}

TEST_CASE("a loaded model refuses sizes that it was not captured for, as the record does") {
  Mean mean;
  std::stringstream stream;
  save_model(mean, ones({2, 1, 8, 8}), stream);
  nn::GraphModule loaded = load_model(stream, {.self_test = true});
  const std::string text = "graph: expected as \"input\" float32 [-1, 1, 8, 8], where -1 is any size, got float32 [2, "
                           "1, 16, 16]; it was not "
                           "captured for others";
  CHECK(error_of<ShapeError>([&] { loaded(ones({2, 1, 16, 16})); }) == text);
  loaded.eval();
  CHECK(error_of<ShapeError>([&] { nn::InferenceSession(loaded, {{2, 1, 16, 16}}); }) == text);
  std::ostringstream again;
  CHECK(error_of<ShapeError>([&] { save_model(loaded, ones({2, 1, 16, 16}), again); }) == text);
}

TEST_CASE("the self-test has two rows of the batch, wherever it is") {
  struct State : nn::Module {
    nn::Linear fc{4, 6};
    TEFF_MODULE(State, fc)
    std::vector<Tensor> forward_many(std::span<const Tensor> x) override { return {fc(x[0]) + x[1].select(0, 0)}; }
  } net;
  std::stringstream stream;
  save_model(net, {ones({5, 4}), ones({1, 5, 6})}, stream);
  nn::GraphModule loaded = load_model(stream, {.self_test = true});
  CHECK(loaded.inputs()[1].type.shape == Shape{-1, -1, 6});
  CHECK(loaded({ones({3, 4}), ones({1, 3, 6})})[0].shape() == Shape{3, 6});
  CHECK(error_of<ShapeError>([&] {
          loaded({ones({3, 4}), ones({1, 2, 6})});
        }) == "graph: expected one size for dimension 0 of \"input\" and dimension 1 of \"input_1\", got 3 and 2");
}
