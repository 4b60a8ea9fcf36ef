// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/torch_layer_text.h"

#include <algorithm>
#include <array>
#include <optional>

#include "teff/nn/text.h"
#include "teff/serialize/torch/pickle_text.h"

namespace teff::serialize {
namespace {

/// {name} stands for the attribute, {name!r} for its repr, {@name} for whether there is such a parameter. [name:value]
/// stands for ", name={name}" unless the attribute is the value, or one of several: 0|0.0. 0* is any number of zeros.
struct LayerFormat {
  std::string_view layer;  // its name, or the beginning of it before a *
  std::string_view format;
};

constexpr std::string_view kConv =
    "{in_channels}, {out_channels}, kernel_size={kernel_size}, stride={stride}[padding:0*][dilation:1*]"
    "[output_padding:0*][groups:1][@bias:True][padding_mode:zeros]";
constexpr std::string_view kBatchNorm =
    "{num_features}, eps={eps}, momentum={momentum}, affine={affine}, track_running_stats={track_running_stats}";
constexpr std::string_view kPool = "kernel_size={kernel_size}, stride={stride}, padding={padding}";
constexpr std::string_view kRnn =
    "{input_size}, {hidden_size}[proj_size:0][num_layers:1][bias:True][batch_first:False][dropout:0|0.0]"
    "[bidirectional:False]";
constexpr std::string_view kCell = "{input_size}, {hidden_size}[bias:True][nonlinearity:tanh]";
constexpr std::string_view kNormalized = "{normalized_shape}, eps={eps}, elementwise_affine={elementwise_affine}";
constexpr std::string_view kResponse = "{size}, alpha={alpha}, beta={beta}, k={k}";
constexpr std::string_view kDropout = "p={p}, inplace={inplace}";
constexpr std::string_view kInPlace = "[inplace:False]";
constexpr std::string_view kAlpha = "alpha={alpha}[inplace:False]";

constexpr auto kFormats = std::to_array<LayerFormat>({
    {"Conv*", kConv},
    {"Linear", "in_features={in_features}, out_features={out_features}, bias={@bias}"},
    {"NonDynamicallyQuantizableLinear", "in_features={in_features}, out_features={out_features}, bias={@bias}"},
    {"Bilinear", "in1_features={in1_features}, in2_features={in2_features}, out_features={out_features}, bias={@bias}"},
    {"BatchNorm*", kBatchNorm},
    {"SyncBatchNorm", kBatchNorm},
    {"InstanceNorm*", kBatchNorm},
    {"LayerNorm", kNormalized},
    {"RMSNorm", kNormalized},
    {"GroupNorm", "{num_groups}, {num_channels}, eps={eps}, affine={affine}"},
    {"LocalResponseNorm", kResponse},
    {"CrossMapLRN2d", kResponse},
    {"Dropout*", kDropout},
    {"AlphaDropout", kDropout},
    {"FeatureAlphaDropout", kDropout},
    {"MaxPool*",
     "kernel_size={kernel_size}, stride={stride}, padding={padding}, dilation={dilation}, ceil_mode={ceil_mode}"},
    {"MaxUnpool*", kPool},
    {"AvgPool*", kPool},
    {"LPPool*", "norm_type={norm_type}, kernel_size={kernel_size}, stride={stride}, ceil_mode={ceil_mode}"},
    {"AdaptiveAvgPool*", "output_size={output_size}"},
    {"AdaptiveMaxPool*", "output_size={output_size}"},
    {"Threshold", "threshold={threshold}, value={value}[inplace:False]"},
    {"ReLU", kInPlace},
    {"ReLU6", kInPlace},
    {"SiLU", kInPlace},
    {"Mish", kInPlace},
    {"SELU", kInPlace},
    {"RReLU", "lower={lower}, upper={upper}[inplace:False]"},
    {"Hardtanh", "min_val={min_val}, max_val={max_val}[inplace:False]"},
    {"ELU", kAlpha},
    {"CELU", kAlpha},
    {"LeakyReLU", "negative_slope={negative_slope}[inplace:False]"},
    {"GELU", "approximate={approximate!r}"},
    {"GLU", "dim={dim}"},
    {"Softmin", "dim={dim}"},
    {"Softmax", "dim={dim}"},
    {"LogSoftmax", "dim={dim}"},
    {"PReLU", "num_parameters={num_parameters}"},
    {"Softplus", "beta={beta}, threshold={threshold}"},
    {"Hardshrink", "{lambd}"},
    {"Softshrink", "{lambd}"},
    {"ChannelShuffle", "groups={groups}"},
    {"Flatten", "start_dim={start_dim}, end_dim={end_dim}"},
    {"Unflatten", "dim={dim}, unflattened_size={unflattened_size}"},
    {"Fold",
     "output_size={output_size}, kernel_size={kernel_size}, dilation={dilation}, padding={padding}, stride={stride}"},
    {"Unfold", "kernel_size={kernel_size}, dilation={dilation}, padding={padding}, stride={stride}"},
    {"PixelShuffle", "upscale_factor={upscale_factor}"},
    {"PixelUnshuffle", "downscale_factor={downscale_factor}"},
    {"ConstantPad*", "padding={padding}, value={value}"},
    {"ReflectionPad*", "{padding}"},
    {"ReplicationPad*", "{padding}"},
    {"CircularPad*", "{padding}"},
    {"ZeroPad*", "{padding}"},
    {"RNN", kRnn},
    {"LSTM", kRnn},
    {"GRU", kRnn},
    {"RNNCell", kCell},
    {"LSTMCell", kCell},
    {"GRUCell", kCell},
    {"Embedding",
     "{num_embeddings}, {embedding_dim}[padding_idx:None][max_norm:None][norm_type:2|2.0][scale_grad_by_freq:False]"
     "[sparse:False]"},
    {"EmbeddingBag",
     "{num_embeddings}, {embedding_dim}[max_norm:None][norm_type:2|2.0][scale_grad_by_freq:False], mode={mode}"
     "[padding_idx:None]"},
    {"Upsample", "[scale_factor:None][size:None], mode={mode}"},
    {"UpsamplingNearest2d", "[scale_factor:None][size:None], mode={mode}"},
    {"UpsamplingBilinear2d", "[scale_factor:None][size:None], mode={mode}"},
});

/// Whether the value is one of those, split by |. "0*" is a 0, or a tuple of them.
bool is_one_of(std::string_view value, std::string_view values) {
  if (values.ends_with('*')) {
    return std::all_of(value.begin(), value.end(), [&](char c) {
      return std::string_view("(), ").find(c) != std::string_view::npos || c == values[0];
    });
  }
  while (true) {
    const std::size_t bar = values.find('|');
    if (value == values.substr(0, bar)) return true;
    if (bar == values.npos) return false;
    values.remove_prefix(bar + 1);
  }
}

class Formatter {
 public:
  Formatter(const Pickle& pickle, std::span<const NodeId> attributes, const std::function<bool(std::string_view)>& has)
      : pickle_(pickle), attributes_(attributes), has_(has) {}

  /// Empty if an attribute is missing that is always printed.
  std::string text(std::string_view format) const {
    std::string text;
    while (!format.empty()) {
      const bool is_optional = format[0] == '[';
      if (!is_optional && format[0] != '{') {
        const std::size_t end = std::min(format.find_first_of("[{"), format.size());
        text += format.substr(0, end);
        format.remove_prefix(end);
        continue;
      }
      const std::size_t end = format.find(is_optional ? ']' : '}');
      const std::string_view inside = format.substr(1, end - 1);
      const std::string_view name = inside.substr(0, inside.find_first_of("!:"));
      const std::optional<std::string> value = attribute(name, inside.ends_with("!r"));
      format.remove_prefix(end + 1);
      if (!is_optional) {
        if (!value) return "";
        text += *value;
      } else if (value && !is_one_of(*value, inside.substr(name.size() + 1))) {
        text.append(", ").append(name.substr(name[0] == '@' ? 1 : 0)).append("=").append(*value);
      }
    }
    return text.starts_with(", ") ? text.substr(2) : text;
  }

 private:
  std::optional<std::string> attribute(std::string_view name, bool quoted) const {
    if (name[0] == '@') return nn::detail::python_bool(has_(name.substr(1)));
    for (std::size_t i = 0; i + 1 < attributes_.size(); i += 2) {
      if (pickle_[attributes_[i]].kind == NodeKind::text && pickle_.text(attributes_[i]) == name) {
        return quoted ? repr_of(pickle_, attributes_[i + 1]) : str_of(pickle_, attributes_[i + 1]);
      }
    }
    return {};
  }

  const Pickle& pickle_;
  std::span<const NodeId> attributes_;
  const std::function<bool(std::string_view)>& has_;
};

}  // namespace

std::string layer_text(const Pickle& pickle, std::span<const NodeId> attributes, std::string_view layer,
                       const std::function<bool(std::string_view)>& has) {
  const auto found = std::find_if(kFormats.begin(), kFormats.end(), [&](const LayerFormat& entry) {
    return entry.layer.ends_with('*') ? layer.starts_with(entry.layer.substr(0, entry.layer.size() - 1))
                                      : layer == entry.layer;
  });
  return found == kFormats.end() ? "" : Formatter(pickle, attributes, has).text(found->format);
}

}  // namespace teff::serialize
