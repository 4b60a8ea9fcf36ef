// SPDX-License-Identifier: MIT
#include "teff/nn/train/model_summary.h"

#include <doctest/doctest.h>

#include <sstream>

#include "support/error_of.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/profiler.h"
#include "teff/engine/random.h"
#include "teff/nn/nn.h"

using namespace teff;
using testing::error_of;

namespace {

struct SummaryNet : nn::Module {
  nn::Conv2d conv{3, 6, 5};
  nn::MaxPool2d pool{2, 2};
  nn::Parameter scale{ones({6, 1, 1})};
  nn::Sequential head{nn::Flatten(), nn::Dropout(), nn::Linear(6 * 5 * 5, 10)};
  TEFF_MODULE(SummaryNet, conv, pool, scale, head)
  Tensor forward(const Tensor& x) override { return head(pool(pool(relu(conv(x))) * scale)); }
};

}  // namespace

TEST_CASE("a summary has each call with its output, parameters and work, as a table") {
  SummaryNet net;
  net.conv.requires_grad_(false);
  net.head.eval();
  manual_seed(3);
  const nn::ModelSummary summary = nn::summary(net, {2, 3, 24, 24});
  const float drawn = rand({1}).item<float>();
  manual_seed(3);
  CHECK(drawn == rand({1}).item<float>());
  CHECK(net.is_training());
  CHECK(net.conv.is_training());
  CHECK_FALSE(net.head.is_training());
  CHECK(summary.parameters == 3 * 6 * 25 + 6 + 6 + 150 * 10 + 10);
  CHECK(summary.trainable_parameters == 6 + 1510);
  CHECK(summary.input_bytes == 2 * 3 * 24 * 24 * 4);
  CHECK(summary.parameter_bytes == 1972 * 4);
  CHECK(summary.output_bytes == 4 * 2 * (6 * 20 * 20 + 6 * 10 * 10 + 150 + 150 + 150 + 10));
  std::ostringstream text;
  text << summary;
  CHECK(text.str() == R"(Layer                Output          Parameters   FLOP
SummaryNet           [2, 10]                  6    6 k
  conv (Conv2d)      [2, 6, 20, 20]         456  720 k
  pool (MaxPool2d)   [2, 6, 10, 10]           -    6 k
  pool (MaxPool2d)   [2, 6, 5, 5]         again  again
  head (Sequential)  [2, 10]                  -      -
    0 (Flatten)      [2, 150]                 -    300
    1 (Dropout)      [2, 150]                 -    300
    2 (Linear)       [2, 10]              1 510    6 k
Parameters: 1 972, trainable 1 516
FLOP of a call: 739 k
Memory: parameters 7.7 KiB, inputs 13.5 KiB, outputs of layers 27 KiB
)");
}

TEST_CASE("a summary of several inputs, and what cannot be summed up") {
  nn::Bilinear layer(3, 4, 5);
  const nn::ModelSummary summary = nn::summary(layer, {ones({2, 3}), ones({2, 4})});
  REQUIRE(summary.layers.size() == 1);
  CHECK(summary.layers[0].outputs == std::vector<Shape>{{2, 5}});
  CHECK(summary.parameters == 3 * 4 * 5 + 5);
  CHECK(error_of<ValueError>([&] { nn::summary(layer, std::span<const Tensor>()); }) ==
        "summary: expected at least one input, got none");
  nn::Linear linear(3, 2);
  CHECK_THROWS_AS(nn::summary(linear, {2, 4}), ShapeError);
  CHECK(linear.is_training());
  CHECK(nn::summary(linear, {2, 3}).layers.size() == 1);
}
