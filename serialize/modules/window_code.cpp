// SPDX-License-Identifier: MIT

// What PyTorch's layers do that see what is around an element: convolution, pooling, padding, resizing, patches.

#include "teff/serialize/modules/layer_code.h"

namespace teff::serialize {
namespace {

// clang-format off
constexpr LayerFile kWindowFiles[] = {

{"torch.nn.modules.channelshuffle", R"(
class ChannelShuffle(Module):
  def forward(self, input):
    return torch.channel_shuffle(input, self.groups)
)"},

// A padding that is no number of zeros is put around the image first, from its last dimension on.
{"torch.nn.modules.conv", R"(
def sides(layer):
  made = annotate(List[int], [])
  count = torch.len(layer.kernel_size)
  for i in range(count):
    dim = torch.sub(torch.sub(count, 1), i)
    if isinstance(layer.padding, str):
      if torch.eq(layer.padding, "same"):
        both = torch.mul(layer.dilation[dim], torch.sub(layer.kernel_size[dim], 1))
      else:
        both = 0
      before = torch.floordiv(both, 2)
      after = torch.sub(both, before)
    else:
      before = layer.padding[dim]
      after = before
    torch.append(made, before)
    torch.append(made, after)
  return made

def padded(layer, x):
  return torch.pad(x, __torch__.torch.nn.modules.conv.sides(layer), layer.padding_mode)

class Conv1d(Module):
  bias = None
  padding_mode = "zeros"
  def forward(self, input):
    if torch.eq(self.padding_mode, "zeros"):
      return torch.conv1d(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
    input = __torch__.torch.nn.modules.conv.padded(self, input)
    return torch.conv1d(input, self.weight, self.bias, self.stride, [0], self.dilation, self.groups)
class Conv2d(Module):
  bias = None
  padding_mode = "zeros"
  def forward(self, input):
    if torch.eq(self.padding_mode, "zeros"):
      return torch.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
    input = __torch__.torch.nn.modules.conv.padded(self, input)
    return torch.conv2d(input, self.weight, self.bias, self.stride, [0, 0], self.dilation, self.groups)
class Conv3d(Module):
  bias = None
  padding_mode = "zeros"
  def forward(self, input):
    if torch.eq(self.padding_mode, "zeros"):
      return torch.conv3d(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
    input = __torch__.torch.nn.modules.conv.padded(self, input)
    return torch.conv3d(input, self.weight, self.bias, self.stride, [0, 0, 0], self.dilation, self.groups)
class ConvTranspose1d(Module):
  bias = None
  output_padding = [0]
  def forward(self, input):
    return torch.conv_transpose1d(input, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation)
class ConvTranspose2d(Module):
  bias = None
  output_padding = [0, 0]
  def forward(self, input):
    return torch.conv_transpose2d(input, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation)
class ConvTranspose3d(Module):
  bias = None
  output_padding = [0, 0, 0]
  def forward(self, input):
    return torch.conv_transpose3d(input, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation)
)"},

{"torch.nn.modules.fold", R"(
class Fold(Module):
  def forward(self, input):
    numbers = __torch__.layers.numbers
    return torch.col2im(input, numbers(self.output_size, 2), numbers(self.kernel_size, 2), numbers(self.dilation, 2), numbers(self.padding, 2), numbers(self.stride, 2))
class Unfold(Module):
  def forward(self, input):
    numbers = __torch__.layers.numbers
    return torch.im2col(input, numbers(self.kernel_size, 2), numbers(self.dilation, 2), numbers(self.padding, 2), numbers(self.stride, 2))
)"},

{"torch.nn.modules.padding", R"(
def padded(x, dims, padding, mode, value):
  rank = torch.add(dims, 2)
  __torch__.layers.check_rank(x, rank, rank)
  return torch.pad(x, __torch__.layers.numbers(padding, torch.mul(dims, 2)), mode, value)

class CircularPad1d(Module):
  def forward(self, input):
    return __torch__.torch.nn.modules.padding.padded(input, 1, self.padding, "circular", None)
class CircularPad2d(Module):
  def forward(self, input):
    return __torch__.torch.nn.modules.padding.padded(input, 2, self.padding, "circular", None)
class CircularPad3d(Module):
  def forward(self, input):
    return __torch__.torch.nn.modules.padding.padded(input, 3, self.padding, "circular", None)
class ConstantPad1d(Module):
  def forward(self, input):
    return __torch__.torch.nn.modules.padding.padded(input, 1, self.padding, "constant", self.value)
class ConstantPad2d(Module):
  def forward(self, input):
    return __torch__.torch.nn.modules.padding.padded(input, 2, self.padding, "constant", self.value)
class ConstantPad3d(Module):
  def forward(self, input):
    return __torch__.torch.nn.modules.padding.padded(input, 3, self.padding, "constant", self.value)
class ReflectionPad1d(Module):
  def forward(self, input):
    return __torch__.torch.nn.modules.padding.padded(input, 1, self.padding, "reflect", None)
class ReflectionPad2d(Module):
  def forward(self, input):
    return __torch__.torch.nn.modules.padding.padded(input, 2, self.padding, "reflect", None)
class ReflectionPad3d(Module):
  def forward(self, input):
    return __torch__.torch.nn.modules.padding.padded(input, 3, self.padding, "reflect", None)
class ReplicationPad1d(Module):
  def forward(self, input):
    return __torch__.torch.nn.modules.padding.padded(input, 1, self.padding, "replicate", None)
class ReplicationPad2d(Module):
  def forward(self, input):
    return __torch__.torch.nn.modules.padding.padded(input, 2, self.padding, "replicate", None)
class ReplicationPad3d(Module):
  def forward(self, input):
    return __torch__.torch.nn.modules.padding.padded(input, 3, self.padding, "replicate", None)
class ZeroPad1d(Module):
  def forward(self, input):
    return __torch__.torch.nn.modules.padding.padded(input, 1, self.padding, "constant", 0.0)
class ZeroPad2d(Module):
  def forward(self, input):
    return __torch__.torch.nn.modules.padding.padded(input, 2, self.padding, "constant", 0.0)
class ZeroPad3d(Module):
  def forward(self, input):
    return __torch__.torch.nn.modules.padding.padded(input, 3, self.padding, "constant", 0.0)
)"},

{"torch.nn.modules.pixelshuffle", R"(
class PixelShuffle(Module):
  def forward(self, input):
    return torch.pixel_shuffle(input, self.upscale_factor)
class PixelUnshuffle(Module):
  def forward(self, input):
    return torch.pixel_unshuffle(input, self.downscale_factor)
)"},

// A size that is None is the input's.
{"torch.nn.modules.pooling", R"(
def sizes(layer, x, dims):
  rank = torch.add(dims, 2)
  __torch__.layers.check_rank(x, rank, rank)
  made = annotate(List[int], [])
  asked = layer.output_size
  if torch.__is__(asked, None):
    asked = torch.mul([None], dims)
  asked = __torch__.layers.numbers(asked, dims)
  for i in range(dims):
    torch.append(made, __torch__.layers.chosen(asked[i], torch.size(x, torch.add(i, 2))))
  return made

def check_places(layer):
  __torch__.layers.check_option(torch.__not__(layer.return_indices), "return_indices")

def rooted(layer, powers, dims):
  count = __torch__.layers.product(__torch__.layers.numbers(layer.kernel_size, dims))
  sums = torch.mul(torch.mul(torch.sign(powers), torch.relu(torch.abs(powers))), count)
  return torch.pow(sums, torch.div(1.0, layer.norm_type))

class AdaptiveAvgPool1d(Module):
  def forward(self, input):
    return torch.adaptive_avg_pool1d(input, __torch__.torch.nn.modules.pooling.sizes(self, input, 1))
class AdaptiveAvgPool2d(Module):
  def forward(self, input):
    return torch.adaptive_avg_pool2d(input, __torch__.torch.nn.modules.pooling.sizes(self, input, 2))
class AdaptiveAvgPool3d(Module):
  def forward(self, input):
    return torch.adaptive_avg_pool3d(input, __torch__.torch.nn.modules.pooling.sizes(self, input, 3))
class AdaptiveMaxPool1d(Module):
  return_indices = False
  def forward(self, input):
    __torch__.torch.nn.modules.pooling.check_places(self)
    return torch.adaptive_max_pool1d(input, __torch__.torch.nn.modules.pooling.sizes(self, input, 1))[0]
class AdaptiveMaxPool2d(Module):
  return_indices = False
  def forward(self, input):
    __torch__.torch.nn.modules.pooling.check_places(self)
    return torch.adaptive_max_pool2d(input, __torch__.torch.nn.modules.pooling.sizes(self, input, 2))[0]
class AdaptiveMaxPool3d(Module):
  return_indices = False
  def forward(self, input):
    __torch__.torch.nn.modules.pooling.check_places(self)
    return torch.adaptive_max_pool3d(input, __torch__.torch.nn.modules.pooling.sizes(self, input, 3))[0]
class AvgPool1d(Module):
  stride = None
  padding = 0
  ceil_mode = False
  count_include_pad = True
  def forward(self, input):
    stride = __torch__.layers.chosen(self.stride, self.kernel_size)
    return torch.avg_pool1d(input, self.kernel_size, stride, self.padding, self.ceil_mode, self.count_include_pad)
class AvgPool2d(Module):
  stride = None
  padding = 0
  ceil_mode = False
  count_include_pad = True
  divisor_override = None
  def forward(self, input):
    stride = __torch__.layers.chosen(self.stride, self.kernel_size)
    return torch.avg_pool2d(input, self.kernel_size, stride, self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override)
class AvgPool3d(Module):
  stride = None
  padding = 0
  ceil_mode = False
  count_include_pad = True
  divisor_override = None
  def forward(self, input):
    stride = __torch__.layers.chosen(self.stride, self.kernel_size)
    return torch.avg_pool3d(input, self.kernel_size, stride, self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override)
class LPPool1d(Module):
  stride = None
  ceil_mode = False
  def forward(self, input):
    stride = __torch__.layers.chosen(self.stride, self.kernel_size)
    powers = torch.avg_pool1d(torch.pow(input, self.norm_type), self.kernel_size, stride, 0, self.ceil_mode)
    return __torch__.torch.nn.modules.pooling.rooted(self, powers, 1)
class LPPool2d(Module):
  stride = None
  ceil_mode = False
  def forward(self, input):
    stride = __torch__.layers.chosen(self.stride, self.kernel_size)
    powers = torch.avg_pool2d(torch.pow(input, self.norm_type), self.kernel_size, stride, 0, self.ceil_mode)
    return __torch__.torch.nn.modules.pooling.rooted(self, powers, 2)
class LPPool3d(Module):
  stride = None
  ceil_mode = False
  def forward(self, input):
    stride = __torch__.layers.chosen(self.stride, self.kernel_size)
    powers = torch.avg_pool3d(torch.pow(input, self.norm_type), self.kernel_size, stride, 0, self.ceil_mode)
    return __torch__.torch.nn.modules.pooling.rooted(self, powers, 3)
class MaxPool1d(Module):
  stride = None
  padding = 0
  dilation = 1
  ceil_mode = False
  return_indices = False
  def forward(self, input):
    __torch__.torch.nn.modules.pooling.check_places(self)
    stride = __torch__.layers.chosen(self.stride, self.kernel_size)
    return torch.max_pool1d(input, self.kernel_size, stride, self.padding, self.dilation, self.ceil_mode)
class MaxPool2d(Module):
  stride = None
  padding = 0
  dilation = 1
  ceil_mode = False
  return_indices = False
  def forward(self, input):
    __torch__.torch.nn.modules.pooling.check_places(self)
    stride = __torch__.layers.chosen(self.stride, self.kernel_size)
    return torch.max_pool2d(input, self.kernel_size, stride, self.padding, self.dilation, self.ceil_mode)
class MaxPool3d(Module):
  stride = None
  padding = 0
  dilation = 1
  ceil_mode = False
  return_indices = False
  def forward(self, input):
    __torch__.torch.nn.modules.pooling.check_places(self)
    stride = __torch__.layers.chosen(self.stride, self.kernel_size)
    return torch.max_pool3d(input, self.kernel_size, stride, self.padding, self.dilation, self.ceil_mode)
)"},

{"torch.nn.modules.upsampling", R"(
def resized(layer, x):
  __torch__.layers.check_rank(x, 3, 5)
  dims = torch.sub(torch.dim(x), 2)
  mode = layer.mode
  corners = __torch__.layers.chosen(layer.align_corners, False)
  sizes = layer.size
  factors = layer.scale_factor
  if torch.__isnot__(sizes, None):
    sizes = __torch__.layers.numbers(sizes, dims)
  if torch.__isnot__(factors, None):
    factors = __torch__.layers.numbers(factors, dims)
    if layer.recompute_scale_factor:
      fixes = True
    else:
      fixes = torch.eq(mode, "area")
    if fixes:
      sizes = annotate(List[int], [])
      for i in range(dims):
        torch.append(sizes, int(torch.floor(torch.mul(float(torch.size(x, torch.add(i, 2))), factors[i]))))
      factors = None
  if torch.eq(mode, "area"):
    if torch.eq(dims, 1):
      return torch.adaptive_avg_pool1d(x, sizes)
    if torch.eq(dims, 2):
      return torch.adaptive_avg_pool2d(x, sizes)
    return torch.adaptive_avg_pool3d(x, sizes)
  if torch.eq(mode, "nearest"):
    if torch.eq(dims, 1):
      return torch.upsample_nearest1d(x, sizes, factors)
    if torch.eq(dims, 2):
      return torch.upsample_nearest2d(x, sizes, factors)
    return torch.upsample_nearest3d(x, sizes, factors)
  if torch.eq(mode, "nearest-exact"):
    if torch.eq(dims, 1):
      return torch._upsample_nearest_exact1d(x, sizes, factors)
    if torch.eq(dims, 2):
      return torch._upsample_nearest_exact2d(x, sizes, factors)
    return torch._upsample_nearest_exact3d(x, sizes, factors)
  if torch.eq(mode, "linear"):
    return torch.upsample_linear1d(x, sizes, corners, factors)
  if torch.eq(mode, "bilinear"):
    return torch.upsample_bilinear2d(x, sizes, corners, factors)
  if torch.eq(mode, "bicubic"):
    return torch.upsample_bicubic2d(x, sizes, corners, factors)
  __torch__.layers.check_option(torch.eq(mode, "trilinear"), "mode")
  return torch.upsample_trilinear3d(x, sizes, corners, factors)

class Upsample(Module):
  size = None
  scale_factor = None
  mode = "nearest"
  align_corners = None
  recompute_scale_factor = None
  def forward(self, input):
    return __torch__.torch.nn.modules.upsampling.resized(self, input)
class UpsamplingBilinear2d(Module):
  size = None
  scale_factor = None
  align_corners = True
  recompute_scale_factor = None
  def forward(self, input):
    return __torch__.torch.nn.modules.upsampling.resized(self, input)
class UpsamplingNearest2d(Module):
  size = None
  scale_factor = None
  align_corners = None
  recompute_scale_factor = None
  def forward(self, input):
    return __torch__.torch.nn.modules.upsampling.resized(self, input)
)"},

};
// clang-format on

}  // namespace

const std::span<const LayerFile> window_files = kWindowFiles;

}  // namespace teff::serialize
