// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "support/temp_file.h"

using namespace teff;
using namespace teff::testing;

namespace {

class Diff {
 public:
  Diff(const Dict& a, const Dict& b, const SaveOptions& of_a = {}) {
    save(a, folder_ / "a.teff", of_a);
    save(b, folder_ / "b.teff");
  }
  Diff(nn::Module& a, nn::Module& b, const Tensor& input) {
    save_model(a, input, folder_ / "a.teff");
    save_model(b, input, folder_ / "b.teff");
  }
  Output run(const std::string& option = "") const {
    std::vector<std::string> arguments{"diff", "a.teff", "b.teff"};
    if (!option.empty()) arguments.push_back(option);
    const Output output = run_teff(arguments, folder_.path());
    CHECK(output.err == "");
    return output;
  }
  std::string text() const {
    const Output output = run();
    CHECK(output.code == (output.out.empty() ? 0 : 1));
    return output.out;
  }

 private:
  TempFolder folder_;
};

}  // namespace

TEST_CASE("equal files do not differ, whatever the order of their names") {
  const Dict a{{"x", ones({2})}, {"y", 1}}, b{{"y", 1}, {"x", ones({2})}};
  CHECK(Diff(a, b).text() == "");
  CHECK(Diff(a, b).run("--json").out == "{\n  \"equal\": true,\n  \"differences\": []\n}\n");
}

TEST_CASE("diff names keys, types, values and how far elements are apart") {
  const Dict a{{"w", tensor({1.f, 2.f, 3.f})}, {"shape", ones({2})}, {"old", zeros({1})}, {"epoch", 3},
               {"list", List{1, 2}},           {"same", ones({3})}};
  const Dict b{{"w", tensor({1.f, 2.5f, 2.f})},
               {"shape", ones({2, 1})},
               {"epoch", 4},
               {"list", List{1}},
               {"same", ones({3})},
               {"new", 0.5}};
  const Diff diff(a, b, {.metadata = {{"by", "me"}}});
  CHECK(diff.text() == "metadata by: only in the first: 'me'\n"
                       "w: 2 of 3 elements differ, by at most 1\n"
                       "shape: float32 [2] and float32 [2, 1]\n"
                       "old: only in the first: float32 [1]\n"
                       "epoch: 3 and 4\n"
                       "list[1]: only in the first: 2\n"
                       "new: only in the second: 0.5\n");
  const Output json = diff.run("--json");
  CHECK(json.code == 1);
  CHECK(contains(json.out, "\"part\": \"value\",\n      \"path\": \"w\",\n      \"difference\": \"2 of 3 elements"));
}

TEST_CASE("diff tells bits apart, NaN and -0 too") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(Diff({{"x", tensor({nan})}}, {{"x", tensor({nan})}}).text() == "");
  CHECK(Diff({{"x", tensor({0.f})}}, {{"x", tensor({-0.f})}}).text() == "x: 1 of 1 elements differ, by at most 0\n");
  CHECK(Diff({{"x", tensor({nan})}}, {{"x", tensor({1.f})}}).text() == "x: 1 of 1 elements differ, by at most inf\n");
  CHECK(Diff({{"x", tensor<int8_t>({1})}}, {{"x", tensor<int8_t>({-4})}}).text() ==
        "x: 1 of 1 elements differ, by at most 5\n");
}

TEST_CASE("models differ in state, graph, modules and mode") {
  manual_seed(0);
  const Tensor input = ones({1, 4});
  nn::Sequential a{nn::Linear(4, 4), nn::ReLU()}, b{nn::Linear(4, 4), nn::Sigmoid()};
  b.load_state_dict(a.state_dict());
  CHECK(Diff(a, a, input).text() == "");
  b.eval();
  CHECK(Diff(a, b, input).text() == "graph: one is in training mode\n"
                                    "graph: the modules are printed differently\n"
                                    "graph relu: only in the first: relu(%3) -> float32 [1, 4] in 1\n"
                                    "graph sigmoid: only in the second: sigmoid(%3) -> float32 [1, 4] in 1\n");
}

TEST_CASE("models differ in the results of their calls") {
  struct Pieces : nn::Module {
    TEFF_MODULE(Pieces)
    std::vector<std::int64_t> sizes;
    std::vector<Tensor> forward_many(std::span<const Tensor> x) override { return split(x[0], sizes, 1); }
  };
  Pieces a, b;
  a.sizes = {1, 3};
  b.sizes = {1, 2, 1};
  CHECK(Diff(a, a, ones({1, 4})).text() == "");
  CHECK(Diff(a, b, ones({1, 4})).text() ==
        "graph: the outputs are other nodes\n"
        "graph split_with_sizes: split_with_sizes(%0) {'sizes': [1, 3], 'dim': 1} -> float32 [1, 1] and "
        "split_with_sizes(%0) {'sizes': [1, 2, 1], 'dim': 1} -> float32 [1, 1]\n"
        "graph split_with_sizes_1: result(%1) -> float32 [1, 3] and result(%1) -> float32 [1, 2]\n"
        "graph split_with_sizes_2: only in the second: result(%1) -> float32 [1, 1]\n");
}

TEST_CASE("a model is compared with a state dict") {
  const TempFolder folder;
  TinyNet net;
  save_model(net, ones({1, 2}), folder / "m.teff");
  save(net.state_dict(), folder / "w.teff");
  const Output output = run_teff({"diff", "m.teff", "w.teff"}, folder.path());
  CHECK(output.code == 1);
  CHECK(output.out == "graph: only in the first\n");
}

TEST_CASE("a damaged file is not compared") {
  const TempFolder folder;
  save({{"x", ones({2})}}, folder / "a.teff");
  std::string bytes = read_file(folder / "a.teff");
  bytes.back() ^= 1;
  write_file(folder / "b.teff", bytes);
  const Output output = run_teff({"diff", "a.teff", "b.teff"}, folder.path());
  CHECK(output.code == 1);
  CHECK(output.err.starts_with("teff: b.teff: tensor \"x\" at offset "));
  CHECK(run_teff({"diff", "a.teff", "c.teff"}, folder.path()).code == 2);
}

TEST_CASE("diff --run names the first operation of two networks whose results depart") {
  manual_seed(3);
  nn::Sequential a{nn::Linear(3, 8), nn::ReLU(), nn::Linear(8, 8), nn::Tanh(), nn::Linear(8, 2)};
  nn::Sequential b = a.clone();
  const Tensor x = ones({2, 3});
  const Output equal = Diff(a, b, x).run("--run");
  CHECK(equal.code == 0);
  CHECK(equal.out == "5 of 5 operations correspond to one of the other network\n");

  const NoGradGuard no_grad;
  const Tensor weight = b.state_dict().at("2.weight").as_tensor();
  weight.copy_(weight * 1.5);
  const Output output = Diff(a, b, x).run("--run");
  CHECK(output.code == 1);
  CHECK(contains(output.out, "\nfirst operation that departs: linear 2 float32 [2, 8]: differ by at most "));
  CHECK(contains(output.out, "\noutput 0: differ by at most "));

  nn::Sequential c{nn::Linear(3, 8), nn::ReLU(), nn::Dropout(0.5), nn::Hardtanh(-1e9, 1e9),
                   nn::Linear(8, 8), nn::Tanh(), nn::Linear(8, 2)};  // more operations, and the same results
  Dict state;
  for (const auto& [from, to] : {std::pair("0.", "0."), {"2.", "4."}, {"4.", "6."}}) {
    for (const std::string kind : {"weight", "bias"}) state.insert(to + kind, a.state_dict().at(from + kind));
  }
  c.load_state_dict(state);
  const Output more = Diff(c, a, x).run("--run");
  CHECK(more.code == 0);
  CHECK(contains(more.out, "5 of "));
}
