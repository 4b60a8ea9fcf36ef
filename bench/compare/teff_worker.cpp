// SPDX-License-Identifier: MIT
// Teff's worker. Usage: teff_worker THREADS [session]; with `session` inference goes through
// nn::InferenceSession. Files are written to the working directory.

#include <atomic>
#include <memory>
#include <thread>

#include <teff/teff.h>

#include "bench/compare/worker.h"
#include "examples/models/zoo.h"

using namespace teff;
using compare::ConvShape;
using compare::Request;
using compare::Work;

namespace {

bool use_session = false;

/// With PyTorch's weights from manual_seed(0).
std::shared_ptr<nn::Module> make_model(const std::string& name) {
  manual_seed(0);
  return models::make_model(name);
}

Tensor pattern(const Shape& shape, float scale = 1) {
  Tensor result = empty(shape);
  compare::fill_pattern(result.data<float>(), result.numel(), scale);
  return result;
}

compare::Values values(const Tensor& tensor) { return compare::first_values(tensor.data<float>(), tensor.numel()); }

// A work's result, kept until the next run so that its values can be asked for.
Work work_of(std::function<Tensor()> compute) {
  auto last = std::make_shared<Tensor>();
  return {[=] { *last = compute(); }, [=] { return values(*last); }};
}

Work infer(std::shared_ptr<nn::Module> module, const Tensor& images) {
  module->eval();
  if (use_session) {
    const std::initializer_list<Shape> shapes = {images.shape()};
    auto session = std::make_shared<nn::InferenceSession>(nn::capture(*module, images), shapes);
    return work_of([=] { return session->run(images); });
  }
  return work_of([=] {
    const NoGradGuard no_grad;
    return (*module)(images);
  });
}

// infer/<model>/<batch>/<channels>/<size>
Work infer_model(const Request& r) {
  return infer(make_model(r.text(1)), pattern({r.number(2), r.number(3), r.number(4), r.number(4)}));
}

// step/<model>/<batch>/<channels>/<size>: SGD with momentum. The first result is the first loss.
Work step(const Request& r) {
  auto model = make_model(r.text(1));
  const Tensor images = pattern({r.number(2), r.number(3), r.number(4), r.number(4)});
  const Tensor labels = arange(r.number(2));
  for (auto& label : labels.span<std::int64_t>()) label %= 10;
  auto optimizer = std::make_shared<optim::SGD>(model->parameters(), optim::SGDOptions{.lr = 0.001, .momentum = 0.9});
  return work_of([=] {
    optimizer->zero_grad();
    Tensor loss = cross_entropy((*model)(images), labels);
    loss.backward();
    optimizer->step();
    return loss;
  });
}

std::shared_ptr<nn::Conv2d> make_conv(const ConvShape& s) {
  auto conv = std::make_shared<nn::Conv2d>(s.channels, s.out, s.kernel,
                                           nn::Conv2dOptions{.stride = s.stride, .padding = s.padding()});
  for (const Tensor& parameter : conv->parameters()) {
    compare::fill_pattern(parameter.data<float>(), parameter.numel(), compare::kWeightScale);
  }
  return conv;
}

Work conv_forward(const ConvShape& s) { return infer(make_conv(s), pattern({s.batch, s.channels, s.size, s.size})); }

// Forward and all three gradients. The result is the weights' gradient.
Work conv_both(const ConvShape& s) {
  auto conv = make_conv(s);
  const Tensor images = pattern({s.batch, s.channels, s.size, s.size});
  images.requires_grad_();
  const Tensor grad = pattern({s.batch, s.out, s.side(), s.side()});
  return work_of([=] {
    conv->zero_grad();
    images.set_grad({});
    (*conv)(images).backward(grad);
    return conv->parameters().front().grad();
  });
}

Work product(const Request& r) {
  const Tensor a = pattern({r.number(1), r.number(2)}), b = pattern({r.number(2), r.number(3)});
  return work_of([=] {
    const NoGradGuard no_grad;
    return matmul(a, b);
  });
}

/// Values in no order that a sort could use, few of them equal.
Tensor scattered(std::int64_t count, std::int64_t limit) {
  const Tensor x = empty({count}, {.dtype = DType::int64});
  for (std::int64_t i = 0; i < count; ++i) x.data<std::int64_t>()[i] = i * 7919 % limit;
  return x;
}

// sort/<count>, topk/<count>/<k>: one row
Work order(const Request& r) {
  const Tensor x = scattered(r.number(1), 1000003).to(DType::float32);
  const std::int64_t k = r.kind() == "topk" ? r.number(2) : 0;
  return work_of([=] {
    const NoGradGuard no_grad;
    return k > 0 ? topk(x, k).values : sort(x).values;
  });
}

// gather/<rows>/<columns>: along the rows
Work gather_work(const Request& r) {
  const Tensor x = pattern({r.number(1), r.number(2)});
  const Tensor index = scattered(x.numel(), r.number(2)).view(x.shape());
  return work_of([=] {
    const NoGradGuard no_grad;
    return gather(x, 1, index);
  });
}

// einsum/<batch>/<heads>/<positions>/<size>: what attention multiplies first
Work einsum_work(const Request& r) {
  const Shape shape{r.number(1), r.number(2), r.number(3), r.number(4)};
  const Tensor q = pattern(shape), k = pattern(shape);
  return work_of([=] {
    const NoGradGuard no_grad;
    return einsum("bhid,bhjd->bhij", {q, k});
  });
}

// lstm_<what>/<batch>/<steps>/<size>, the size of the input and of the state. The result of `both` is the gradient of
// the first weight.
Work lstm(const Request& r, bool both) {
  auto layer = std::make_shared<nn::LSTM>(r.number(3), r.number(3));
  for (const Tensor& parameter : layer->parameters()) {
    compare::fill_pattern(parameter.data<float>(), parameter.numel(), compare::kWeightScale);
  }
  const Tensor x = pattern({r.number(2), r.number(1), r.number(3)});
  if (!both) return infer(std::make_shared<nn::Sequential>(*layer), x);  // the output alone
  const Tensor grad = pattern(x.shape());
  x.requires_grad_();
  return work_of([=] {
    layer->zero_grad();
    x.set_grad({});
    (*layer)(x).output.backward(grad);
    return layer->layers[0].weight_ih.grad();
  });
}

// attention_<what>/<heads>/<positions>/<size>. The result of `both` is the gradient of the queries.
Work attention(const Request& r, bool both) {
  const Shape shape{1, r.number(1), r.number(2), r.number(3)};
  const Tensor q = pattern(shape, 0.5f), k = pattern(shape), v = pattern(shape), grad = pattern(shape);
  for (const Tensor& x : {q, k, v}) x.requires_grad_(both);
  return work_of([=] {
    for (const Tensor& x : {q, k, v}) x.set_grad({});
    const Tensor y = scaled_dot_product_attention(q, k, v);
    if (!both) return y;
    y.backward(grad);
    return q.grad();
  });
}

/// round_trips/<count>: messages between two threads, there and back. Says how far the cores are from each other.
Work round_trips(int count) {
  const auto run = [count] {
    std::atomic<int> there = 0, back = 0;
    std::thread other([&] {
      for (int i = 1; i <= count; ++i) {
        while (there.load(std::memory_order_acquire) != i) continue;
        back.store(i, std::memory_order_release);
      }
    });
    for (int i = 1; i <= count; ++i) {
      there.store(i, std::memory_order_release);
      while (back.load(std::memory_order_acquire) != i) continue;
    }
    other.join();
  };
  return {run, [] { return compare::Values(); }};
}

Dict matrices() {
  Dict dict;
  for (int i = 0; i < 64; ++i) {
    std::string key = std::to_string(i);
    dict.insert(key.insert(0, 1, 'w'), pattern({1024, 1024}, static_cast<float>(i + 1)));
  }
  return dict;
}

/// Not the file of PyTorch's worker.
std::string file_of(const Request& r) { return "big_of_teff." + r.text(1); }

Work save_file(const Request& r) {
  auto dict = std::make_shared<Dict>(matrices());
  const std::string path = file_of(r);
  return {[=] { save(*dict, path, {.durable = false}); }, [=] { return values(load(path).at("w63").as_tensor()); }};
}

Work load_file(const Request& r, const LoadOptions& options) {
  const std::string path = file_of(r);
  save(matrices(), path, {.durable = false});
  return work_of([=] { return load(path, options).at("w63").as_tensor(); });
}

Work make(const Request& r) {
  const std::string& kind = r.kind();
  if (kind == "infer") return infer_model(r);
  if (kind == "conv_forward") return conv_forward(ConvShape(r));
  if (kind == "lstm_forward") return lstm(r, false);
  if (use_session) return {};
  if (kind == "lstm_both") return lstm(r, true);
  if (kind == "attention_forward") return attention(r, false);
  if (kind == "attention_both") return attention(r, true);
  if (kind == "step") return step(r);
  if (kind == "conv_both") return conv_both(ConvShape(r));
  if (kind == "matmul") return product(r);
  if (kind == "sort" || kind == "topk") return order(r);
  if (kind == "gather") return gather_work(r);
  if (kind == "einsum") return einsum_work(r);
  if (kind == "round_trips") return round_trips(static_cast<int>(r.number(1)));
  if (kind == "save") return save_file(r);
  if (kind == "load") return load_file(r, {});
  if (kind == "load_mapped") return load_file(r, {.verify = false, .mmap = true});
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  set_num_threads(argc > 1 ? std::stoi(argv[1]) : 1);
  use_session = argc > 2;
  return compare::serve(TEFF_VERSION, make);
}
