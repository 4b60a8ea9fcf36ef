// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "support/error_of.h"
#include "support/same.h"
#include "teff/teff.h"

using namespace teff;
using namespace teff::testing;

namespace {

using Tensors = std::span<const Tensor>;

struct HookedNet : nn::Module {
  nn::Linear first{3, 4};
  nn::ReLU act;
  nn::Linear second{4, 2};
  TEFF_MODULE(HookedNet, first, act, second)
  Tensor forward(const Tensor& x) override { return second(act(first(x))); }
};

struct TwoInputs : nn::Module {
  TEFF_MODULE(TwoInputs)
  std::vector<Tensor> forward_many(Tensors inputs) override { return {inputs[0] + inputs[1], inputs[0]}; }
};

}  // namespace

TEST_SUITE("module_hooks") {
  TEST_CASE("a forward hook sees the module, its inputs and its outputs, until its guard goes") {
    HookedNet net;
    const Tensor x = randn({5, 3});
    std::vector<std::string> seen;
    Tensor kept;
    {
      const HookGuard guard = net.act.register_forward_hook([&](nn::Module& module, Tensors inputs, Tensors outputs) {
        seen.push_back(module.type_name());
        kept = outputs[0];
        CHECK(same(relu(inputs[0]), outputs[0]));
      });
      net(x);
    }
    net(x);
    CHECK(seen == std::vector<std::string>{"ReLU"});
    CHECK(same(kept, relu(net.first(x))));
  }

  TEST_CASE("what hooks return takes the place of inputs and outputs, one after the other") {
    HookedNet net;
    const Tensor x = randn({5, 3});
    const HookGuard before =
        net.act.register_forward_pre_hook([](nn::Module&, Tensors inputs) { return inputs[0] + 1.0; });
    const HookGuard twice =
        net.act.register_forward_hook([](nn::Module&, Tensors, Tensors outputs) { return outputs[0] * 2.0; });
    const HookGuard minus = net.act.register_forward_hook(
        [](nn::Module&, Tensors, Tensors outputs) { return std::vector<Tensor>{outputs[0] - 3.0}; });
    const HookGuard nothing = net.act.register_forward_hook([](nn::Module&, Tensors, Tensors) { return Tensor(); });
    CHECK(same(net(x), net.second(relu(net.first(x) + 1.0) * 2.0 - 3.0)));
  }

  TEST_CASE("gradients pass through what hooks compute") {
    HookedNet net;
    const HookGuard guard =
        net.register_forward_hook([](nn::Module&, Tensors, Tensors outputs) { return outputs[0] * 3.0; });
    net(ones({1, 3})).sum().backward();
    CHECK(same(net.second.bias.grad(), full({2}, 3.0)));
  }

  TEST_CASE("modules of several inputs and outputs have hooks, too") {
    TwoInputs net;
    const HookGuard before = net.register_forward_pre_hook([](nn::Module&, Tensors inputs) {
      return std::vector<Tensor>{inputs[1], inputs[0] * 2.0};
    });
    const HookGuard after = net.register_forward_hook([](nn::Module&, Tensors inputs, Tensors outputs) {
      return std::vector<Tensor>{outputs[0], inputs[1]};
    });
    const std::vector<Tensor> outputs = net({full({1}, 1.0), full({1}, 10.0)});
    CHECK(outputs[0].item<float>() == 12);
    CHECK(outputs[1].item<float>() == 2);
  }

  TEST_CASE("copies and clones have no hooks, and a module that moves takes them along") {
    HookedNet net;
    int calls = 0;
    HookGuard guard = net.register_forward_hook([&](nn::Module&, Tensors, Tensors) { ++calls; });
    HookedNet copy = net, clone = net.clone();
    copy(ones({1, 3}));
    clone(ones({1, 3}));
    CHECK(calls == 0);
    HookedNet moved = std::move(net);
    moved(ones({1, 3}));
    CHECK(calls == 1);
    guard.remove();
    moved(ones({1, 3}));
    CHECK(calls == 1);
  }

  TEST_CASE("a hook that is kept stays") {
    HookedNet net;
    int calls = 0;
    net.register_forward_hook([&](nn::Module&, Tensors, Tensors) { ++calls; }).keep();
    net(ones({1, 3}));
    CHECK(calls == 1);
  }

  TEST_CASE("capture takes what hooks compute, and nothing of hooks that look on") {
    HookedNet net;
    const Tensor x = randn({4, 3});
    nn::GraphModule plain = nn::capture(net, x);
    int calls = 0;
    const HookGuard looks = net.act.register_forward_hook([&](nn::Module&, Tensors, Tensors) { ++calls; });
    CHECK(nn::capture(net, x).graph().nodes.size() == plain.graph().nodes.size());
    CHECK(calls > 0);
    const HookGuard scales =
        net.act.register_forward_hook([](nn::Module&, Tensors, Tensors outputs) { return outputs[0] * 2.0; });
    nn::GraphModule graph = nn::capture(net, x);
    CHECK(graph.graph().nodes.size() == plain.graph().nodes.size() + 1);
    CHECK(same(graph(x), net(x)));
  }

  TEST_CASE("hooks of a loaded graph act on the whole of it") {
    HookedNet net;
    const Tensor x = randn({4, 3});
    nn::GraphModule graph = nn::capture(net, x);
    const HookGuard guard =
        graph.register_forward_hook([](nn::Module&, Tensors, Tensors outputs) { return outputs[0] + 1.0; });
    CHECK(same(graph(x), net(x) + 1.0));
  }

  TEST_CASE("hooks that leave a module of one result with several are refused") {
    HookedNet net;
    const HookGuard guard = net.register_forward_hook([](nn::Module&, Tensors, Tensors outputs) {
      return std::vector<Tensor>{outputs[0], outputs[0]};
    });
    CHECK(error_of<Error>([&] { net(ones({1, 3})); }) == "HookedNet: expected hooks that leave one output, got 2");
    CHECK(net({ones({1, 3})}).size() == 2);
  }

  TEST_CASE("a checkpointed block counts its batches once") {
    nn::Sequential block(nn::Linear(3, 4), nn::BatchNorm1d(4), nn::ReLU());
    const Tensor x = randn({5, 3}, {.requires_grad = true});
    checkpoint([&](const Tensor& value) { return block(value); }, x).sum().backward();
    CHECK(block.state_dict().at("1.num_batches_tracked").as_tensor().item<std::int64_t>() == 1);
    CHECK(x.grad().defined());
  }
}
