// SPDX-License-Identifier: MIT
#include "engine/composed_functions.h"

#include "teff/engine/ops.h"

namespace teff {
namespace {

using VolumeInputs = std::vector<Tensor>;

Pair pair_of(const Dict& a, const char* name) {
  const IntList list = a.at(name).as_int_list();
  return {list[0], list[1]};
}
Triple triple_of(const Dict& a, const char* name) {
  const IntList list = a.at(name).as_int_list();
  return {list[0], list[1], list[2]};
}
std::int64_t number_of(const Dict& a, const char* name) { return a.at(name).as_int(); }
double float_of(const Dict& a, const char* name) { return a.at(name).as_float(); }
bool flag_of(const Dict& a, const char* name) { return a.at(name).as_bool(); }
Tensor third(const VolumeInputs& x, std::size_t i = 2) { return x.size() > i ? x[i] : Tensor(); }
Reduction reduction_of(const Dict& a) {
  Reduction result{};
  from_string(a.at("reduction").as_text(), result);
  return result;
}
TensorList both(const ValuesAndIndices& pair) { return {pair.values, pair.indices}; }

void add_convolutions(std::map<std::string, ComposedFunction>& functions) {
  functions["conv3d"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {conv3d(x[0], x[1], third(x),
                   {.stride = triple_of(a, "stride"),
                    .padding = triple_of(a, "padding"),
                    .dilation = triple_of(a, "dilation"),
                    .groups = number_of(a, "groups")})};
  };
  functions["conv_transpose3d"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {conv_transpose3d(x[0], x[1], third(x),
                             {.stride = triple_of(a, "stride"),
                              .padding = triple_of(a, "padding"),
                              .output_padding = triple_of(a, "output_padding"),
                              .groups = number_of(a, "groups"),
                              .dilation = triple_of(a, "dilation")})};
  };
  functions["conv_transpose1d"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {conv_transpose1d(x[0], x[1], third(x),
                             {.stride = number_of(a, "stride"),
                              .padding = number_of(a, "padding"),
                              .output_padding = number_of(a, "output_padding"),
                              .groups = number_of(a, "groups"),
                              .dilation = number_of(a, "dilation")})};
  };
}

void add_pools(std::map<std::string, ComposedFunction>& functions) {
  functions["max_pool3d"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {max_pool3d(x[0], triple_of(a, "kernel_size"),
                       {.stride = triple_of(a, "stride"),
                        .padding = triple_of(a, "padding"),
                        .dilation = triple_of(a, "dilation"),
                        .ceil_mode = flag_of(a, "ceil_mode")})};
  };
  functions["avg_pool3d"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    AvgPool3dFuncOptions options{.stride = triple_of(a, "stride"),
                                 .padding = triple_of(a, "padding"),
                                 .ceil_mode = flag_of(a, "ceil_mode"),
                                 .count_include_pad = flag_of(a, "count_include_pad")};
    if (!a.at("divisor_override").is_none()) options.divisor_override = number_of(a, "divisor_override");
    return {avg_pool3d(x[0], triple_of(a, "kernel_size"), options)};
  };
  functions["max_pool1d"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {max_pool1d(x[0], number_of(a, "kernel_size"),
                       {.stride = number_of(a, "stride"),
                        .padding = number_of(a, "padding"),
                        .dilation = number_of(a, "dilation"),
                        .ceil_mode = flag_of(a, "ceil_mode")})};
  };
  functions["avg_pool1d"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {avg_pool1d(x[0], number_of(a, "kernel_size"),
                       {.stride = number_of(a, "stride"),
                        .padding = number_of(a, "padding"),
                        .ceil_mode = flag_of(a, "ceil_mode"),
                        .count_include_pad = flag_of(a, "count_include_pad")})};
  };
  functions["adaptive_avg_pool3d"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {adaptive_avg_pool3d(x[0], triple_of(a, "output_size"))};
  };
  functions["adaptive_max_pool3d"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {adaptive_max_pool3d(x[0], triple_of(a, "output_size"))};
  };
  functions["adaptive_avg_pool1d"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {adaptive_avg_pool1d(x[0], number_of(a, "output_size"))};
  };
  functions["adaptive_max_pool1d"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {adaptive_max_pool1d(x[0], number_of(a, "output_size"))};
  };
  functions["fractional_max_pool2d"] = [](const VolumeInputs& x, const Dict& a) {
    return both(fractional_max_pool2d_with_indices(x[0], pair_of(a, "kernel_size"), pair_of(a, "output_size"), x[1]));
  };
  functions["lp_pool2d"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {lp_pool2d(x[0], float_of(a, "norm_type"), pair_of(a, "kernel_size"), pair_of(a, "stride"))};
  };
  functions["lp_pool1d"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {lp_pool1d(x[0], float_of(a, "norm_type"), number_of(a, "kernel_size"))};
  };
}

ScaleFactor scale_of(const Tensor& factors) {
  const double* f = factors.data<double>();
  return factors.numel() == 1   ? ScaleFactor(f[0])
         : factors.numel() == 2 ? ScaleFactor(f[0], f[1])
                                : ScaleFactor(f[0], f[1], f[2]);
}

ImageSize size_of(const IntList& s) {
  return s.size() == 1 ? ImageSize(s[0]) : s.size() == 2 ? ImageSize(s[0], s[1]) : ImageSize(s[0], s[1], s[2]);
}

void add_resizing(std::map<std::string, ComposedFunction>& functions) {
  functions["resize"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    InterpolateOptions options{.align_corners = flag_of(a, "align_corners")};
    from_string(a.at("mode").as_text(), options.mode);
    if (const Value* size = a.find("size")) options.size = size_of(size->as_int_list());
    if (const Value* scale = a.find("scale")) options.scale_factor = scale_of(scale->as_tensor());
    return {interpolate(x[0], options)};
  };
}

void add_norms(std::map<std::string, ComposedFunction>& functions) {
  functions["local_response_norm"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {local_response_norm(x[0], number_of(a, "size"),
                                {.alpha = float_of(a, "alpha"), .beta = float_of(a, "beta"), .k = float_of(a, "k")})};
  };
  functions["channel_shuffle"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {channel_shuffle(x[0], number_of(a, "groups"))};
  };
  functions["instance_norm_of_images"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {instance_norm(x[0], {}, {}, x[1], x[2], {.eps = float_of(a, "eps")})};
  };
  functions["bilinear"] = [](const VolumeInputs& x, const Dict&) -> TensorList {
    return {bilinear(x[0], x[1], x[2], x[3])};
  };
  functions["rms_norm"] = [](const VolumeInputs& x, const Dict&) -> TensorList {
    return {rms_norm(x[0], {2, 4}, x[1], 1e-5)};
  };
}

void add_losses(std::map<std::string, ComposedFunction>& functions) {
  functions["margin_ranking_loss"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {margin_ranking_loss(x[0], x[1], x[2], float_of(a, "margin"), reduction_of(a))};
  };
  functions["hinge_embedding_loss"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {hinge_embedding_loss(x[0], x[1], float_of(a, "margin"), reduction_of(a))};
  };
  functions["cosine_embedding_loss"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {cosine_embedding_loss(x[0], x[1], x[2], float_of(a, "margin"), reduction_of(a))};
  };
  functions["soft_margin_loss"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {soft_margin_loss(x[0], x[1], reduction_of(a))};
  };
  functions["multilabel_soft_margin_loss"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {multilabel_soft_margin_loss(x[0], x[1], third(x), reduction_of(a))};
  };
  functions["multi_margin_loss_function"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {multi_margin_loss(x[0], x[1],
                              {.p = static_cast<int>(number_of(a, "p")),
                               .margin = float_of(a, "margin"),
                               .weight = third(x),
                               .reduction = reduction_of(a)})};
  };
  functions["multilabel_margin_loss"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {multilabel_margin_loss(x[0], x[1], reduction_of(a))};
  };
  functions["poisson_nll_loss"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {poisson_nll_loss(
        x[0], x[1], {.log_input = flag_of(a, "log_input"), .full = flag_of(a, "full"), .reduction = reduction_of(a)})};
  };
  functions["gaussian_nll_loss"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {gaussian_nll_loss(x[0], x[1], x[2], {.full = flag_of(a, "full"), .reduction = reduction_of(a)})};
  };
  functions["ctc_loss_of_logits"] = [](const VolumeInputs& x, const Dict& a) -> TensorList {
    return {ctc_loss(
        log_softmax(x[0], -1), x[1], x[2], x[3],
        {.blank = number_of(a, "blank"), .reduction = reduction_of(a), .zero_infinity = flag_of(a, "zero_infinity")})};
  };
}

}  // namespace

const std::map<std::string, ComposedFunction>& functions_of_volumes() {
  static const std::map<std::string, ComposedFunction> functions = [] {
    std::map<std::string, ComposedFunction> result;
    add_convolutions(result);
    add_pools(result);
    add_resizing(result);
    add_norms(result);
    add_losses(result);
    return result;
  }();
  return functions;
}

}  // namespace teff
