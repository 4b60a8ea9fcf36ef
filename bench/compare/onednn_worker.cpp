// SPDX-License-Identifier: MIT
// The worker of oneDNN 2: single convolutions. The library chooses the layout of images, weights and results,
// and changing to and from it is not counted, as inside a network. Usage: onednn_worker; OMP_NUM_THREADS sets
// the threads.

#include <oneapi/dnnl/dnnl.hpp>

#include <memory>

#include "worker.h"

using namespace dnnl;
using compare::ConvShape;
using compare::Values;
using tag = memory::format_tag;

namespace {

const engine kEngine(engine::kind::cpu, 0);

memory::desc any(const memory::dims& dims) { return {dims, memory::data_type::f32, tag::any}; }

void reorder_now(memory& from, memory& to) {
  stream queue(kEngine);
  reorder(from, to).execute(queue, from, to);
  queue.wait();
}

// Memory in the plain layout `layout`, filled with the pattern and brought to the layout `wanted`.
memory pattern(const memory::dims& dims, tag layout, const memory::desc& wanted, float scale = 1) {
  memory plain({dims, memory::data_type::f32, layout}, kEngine), result(wanted, kEngine);
  std::int64_t count = 1;
  for (auto size : dims) count *= size;
  compare::fill_pattern(static_cast<float*>(plain.get_data_handle()), count, scale);
  reorder_now(plain, result);
  return result;
}

Values values(memory& from, const memory::dims& dims, tag layout) {
  memory plain({dims, memory::data_type::f32, layout}, kEngine);
  reorder_now(from, plain);
  return compare::first_values(static_cast<float*>(plain.get_data_handle()), 8);
}

struct Sizes {
  memory::dims images, weights, bias, result, strides, padding;
  explicit Sizes(const ConvShape& s)
      : images{s.batch, s.channels, s.size, s.size},
        weights{s.out, s.channels, s.kernel, s.kernel},
        bias{s.out},
        result{s.batch, s.out, s.side(), s.side()},
        strides{s.stride, s.stride},
        padding{s.padding(), s.padding()} {}
};

/// A convolution ready to run, with its memory.
struct Forward {
  convolution_forward::primitive_desc desc;
  memory images, weights, bias, result;

  Forward(const Sizes& s, prop_kind kind)
      : desc({kind, algorithm::convolution_auto, any(s.images), any(s.weights), any(s.bias), any(s.result), s.strides,
              s.padding, s.padding},
             kEngine),
        images(pattern(s.images, tag::nchw, desc.src_desc())),
        weights(pattern(s.weights, tag::oihw, desc.weights_desc(), compare::kWeightScale)),
        bias(pattern(s.bias, tag::x, desc.bias_desc(), compare::kWeightScale)),
        result(desc.dst_desc(), kEngine) {}

  void run(stream& queue) {
    convolution_forward(desc).execute(
        queue, {{DNNL_ARG_SRC, images}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_BIAS, bias}, {DNNL_ARG_DST, result}});
  }
};

compare::Work forward(const ConvShape& shape) {
  const Sizes s(shape);
  auto conv = std::make_shared<Forward>(s, prop_kind::forward_inference);
  auto queue = std::make_shared<stream>(kEngine);
  return {[=] { conv->run(*queue), queue->wait(); }, [=] { return values(conv->result, s.result, tag::nchw); }};
}

/// Forward and the gradients of images, weights and bias.
struct Both : Forward {
  convolution_backward_data::primitive_desc images_desc;
  convolution_backward_weights::primitive_desc weights_desc;
  memory grad_for_images, weights_for_images, grad_images, images_for_weights, grad_for_weights, grad_weights,
      grad_bias;

  explicit Both(const Sizes& s)
      : Forward(s, prop_kind::forward_training),
        images_desc({algorithm::convolution_auto, any(s.images), any(s.weights), any(s.result), s.strides, s.padding,
                     s.padding},
                    kEngine, desc),
        weights_desc({algorithm::convolution_auto, any(s.images), any(s.weights), any(s.bias), any(s.result), s.strides,
                      s.padding, s.padding},
                     kEngine, desc),
        grad_for_images(pattern(s.result, tag::nchw, images_desc.diff_dst_desc())),
        weights_for_images(pattern(s.weights, tag::oihw, images_desc.weights_desc(), compare::kWeightScale)),
        grad_images(images_desc.diff_src_desc(), kEngine),
        images_for_weights(pattern(s.images, tag::nchw, weights_desc.src_desc())),
        grad_for_weights(pattern(s.result, tag::nchw, weights_desc.diff_dst_desc())),
        grad_weights(weights_desc.diff_weights_desc(), kEngine),
        grad_bias(weights_desc.diff_bias_desc(), kEngine) {}

  void run_all(stream& queue) {
    run(queue);
    convolution_backward_data(images_desc)
        .execute(queue, {{DNNL_ARG_DIFF_DST, grad_for_images},
                         {DNNL_ARG_WEIGHTS, weights_for_images},
                         {DNNL_ARG_DIFF_SRC, grad_images}});
    convolution_backward_weights(weights_desc)
        .execute(queue, {{DNNL_ARG_SRC, images_for_weights},
                         {DNNL_ARG_DIFF_DST, grad_for_weights},
                         {DNNL_ARG_DIFF_WEIGHTS, grad_weights},
                         {DNNL_ARG_DIFF_BIAS, grad_bias}});
    queue.wait();
  }
};

compare::Work both(const ConvShape& shape) {
  const Sizes s(shape);
  auto conv = std::make_shared<Both>(s);
  auto queue = std::make_shared<stream>(kEngine);
  return {[=] { conv->run_all(*queue); }, [=] { return values(conv->grad_weights, s.weights, tag::oihw); }};
}

compare::Work make(const compare::Request& r) {
  if (r.kind() == "conv_forward") return forward(ConvShape(r));
  if (r.kind() == "conv_both") return both(ConvShape(r));
  return {};
}

}  // namespace

int main() {
  const version_t* v = dnnl_version();
  return compare::serve(std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch),
                        make);
}
