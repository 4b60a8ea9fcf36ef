// SPDX-License-Identifier: MIT
// Which sizes of a captured module's inputs are free: at every size the record gives what the module gives, or refuses.
#include "nn/graph/captured_sizes.h"
#include "teff/engine/image_ops.h"
#include "teff/engine/testing.h"

using namespace teff;
using namespace teff::nn_testing;

namespace {

const std::vector<Shape> kImages = {{2, 3, 8, 8},  {1, 3, 8, 8},  {3, 3, 12, 12},
                                    {5, 3, 9, 13}, {2, 3, 16, 7}, {1, 3, 31, 5}};

/// The module, captured on images of 8 x 8, at other sizes: as it says itself, or refused.
void check_images(Forward::One forward, const Shape& port) {
  manual_seed(0);
  Forward module(std::move(forward));
  nn::GraphModule graph = nn::capture(module, rand({2, 3, 8, 8}));
  CHECK(inputs_of(graph) == std::vector<Shape>{port});
  for (const Shape& shape : kImages) {
    CAPTURE(shape);
    const std::string result = compare(module, graph, shape);
    const bool fits = std::equal(port.begin(), port.end(), shape.begin(),
                                 [](auto size, auto other) { return size == -1 || size == other; });
    const bool expected = fits ? result == "same" || result == "neither" : result == "refused" || result == "neither";
    CHECK_MESSAGE(expected, result);
  }
}

Tensor resize_like(const Tensor& x, const Tensor& other) {
  return interpolate(x, {.size = Pair{other.size(2), other.size(3)}, .mode = InterpolateMode::bilinear});
}

}  // namespace

TEST_CASE("a fully convolutional network runs at every size, odd ones and those that it resizes to included") {
  struct Pyramid : nn::Module {
    nn::Conv2d a{3, 4, 3, {.padding = 1}}, b{4, 8, 3, {.stride = 2, .padding = 1}},
        c{8, 8, 3, {.stride = 2, .padding = 1}};
    nn::Conv2d d{16, 4, 1}, e{8, 2, 1};
    nn::BatchNorm2d bn{8};
    TEFF_MODULE(Pyramid, a, b, c, d, e, bn)
    Tensor forward(const Tensor& x) override {
      const Tensor u = relu(a(x)), v = relu(bn(b(u))), w = relu(c(v));
      const Tensor y = d(cat({v, resize_like(w, v)}, 1));
      return e(cat({u, resize_like(y, u)}, 1));
    }
  } net;
  manual_seed(0);
  nn::GraphModule graph = nn::capture(net, rand({1, 3, 16, 24}));
  CHECK(inputs_of(graph) == std::vector<Shape>{{-1, 3, -1, -1}});
  CHECK(graph.outputs()[0].type.shape == Shape{-1, 2, -1, -1});
  net.eval();
  graph.eval();
  const NoGradGuard no_grad;
  for (const Shape& shape : {Shape{1, 3, 16, 24}, {3, 3, 31, 45}, {2, 3, 5, 3}, {1, 3, 33, 64}}) {
    const Tensor x = rand(shape), expected = net(x);
    CHECK(same_bits(graph(x), expected));
    nn::InferenceSession session(graph, {shape});
    assert_close(session.run(x), expected, {.rtol = 1e-4, .atol = 1e-5});
  }
  CHECK(testing::contains(printed(graph.graph()), "'size': [{'size': [0, 2]}, {'size': [0, 3]}]"));
  CHECK(testing::contains(printed(graph.graph()), "free %0[0], %0[2], %0[3]\nreturn"));
}

TEST_CASE("sizes below those at which forward does the same are refused") {
  const auto least = [](Forward::One forward, const Shape& captured) {
    Forward module(std::move(forward));
    nn::GraphModule graph = nn::capture(module, rand(captured));
    REQUIRE(graph.graph().free_sizes.size() == 4);
    const std::int64_t size = graph.graph().free_sizes[2].least;
    CHECK(compare(module, graph, Shape{2, 3, size, 8}) == "same");
    if (size == 1) return size;
    CHECK(compare(module, graph, Shape{2, 3, size - 1, 8}) == "refused");
    CHECK(error_of<ShapeError>([&] {
            graph(rand({2, 3, size - 1, 8}));
          }) == "graph: expected at least " + std::to_string(size) + " as dimension 2 of \"input\", got " +
                    std::to_string(size - 1) + "; it was not captured for less");
    return size;
  };
  CHECK(least([](const Tensor& x) { return relu(x); }, {2, 3, 32, 32}) == 1);
  CHECK(least([](const Tensor& x) { return x.size(2) < 6 ? relu(x) : tanh(x); }, {2, 3, 32, 32}) == 8);
  nn::Conv2d conv(3, 4, 3);  // throws below 3, and the graph does
  CHECK(nn::capture(conv, rand({2, 3, 32, 32})).graph().free_sizes[1].least == 1);
}

TEST_CASE("a size that would become negative where nobody saw that is refused") {
  Forward module([](const Tensor& x) { return slice(x, 2, std::max<std::int64_t>(0, x.size(2) - 4)) * 2.0; });
  nn::GraphModule graph = nn::capture(module, rand({2, 3, 8, 8}));
  CHECK(compare(module, graph, Shape{2, 3, 4, 8}) == "same");
  CHECK(error_of<ValueError>([&] {
          graph(rand({2, 3, 3, 8}));
        }) == "graph: expected an attribute that follows a size not to be negative, got -1 for [2, 3, 3, 8]");
}

TEST_CASE("a network that needs multiples of a size is free, and throws where it throws itself") {
  Forward module([](const Tensor& x) {
    const Tensor y = max_pool2d(max_pool2d(x, 2), 2);
    return cat({x, interpolate(y, {.scale_factor = 4.0})}, 1);
  });
  nn::GraphModule graph = nn::capture(module, rand({1, 3, 16, 8}));
  CHECK(inputs_of(graph) == std::vector<Shape>{{-1, -1, -1, -1}});
  CHECK(compare(module, graph, Shape{3, 3, 12, 20}) == "same");
  CHECK(compare(module, graph, Shape{3, 3, 13, 20}) == "neither");
}

TEST_CASE("a power of whole numbers has no size of its own") {
  for (const int exponent : {0, 1, 2, 5}) {
    check_images([=](const Tensor& x) { return pow(to(x * 9, DType::int64), exponent); }, {-1, -1, -1, -1});
  }
}

TEST_CASE("sizes that follow height and width are kept as such") {
  const Shape any{-1, -1, -1, -1};
  check_images([](const Tensor& x) { return x.view({x.size(0), x.size(1), x.size(2) * x.size(3)}).sum(2); }, any);
  check_images([](const Tensor& x) { return x.view({-1, x.size(1) * x.size(2) * x.size(3)}) * 2.0; }, any);
  check_images([](const Tensor& x) { return flatten(x, 1) * 2.0; }, any);
  check_images([](const Tensor& x) { return slice(x, 3, 0, x.size(3) / 2) * 2.0; }, any);
  check_images([](const Tensor& x) { return slice(x, 2, x.size(2) - 2) * 2.0; }, any);
  check_images([](const Tensor& x) { return slice(x, 2, (x.size(2) + 1) / 2) * 2.0; }, any);
  check_images([](const Tensor& x) { return interpolate(x, {.size = Pair{2 * x.size(2), x.size(3) + 3}}); }, any);
  check_images([](const Tensor& x) { return interpolate(x, {.size = Pair{x.size(3), x.size(2)}}); }, any);
  check_images([](const Tensor& x) { return x + expand(x.mean({2, 3}, true), x.shape()); }, any);
  check_images([](const Tensor& x) { return adaptive_avg_pool2d(x, Pair(x.size(2) / 2, 1)); }, any);
  check_images([](const Tensor& x) { return slice(x, 2, (x.size(2) - 4) / 2, (x.size(2) + 4) / 2) * 2.0; }, any);
  check_images([](const Tensor& x) { return x.select(3, x.size(3) - 1); }, any);
  check_images(  // pixel shuffle backwards: even sizes only
      [](const Tensor& x) {
        const std::int64_t n = x.size(0), c = x.size(1), h = x.size(2) / 2, w = x.size(3) / 2;
        return x.view({n, c, h, 2, w, 2}).permute({0, 1, 3, 5, 2, 4}).reshape({n, 4 * c, h, w});
      },
      any);
}

TEST_CASE("a height or width that forward computes with stays as captured, and others are refused") {
  const Shape fixed{-1, -1, 8, 8};
  check_images([](const Tensor& x) { return x.sum({2, 3}) / static_cast<double>(x.size(2) * x.size(3)); }, fixed);
  check_images([](const Tensor& x) { return x * (1.0 / static_cast<double>(x.size(3))); }, {-1, -1, -1, 8});
  check_images([](const Tensor& x) { return x.size(2) > 10 ? relu(x) : tanh(x); }, {-1, -1, 8, -1});
  check_images([](const Tensor& x) { return x.size(2) < 8 ? relu(x) : tanh(x); }, {-1, -1, 8, -1});
  check_images([](const Tensor& x) { return x + arange(x.size(3)).to(DType::float32); }, {-1, -1, -1, 8});
  check_images(
      [](const Tensor& x) {
        return x * (arange(x.size(2)) < 4).to(DType::float32).view({-1, 1});
      },
      {-1, -1, 8, -1});
  check_images([](const Tensor& x) { return x + full({1}, static_cast<double>(x.size(2))); }, {-1, -1, 8, -1});
  check_images([](const Tensor& x) { return pad(x, {0, (4 - x.size(3) % 4) % 4}); }, {-1, -1, -1, 8});
  check_images([](const Tensor& x) { return split(x, 4, 2)[0] * 2.0; }, {-1, -1, 8, -1});
  check_images(
      [](const Tensor& x) {
        return interpolate(x, {.size = Pair{std::min<std::int64_t>(x.size(2), 9), 4}});
      },
      {-1, -1, 8, -1});
  check_images(
      [](const Tensor& x) {
        if (x.size(3) % 4 != 0) throw ValueError("expected a width of 4, 8, ...");
        return relu(x);
      },
      {-1, -1, -1, 8});
}

TEST_CASE("rows that a larger image would add are no batch") {
  struct Flat : nn::Module {
    nn::Linear fc{48, 2};
    TEFF_MODULE(Flat, fc)
    Tensor forward(const Tensor& x) override { return fc(x.view({-1, 48})); }
  } flat;
  nn::GraphModule graph = nn::capture(flat, rand({2, 3, 4, 4}));
  CHECK(inputs_of(graph) == std::vector<Shape>{{-1, 3, 4, 4}});
  CHECK(compare(flat, graph, Shape{1, 3, 8, 4}) == "refused");
}

TEST_CASE("the recipe's network takes any batch and images of 32 x 32") {
  Net net;
  nn::GraphModule graph = nn::capture(net, rand({4, 3, 32, 32}));
  CHECK(graph.inputs()[0].type.shape == Shape{-1, 3, 32, 32});
  CHECK(graph.graph().free_sizes.empty());  // as in files of before
  CHECK(compare(net, graph, Shape{7, 3, 32, 32}) == "same");
  for (const Shape& shape : {Shape{1, 3, 33, 33}, {5, 3, 36, 32}, {1, 3, 64, 64}, {1, 1, 32, 32}, {3, 32, 32}}) {
    CHECK(error_of<ShapeError>([&] { graph(rand(shape)); }) ==
          "graph: expected as \"input\" float32 [-1, 3, 32, 32], where -1 is any size, got float32 " +
              to_string(shape) + "; it was not captured for others");
    CHECK(error_of<ShapeError>([&] { nn::InferenceSession(graph, {shape}); }) ==
          error_of<ShapeError>([&] { graph(rand(shape)); }));
  }
  CHECK_THROWS_AS(graph(rand({1, 3, 32, 32}).to(DType::float64)), TypeError);
}

TEST_CASE("a square that must be one is free as one size") {
  Forward module([](const Tensor& x) { return x + x.transpose(1, 2); });
  nn::GraphModule graph = nn::capture(module, rand({2, 8, 8}));
  CHECK(graph.graph().free_sizes == std::vector<FreeSize>{{{{0, 0}}}, {{{0, 1}, {0, 2}}, 1}});
  CHECK(compare(module, graph, Shape{3, 5, 5}) == "same");
  CHECK(error_of<ShapeError>([&] {
          graph(rand({3, 5, 6}));
        }) == "graph: expected one size for dimension 1 of \"input\" and dimension 2 of \"input\", got 5 and 6");
}

TEST_CASE("a forward that compares height and width takes squares, if it was given one") {
  Forward module([](const Tensor& x) { return x.size(2) > x.size(3) ? relu(x) : tanh(x); });
  nn::GraphModule graph = nn::capture(module, rand({2, 3, 8, 8}));
  CHECK(compare(module, graph, Shape{1, 3, 12, 12}) == "same");
  CHECK(compare(module, graph, Shape{1, 3, 12, 8}) == "refused");
  graph = nn::capture(module, rand({2, 3, 8, 6}));
  CHECK(inputs_of(graph) == std::vector<Shape>{{-1, -1, 8, 6}});
}

TEST_CASE("lengths of sequences are free, with tables and masks, up to where the module takes them") {
  struct Positions : nn::Module {
    nn::Parameter table{rand({16, 4})};
    nn::Linear fc{4, 4};
    TEFF_MODULE(Positions, table, fc)
    Tensor forward(const Tensor& x) override {
      const Tensor y = fc(x + slice(table, 0, 0, x.size(1)));
      return softmax(y.matmul(y.transpose(1, 2)), 2).matmul(y);
    }
  } positions;
  for (const std::int64_t captured_at : {6, 16}) {
    CAPTURE(captured_at);
    nn::GraphModule graph = nn::capture(positions, rand({2, captured_at, 4}));
    CHECK(inputs_of(graph) == std::vector<Shape>{{-1, -1, 4}});
    for (const std::int64_t length : {1, 5, 6, 16}) CHECK(compare(positions, graph, Shape{3, length, 4}) == "same");
    CHECK(compare(positions, graph, Shape{3, 17, 4}) == "neither");
  }
  struct Unrolled : nn::Module {
    nn::Linear fc{4, 4};
    TEFF_MODULE(Unrolled, fc)
    Tensor forward(const Tensor& x) override {
      Tensor h = x.select(1, 0);
      for (std::int64_t i = 1; i < x.size(1); ++i) h = tanh(fc(h) + x.select(1, i));
      return h;
    }
  } unrolled;
  nn::GraphModule graph = nn::capture(unrolled, rand({2, 5, 4}));
  CHECK(inputs_of(graph) == std::vector<Shape>{{-1, 5, 4}});
  CHECK(compare(unrolled, graph, Shape{3, 5, 4}) == "same");
  CHECK(compare(unrolled, graph, Shape{3, 6, 4}) == "refused");
  nn::Conv1d conv(3, 4, 3);
  graph = nn::capture(conv, rand({2, 3, 9}));
  CHECK(inputs_of(graph) == std::vector<Shape>{{-1, 3, -1}});
  CHECK(compare(conv, graph, Shape{1, 3, 20}) == "same");
}

TEST_CASE("inputs that must have one size are free together, and said to be") {
  struct Case {
    const char* what;
    Forward::Many forward;
    std::vector<Shape> captured, port, fits, misfits;
  };
  const Tensor w = rand({6, 4});
  const Case cases[] = {
      {"two batches",
       [](std::span<const Tensor> x) { return Inputs{x[0] * 2.0 + x[1]}; },
       {{3, 4}, {3, 4}},
       {{-1, -1}, {-1, -1}},
       {{5, 7}, {5, 7}},
       {{5, 4}, {1, 4}}},
      {"image and mask",
       [](std::span<const Tensor> x) { return Inputs{x[0] * x[1]}; },
       {{2, 3, 8, 6}, {2, 1, 8, 6}},
       {{-1, -1, -1, -1}, {-1, 1, -1, -1}},
       {{5, 3, 9, 7}, {5, 1, 9, 7}},
       {{5, 3, 9, 7}, {5, 1, 9, 1}}},
      {"two lengths",
       [](std::span<const Tensor> x) {
         return Inputs{cat({x[0], x[1]}, 1)};
       },
       {{2, 5, 4}, {2, 5, 4}},
       {{-1, -1, -1}, {-1, -1, -1}},
       {{3, 2, 4}, {3, 9, 4}},
       {}},
      {"a state whose batch is dimension 1",
       [&](std::span<const Tensor> x) { return Inputs{tanh(linear(x[0], w) + x[1].select(0, 0))}; },
       {{3, 4}, {1, 3, 6}},
       {{-1, 4}, {-1, -1, 6}},
       {{5, 4}, {1, 5, 6}},
       {{5, 4}, {1, 1, 6}}},
      {"two layers of it, as many as rows",
       [&](std::span<const Tensor> x) { return Inputs{tanh(linear(x[0], w) + x[1].select(0, 0) + x[1].select(0, 1))}; },
       {{2, 4}, {2, 2, 6}},
       {{-1, 4}, {-1, -1, 6}},
       {{5, 4}, {2, 5, 6}},
       {}},
      {"attention with a mask",
       [](std::span<const Tensor> x) { return Inputs{softmax(x[0].matmul(x[0].transpose(1, 2)) + x[1], 2)}; },
       {{2, 5, 4}, {5, 5}},
       {{-1, -1, -1}, {-1, -1}},
       {{3, 7, 4}, {7, 7}},
       {{3, 7, 4}, {1, 7}}},
      {"one resized to the other",
       [](std::span<const Tensor> x) { return Inputs{resize_like(x[0], x[1]) + x[1]}; },
       {{2, 3, 4, 4}, {2, 3, 8, 8}},
       {{-1, -1, -1, -1}, {-1, -1, -1, -1}},
       {{1, 3, 5, 6}, {1, 3, 9, 2}},
       {}},
      {"features that are as many as rows",
       [](std::span<const Tensor> x) { return Inputs{x[0] + x[1]}; },
       {{3, 3}, {3}},
       {{-1, -1}, {-1}},
       {{5, 4}, {4}},
       {{5, 4}, {1}}},
      {"prototypes that are as many as rows",
       [](std::span<const Tensor> x) { return Inputs{x[0].matmul(x[1].transpose(0, 1))}; },
       {{5, 4}, {5, 4}},
       {{-1, -1}, {-1, -1}},
       {{2, 3}, {7, 3}},
       {}},
      {"a first input without dimensions",
       [](std::span<const Tensor> x) { return Inputs{x[0] * x[1]}; },
       {{}, {2, 5}},
       {{}, {-1, -1}},
       {{}, {3, 7}},
       {}},
      {"no batch at dimension 0",
       [](std::span<const Tensor> x) {
         const Tensor q = x[0].permute({1, 0, 2});
         return Inputs{softmax(q.matmul(q.transpose(1, 2)), 2).matmul(q).permute({1, 0, 2})};
       },
       {{7, 2, 4}},
       {{-1, -1, -1}},
       {{5, 3, 4}},
       {}}};
  for (const Case& one : cases) {
    CAPTURE(one.what);
    manual_seed(0);
    Forward module(one.forward);
    nn::GraphModule graph = nn::capture(module, random_inputs(one.captured));
    CHECK(inputs_of(graph) == one.port);
    CHECK(compare(module, graph, one.fits) == "same");
    if (!one.misfits.empty()) CHECK(compare(module, graph, one.misfits) == "refused");
  }
}

TEST_CASE("modules that hold a record take the sizes that the record takes") {
  struct Mean : nn::Module {
    nn::Conv2d conv{1, 2, 3};
    TEFF_MODULE(Mean, conv)
    Tensor forward(const Tensor& x) override {
      const Tensor h = conv(x);
      return h.sum({2, 3}) / static_cast<double>(h.size(2) * h.size(3));
    }
  } mean;
  struct Outer : nn::Module {
    nn::GraphModule inner;
    explicit Outer(nn::GraphModule graph) : inner(std::move(graph)) {}
    TEFF_MODULE(Outer, inner)
    Tensor forward(const Tensor& x) override { return inner(x) * 2.0; }
  } outer(nn::capture(mean, rand({2, 1, 8, 8})));
  nn::GraphModule graph = nn::capture(outer, rand({2, 1, 8, 8}));
  CHECK(graph.inputs()[0].type.shape == Shape{-1, 1, 8, 8});
  nn::Conv2d conv(1, 2, 3);
  Outer free(nn::capture(conv, rand({2, 1, 8, 8})));
  nn::GraphModule again = nn::capture(free, rand({2, 1, 8, 8}));
  CHECK(again.inputs()[0].type.shape == Shape{-1, 1, -1, -1});
  CHECK(compare(conv, free.inner, Shape{1, 1, 5, 9}) == "same");
}
