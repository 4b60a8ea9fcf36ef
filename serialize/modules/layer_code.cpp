// SPDX-License-Identifier: MIT
#include "teff/serialize/modules/layer_code.h"

#include <algorithm>

namespace teff::serialize {
namespace {

// clang-format off
constexpr LayerFile kLayerFiles[] = {

// What several layers need.
{"layers", R"(
def check_rank(x, least, most):
  if torch.lt(torch.dim(x), least):
    wrong = True
  else:
    wrong = torch.gt(torch.dim(x), most)
  if wrong:
    ops.prim.RaiseException(torch.format("expected an input of {} to {} dimensions, got {}", least, most, torch.size(x)), "ValueError")

def check_option(known, name):
  if torch.__not__(known):
    ops.prim.RaiseException(torch.format("expected a value of {} that Teff knows, got another", name), "NotImplementedError")

def numbers(value, count):
  if isinstance(value, int):
    return torch.mul([value], count)
  if isinstance(value, float):
    return torch.mul([value], count)
  if torch.ne(torch.len(value), count):
    ops.prim.RaiseException(torch.format("expected {} numbers, got {}", count, torch.len(value)), "ValueError")
  return value

def product(values):
  made = 1
  for value in values:
    made = torch.mul(made, value)
  return made

def zeros(x, size):
  return torch.zeros([torch.size(x, 0), size], dtype=ops.prim.dtype(x))

def chained(layer, x):
  for name in layer._modules:
    x = getattr(layer, name).forward(x)
  return x

def classified(network, x):
  x = network.features.forward(x)
  if torch.__isnot__(network.avgpool, None):
    x = network.avgpool.forward(x)
  return network.classifier.forward(torch.flatten(x, 1, -1))

def chosen(value, otherwise):
  if torch.__is__(value, None):
    return otherwise
  return value
)"},

{"torch.nn.modules.activation", R"(
def channels(x, dim):
  if torch.__isnot__(dim, None):
    return dim
  if torch.__contains__([0, 1, 3], torch.dim(x)):
    return 0
  return 1

class CELU(Module):
  alpha = 1.0
  def forward(self, input):
    return torch.celu(input, self.alpha)
class ELU(Module):
  alpha = 1.0
  def forward(self, input):
    return torch.elu(input, self.alpha)
class GELU(Module):
  approximate = "none"
  def forward(self, input):
    __torch__.layers.check_option(torch.__contains__(["none", "tanh"], self.approximate), "approximate")
    return torch.gelu(input, approximate=self.approximate)
class GLU(Module):
  dim = -1
  def forward(self, input):
    return torch.glu(input, self.dim)
class Hardshrink(Module):
  lambd = 0.5
  def forward(self, input):
    return torch.hardshrink(input, self.lambd)
class Hardsigmoid(Module):
  def forward(self, input):
    return torch.hardsigmoid(input)
class Hardswish(Module):
  def forward(self, input):
    return torch.hardswish(input)
class Hardtanh(Module):
  min_val = -1.0
  max_val = 1.0
  def forward(self, input):
    return torch.hardtanh(input, self.min_val, self.max_val)
class LeakyReLU(Module):
  negative_slope = 0.01
  def forward(self, input):
    return torch.leaky_relu(input, self.negative_slope)
class LogSigmoid(Module):
  def forward(self, input):
    return torch.log_sigmoid(input)
class LogSoftmax(Module):
  dim = None
  def forward(self, input):
    dim = __torch__.torch.nn.modules.activation.channels(input, self.dim)
    return torch.log_softmax(input, dim)
class Mish(Module):
  def forward(self, input):
    return torch.mish(input)
class MultiheadAttention(Module):
  in_proj_bias = None
  bias_k = None
  batch_first = False
class PReLU(Module):
  def forward(self, input):
    return torch.prelu(input, self.weight)
class RReLU(Module):
  lower = 0.125
  upper = 0.3333333333333333
  def forward(self, input):
    return torch.rrelu(input, self.lower, self.upper, self.training)
class ReLU(Module):
  def forward(self, input):
    return torch.relu(input)
class ReLU6(Module):
  min_val = 0.0
  max_val = 6.0
  def forward(self, input):
    return torch.hardtanh(input, self.min_val, self.max_val)
class SELU(Module):
  def forward(self, input):
    return torch.selu(input)
class SiLU(Module):
  def forward(self, input):
    return torch.silu(input)
class Sigmoid(Module):
  def forward(self, input):
    return torch.sigmoid(input)
class Softmax(Module):
  dim = None
  def forward(self, input):
    dim = __torch__.torch.nn.modules.activation.channels(input, self.dim)
    return torch.softmax(input, dim)
class Softmax2d(Module):
  def forward(self, input):
    __torch__.layers.check_rank(input, 3, 4)
    return torch.softmax(input, -3)
class Softmin(Module):
  dim = None
  def forward(self, input):
    dim = __torch__.torch.nn.modules.activation.channels(input, self.dim)
    return torch.softmax(torch.neg(input), dim)
class Softplus(Module):
  beta = 1
  threshold = 20
  def forward(self, input):
    return torch.softplus(input, self.beta, self.threshold)
class Softshrink(Module):
  lambd = 0.5
  def forward(self, input):
    return torch.softshrink(input, self.lambd)
class Softsign(Module):
  def forward(self, input):
    return torch.div(input, torch.add(torch.abs(input), 1))
class Tanh(Module):
  def forward(self, input):
    return torch.tanh(input)
class Tanhshrink(Module):
  def forward(self, input):
    return torch.sub(input, torch.tanh(input))
class Threshold(Module):
  def forward(self, input):
    return torch.threshold(input, self.threshold, self.value)
)"},

{"torch.nn.modules.batchnorm", R"(
def normed(layer, x):
  momentum = __torch__.layers.chosen(layer.momentum, 0.0)
  if torch.__is__(layer.running_mean, None):
    training = True
  else:
    training = layer.training
  return torch.batch_norm(x, layer.weight, layer.bias, layer.running_mean, layer.running_var, training, momentum, layer.eps, True)

class BatchNorm1d(Module):
  weight = None
  bias = None
  running_mean = None
  running_var = None
  def forward(self, input):
    __torch__.layers.check_rank(input, 2, 3)
    return __torch__.torch.nn.modules.batchnorm.normed(self, input)
class BatchNorm2d(Module):
  weight = None
  bias = None
  running_mean = None
  running_var = None
  def forward(self, input):
    __torch__.layers.check_rank(input, 4, 4)
    return __torch__.torch.nn.modules.batchnorm.normed(self, input)
class BatchNorm3d(Module):
  weight = None
  bias = None
  running_mean = None
  running_var = None
  def forward(self, input):
    __torch__.layers.check_rank(input, 5, 5)
    return __torch__.torch.nn.modules.batchnorm.normed(self, input)
class SyncBatchNorm(Module):
  weight = None
  bias = None
  running_mean = None
  running_var = None
  def forward(self, input):
    __torch__.layers.check_rank(input, 2, 8)
    return __torch__.torch.nn.modules.batchnorm.normed(self, input)
)"},

{"torch.nn.modules.container", R"(
class ModuleList(Module):
  pass
class Sequential(Module):
  def forward(self, input):
    return __torch__.layers.chained(self, input)
)"},

{"torch.nn.modules.dropout", R"(
class AlphaDropout(Module):
  def forward(self, input):
    return torch.alpha_dropout(input, self.p, self.training)
class Dropout(Module):
  def forward(self, input):
    return torch.dropout(input, self.p, self.training)
class Dropout1d(Module):
  def forward(self, input):
    __torch__.layers.check_rank(input, 3, 3)
    return torch.feature_dropout(input, self.p, self.training)
class Dropout2d(Module):
  def forward(self, input):
    __torch__.layers.check_rank(input, 4, 4)
    return torch.feature_dropout(input, self.p, self.training)
class Dropout3d(Module):
  def forward(self, input):
    __torch__.layers.check_rank(input, 5, 5)
    return torch.feature_dropout(input, self.p, self.training)
class FeatureAlphaDropout(Module):
  def forward(self, input):
    return torch.feature_alpha_dropout(input, self.p, self.training)
)"},

{"torch.nn.modules.flatten", R"(
class Flatten(Module):
  start_dim = 1
  end_dim = -1
  def forward(self, input):
    return torch.flatten(input, self.start_dim, self.end_dim)
class Unflatten(Module):
  def forward(self, input):
    __torch__.layers.check_option(isinstance(self.dim, int), "dim")
    return torch.unflatten(input, self.dim, self.unflattened_size)
)"},

{"torch.nn.modules.instancenorm", R"(
def normed(layer, x, rank):
  __torch__.layers.check_rank(x, rank, rank)
  momentum = __torch__.layers.chosen(layer.momentum, 0.0)
  if torch.__is__(layer.running_mean, None):
    training = True
  else:
    training = layer.training
  return torch.instance_norm(x, layer.weight, layer.bias, layer.running_mean, layer.running_var, training, momentum, layer.eps, True)

class InstanceNorm1d(Module):
  weight = None
  bias = None
  running_mean = None
  running_var = None
  def forward(self, input):
    return __torch__.torch.nn.modules.instancenorm.normed(self, input, 3)
class InstanceNorm2d(Module):
  weight = None
  bias = None
  running_mean = None
  running_var = None
  def forward(self, input):
    return __torch__.torch.nn.modules.instancenorm.normed(self, input, 4)
class InstanceNorm3d(Module):
  weight = None
  bias = None
  running_mean = None
  running_var = None
  def forward(self, input):
    return __torch__.torch.nn.modules.instancenorm.normed(self, input, 5)
)"},

{"torch.nn.modules.linear", R"(
class Bilinear(Module):
  bias = None
  def forward(self, input1, input2):
    return torch.bilinear(input1, input2, self.weight, self.bias)
class Identity(Module):
  def forward(self, input):
    return input
class Linear(Module):
  bias = None
  def forward(self, input):
    return torch.linear(input, self.weight, self.bias)
class NonDynamicallyQuantizableLinear(Module):
  bias = None
  def forward(self, input):
    return torch.linear(input, self.weight, self.bias)
)"},

// A response is divided by what the mean of the squares around it, over the channels, says. CrossMapLRN2d never takes
// the first channel out of its sums again.
{"torch.nn.modules.normalization", R"(
def squares_around(x, before, after):
  window = torch.add(torch.add(before, after), 1)
  columns = torch.flatten(torch.unsqueeze(torch.mul(x, x), 1), 3, -1)
  columns = torch.pad(columns, [0, 0, before, after], "constant", 0.0)
  means = torch.avg_pool2d(columns, [window, 1], [1, 1])
  return torch.mul(torch.reshape(torch.squeeze(means, 1), torch.size(x)), window)

def weakened(layer, x, sums):
  scale = torch.add(torch.mul(sums, torch.div(layer.alpha, layer.size)), layer.k)
  return torch.div(x, torch.pow(scale, layer.beta))

class CrossMapLRN2d(Module):
  alpha = 0.0001
  beta = 0.75
  k = 1
  def forward(self, input):
    __torch__.layers.check_rank(input, 4, 4)
    side = torch.floordiv(torch.sub(self.size, 1), 2)
    sums = __torch__.torch.nn.modules.normalization.squares_around(input, side, side)
    stays = torch.unsqueeze(torch.unsqueeze(torch.gt(torch.arange(torch.size(input, 1)), side), 1), 2)
    first = torch.slice(input, 1, 0, 1)
    sums = torch.add(sums, torch.mul(torch.mul(first, first), stays))
    return __torch__.torch.nn.modules.normalization.weakened(self, input, sums)
class GroupNorm(Module):
  weight = None
  bias = None
  def forward(self, input):
    return torch.group_norm(input, self.num_groups, self.weight, self.bias, self.eps, True)
class LayerNorm(Module):
  weight = None
  bias = None
  def forward(self, input):
    return torch.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps, True)
class LocalResponseNorm(Module):
  alpha = 0.0001
  beta = 0.75
  k = 1.0
  def forward(self, input):
    __torch__.layers.check_rank(input, 3, 5)
    before = torch.floordiv(self.size, 2)
    after = torch.floordiv(torch.sub(self.size, 1), 2)
    sums = __torch__.torch.nn.modules.normalization.squares_around(input, before, after)
    return __torch__.torch.nn.modules.normalization.weakened(self, input, sums)
class RMSNorm(Module):
  weight = None
  def forward(self, input):
    return torch.rms_norm(input, self.normalized_shape, self.weight, self.eps)
)"},

// States begin as zeros.
{"torch.nn.modules.rnn", R"(
def weights(layer):
  made = annotate(List[Tensor], [])
  endings = [""]
  if layer.bidirectional:
    torch.append(endings, "_reverse")
  for i in range(layer.num_layers):
    for ending in endings:
      torch.append(made, getattr(layer, torch.format("weight_ih_l{}{}", i, ending)))
      torch.append(made, getattr(layer, torch.format("weight_hh_l{}{}", i, ending)))
      if layer.bias:
        torch.append(made, getattr(layer, torch.format("bias_ih_l{}{}", i, ending)))
        torch.append(made, getattr(layer, torch.format("bias_hh_l{}{}", i, ending)))
      if torch.gt(layer.proj_size, 0):
        torch.append(made, getattr(layer, torch.format("weight_hr_l{}{}", i, ending)))
  return made

def first_states(layer, x, size):
  __torch__.layers.check_rank(x, 3, 3)
  if layer.bidirectional:
    count = torch.mul(layer.num_layers, 2)
  else:
    count = layer.num_layers
  if layer.batch_first:
    rows = torch.size(x, 0)
  else:
    rows = torch.size(x, 1)
  return torch.zeros([count, rows, size], dtype=ops.prim.dtype(x))

class GRU(Module):
  proj_size = 0
  def forward(self, input):
    states = __torch__.torch.nn.modules.rnn.first_states(self, input, self.hidden_size)
    return torch.gru(input, states, __torch__.torch.nn.modules.rnn.weights(self), self.bias, self.num_layers, self.dropout, self.training, self.bidirectional, self.batch_first)
class GRUCell(Module):
  bias_ih = None
  bias_hh = None
  def forward(self, input):
    __torch__.layers.check_rank(input, 2, 2)
    state = __torch__.layers.zeros(input, self.hidden_size)
    return torch.gru_cell(input, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
class LSTM(Module):
  proj_size = 0
  def forward(self, input):
    if torch.gt(self.proj_size, 0):
      size = self.proj_size
    else:
      size = self.hidden_size
    states = __torch__.torch.nn.modules.rnn.first_states(self, input, size)
    cells = __torch__.torch.nn.modules.rnn.first_states(self, input, self.hidden_size)
    return torch.lstm(input, [states, cells], __torch__.torch.nn.modules.rnn.weights(self), self.bias, self.num_layers, self.dropout, self.training, self.bidirectional, self.batch_first)
class LSTMCell(Module):
  bias_ih = None
  bias_hh = None
  def forward(self, input):
    __torch__.layers.check_rank(input, 2, 2)
    state = __torch__.layers.zeros(input, self.hidden_size)
    cell = __torch__.layers.zeros(input, self.hidden_size)
    return torch.lstm_cell(input, [state, cell], self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
class RNN(Module):
  proj_size = 0
  nonlinearity = "tanh"
  def forward(self, input):
    __torch__.layers.check_option(torch.__contains__(["tanh", "relu"], self.nonlinearity), "nonlinearity")
    states = __torch__.torch.nn.modules.rnn.first_states(self, input, self.hidden_size)
    weights = __torch__.torch.nn.modules.rnn.weights(self)
    if torch.eq(self.nonlinearity, "tanh"):
      return torch.rnn_tanh(input, states, weights, self.bias, self.num_layers, self.dropout, self.training, self.bidirectional, self.batch_first)
    return torch.rnn_relu(input, states, weights, self.bias, self.num_layers, self.dropout, self.training, self.bidirectional, self.batch_first)
class RNNCell(Module):
  bias_ih = None
  bias_hh = None
  nonlinearity = "tanh"
  def forward(self, input):
    __torch__.layers.check_option(torch.__contains__(["tanh", "relu"], self.nonlinearity), "nonlinearity")
    __torch__.layers.check_rank(input, 2, 2)
    state = __torch__.layers.zeros(input, self.hidden_size)
    if torch.eq(self.nonlinearity, "tanh"):
      return torch.rnn_tanh_cell(input, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
    return torch.rnn_relu_cell(input, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
)"},

{"torch.nn.modules.sparse", R"(
def check_plain(layer):
  __torch__.layers.check_option(torch.__is__(layer.max_norm, None), "max_norm")
  __torch__.layers.check_option(torch.__not__(layer.scale_grad_by_freq), "scale_grad_by_freq")
  __torch__.layers.check_option(torch.__not__(layer.sparse), "sparse")

class Embedding(Module):
  padding_idx = None
  max_norm = None
  scale_grad_by_freq = False
  sparse = False
  def forward(self, input):
    __torch__.torch.nn.modules.sparse.check_plain(self)
    return torch.embedding(self.weight, input, __torch__.layers.chosen(self.padding_idx, -1), False, False)
class EmbeddingBag(Module):
  mode = "mean"
  padding_idx = None
  max_norm = None
  scale_grad_by_freq = False
  sparse = False
  def forward(self, input):
    __torch__.torch.nn.modules.sparse.check_plain(self)
    __torch__.layers.check_option(torch.__contains__(["sum", "mean", "max"], self.mode), "mode")
    __torch__.layers.check_rank(input, 2, 2)
    modes = annotate(Dict[str, int], {"sum": 0, "mean": 1, "max": 2})
    padding = __torch__.layers.chosen(self.padding_idx, -1)
    return torch.embedding_bag(self.weight, input, None, False, modes[self.mode], False, None, False, padding)[0]
)"},

// What PyTorch stacks on attention, without masks.
{"torch.nn.modules.transformer", R"(
def attended(layer, x):
  attention = layer.self_attn
  __torch__.layers.check_rank(x, 3, 3)
  __torch__.layers.check_option(torch.__is__(attention.bias_k, None), "bias_k")
  __torch__.layers.check_option(torch.__not__(attention.add_zero_attn), "add_zero_attn")
  if torch.__not__(attention.batch_first):
    x = torch.transpose(x, 0, 1)
  width = torch.size(x, 2)
  heads = attention.num_heads
  parts = torch.chunk(torch.linear(x, attention.in_proj_weight, attention.in_proj_bias), 3, -1)
  split = annotate(List[Tensor], [])
  for part in parts:
    torch.append(split, torch.transpose(torch.unflatten(part, 2, [heads, torch.floordiv(width, heads)]), 1, 2))
  if layer.training:
    p = attention.dropout
  else:
    p = 0.0
  made = torch.scaled_dot_product_attention(split[0], split[1], split[2], None, p)
  made = attention.out_proj.forward(torch.flatten(torch.transpose(made, 1, 2), 2, 3))
  if torch.__not__(attention.batch_first):
    made = torch.transpose(made, 0, 1)
  return layer.dropout1.forward(made)

def fed(layer, x):
  inner = layer.linear1.forward(x)
  __torch__.layers.check_option(torch.__contains__([1, 2], layer.activation_relu_or_gelu), "activation")
  if torch.eq(layer.activation_relu_or_gelu, 1):
    inner = torch.relu(inner)
  else:
    inner = torch.gelu(inner)
  return layer.dropout2.forward(layer.linear2.forward(layer.dropout.forward(inner)))

class TransformerEncoder(Module):
  norm = None
  def forward(self, src):
    for name in self.layers._modules:
      src = getattr(self.layers, name).forward(src)
    if torch.__isnot__(self.norm, None):
      src = self.norm.forward(src)
    return src
class TransformerEncoderLayer(Module):
  norm_first = False
  def forward(self, src):
    attended = __torch__.torch.nn.modules.transformer.attended
    fed = __torch__.torch.nn.modules.transformer.fed
    if self.norm_first:
      src = torch.add(src, attended(self, self.norm1.forward(src)))
      return torch.add(src, fed(self, self.norm2.forward(src)))
    src = self.norm1.forward(torch.add(src, attended(self, src)))
    return self.norm2.forward(torch.add(src, fed(self, src)))
)"},

{"torch.nn.parallel.data_parallel", R"(
class DataParallel(Module):
  def forward(self, input):
    return self.module.forward(input)
)"},

};
// clang-format on

/// "torch.nn.modules.conv": none for a file that is not here.
std::optional<std::string_view> code_of(std::string_view module) {
  for (const std::span<const LayerFile> files : {std::span<const LayerFile>(kLayerFiles), window_files, vision_files}) {
    for (const LayerFile& file : files) {
      if (file.name == module) return file.code;
    }
  }
  return {};
}

}  // namespace

bool has_layer(std::string_view type) {
  const std::size_t dot = type.rfind('.');
  if (dot == type.npos) return false;
  const std::optional<std::string_view> code = code_of(type.substr(0, dot));
  return code && code->find("\nclass " + std::string(type.substr(dot + 1)) + "(Module):\n") != code->npos;
}

std::optional<std::string> layer_code(std::string_view name) {
  constexpr std::string_view kBefore = "code/__torch__/", kAfter = ".py";
  if (!name.starts_with(kBefore) || !name.ends_with(kAfter)) return {};
  std::string module(name.substr(kBefore.size(), name.size() - kBefore.size() - kAfter.size()));
  std::replace(module.begin(), module.end(), '/', '.');
  const std::optional<std::string_view> code = code_of(module);
  return code ? std::optional<std::string>(*code) : std::nullopt;
}

}  // namespace teff::serialize
