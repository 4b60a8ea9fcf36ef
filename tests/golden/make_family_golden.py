#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes families.golden: as make_module_golden.py, of further layers, and what they compute in float64 with gradients.

    python3 make_family_golden.py

tests/nn/family_golden_test.cpp makes the same layers by these names. The numbers in the repository are those of PyTorch
1.13.1.
"""
from pathlib import Path

import torch
from torch import nn

from golden_file import write

cases = []


def case(name, make, *shape, inputs=None, fixed=()):
    """Inputs of the indices `fixed` have no gradient."""
    torch.manual_seed(5)
    module = make()
    state = {key: value.clone() for key, value in module.state_dict().items()}
    inputs = [torch.randn(shape)] if inputs is None else inputs
    torch.manual_seed(6)
    output = module(*[x.clone() for x in inputs])
    entries = {"printed": str(module), "state": state, "inputs": dict(enumerate(inputs)), "output": output}
    module = module.double()
    module.load_state_dict(state)
    leaves = [x.double().requires_grad_(i not in fixed) if x.is_floating_point() else x for i, x in enumerate(inputs)]
    torch.manual_seed(6)
    exact = module(*[x.clone() for x in leaves])
    entries["exact"] = exact
    if exact.requires_grad:
        exact.backward(torch.arange(exact.numel()).double().remainder(7).div(4).sub(0.6).reshape(exact.shape))
        entries["grads"] = {i: x.grad for i, x in enumerate(leaves) if x.is_floating_point() and x.grad is not None}
        entries["parameter_grads"] = {name: p.grad for name, p in module.named_parameters() if p.grad is not None}
    entries["after"] = {name: b for name, b in module.named_buffers()}
    cases.append((name, entries))


# --- convolution

case("Conv1d, same", lambda: nn.Conv1d(2, 3, 4, padding="same", dilation=2), 2, 2, 7)
case("Conv1d, reflect", lambda: nn.Conv1d(2, 3, 3, padding=2, padding_mode="reflect", stride=2), 2, 2, 7)
case("Conv3d", lambda: nn.Conv3d(2, 4, 3), 2, 2, 4, 5, 3)
case("Conv3d, all options",
     lambda: nn.Conv3d(4, 4, (1, 2, 3), stride=(2, 1, 2), padding=(0, 1, 2), dilation=(1, 2, 1), groups=2, bias=False),
     1, 4, 3, 5, 4)
case("Conv3d, same, circular", lambda: nn.Conv3d(2, 2, (2, 3, 2), padding="same", padding_mode="circular"), 1, 2, 3, 4, 3)
case("ConvTranspose1d", lambda: nn.ConvTranspose1d(3, 2, 3, 2, 1, 1), 2, 3, 4)
case("ConvTranspose3d", lambda: nn.ConvTranspose3d(3, 2, 2), 1, 3, 2, 3, 2)
case("ConvTranspose3d, all options",
     lambda: nn.ConvTranspose3d(4, 6, (3, 2, 1), stride=(2, 1, 2), padding=(1, 0, 0), output_padding=(1, 1, 0),
                                groups=2, bias=False, dilation=(1, 2, 1)), 1, 4, 2, 3, 2)

# --- norms

case("BatchNorm3d", lambda: nn.BatchNorm3d(3), 2, 3, 2, 2, 3)
case("InstanceNorm1d", lambda: nn.InstanceNorm1d(3), 2, 3, 5)
case("InstanceNorm2d, affine", lambda: nn.InstanceNorm2d(3, affine=True), 2, 3, 4, 3)
case("InstanceNorm3d, statistics",
     lambda: nn.InstanceNorm3d(3, eps=1e-3, momentum=0.3, affine=True, track_running_stats=True), 2, 3, 2, 2, 3)
case("LocalResponseNorm", lambda: nn.LocalResponseNorm(2), 2, 5, 3, 2)
case("LocalResponseNorm, options", lambda: nn.LocalResponseNorm(3, 0.1, 0.5, 2.0), 2, 5, 3)
for size in [3, 4]:  # PyTorch computes it in float32 only
    torch.manual_seed(5)
    module, x = nn.CrossMapLRN2d(size, 0.1, 0.5, 2), torch.randn(2, 7, 3, 2)
    cases.append((f"CrossMapLRN2d, {size}", {"printed": str(module), "inputs": {0: x}, "output": module(x)}))

# --- pooling

case("MaxPool1d", lambda: nn.MaxPool1d(3), 2, 2, 8)
case("MaxPool1d, options", lambda: nn.MaxPool1d(3, 2, 1, 2, ceil_mode=True), 2, 2, 8)
case("MaxPool3d", lambda: nn.MaxPool3d(2), 2, 2, 4, 4, 5)
case("MaxPool3d, options", lambda: nn.MaxPool3d((1, 2, 3), (1, 2, 2), (0, 1, 1), (1, 2, 1), ceil_mode=True),
     2, 2, 3, 5, 6)
case("AvgPool1d", lambda: nn.AvgPool1d(3, 2, 1, True, False), 2, 2, 8)
case("AvgPool3d", lambda: nn.AvgPool3d((2, 1, 3), 2, (1, 0, 1), True, False), 2, 2, 4, 4, 5)
case("AvgPool3d, divisor", lambda: nn.AvgPool3d(2, divisor_override=3), 2, 2, 4, 4, 5)
case("AdaptiveAvgPool1d", lambda: nn.AdaptiveAvgPool1d(3), 2, 2, 7)
case("AdaptiveMaxPool1d", lambda: nn.AdaptiveMaxPool1d(3), 2, 2, 7)
case("AdaptiveAvgPool3d", lambda: nn.AdaptiveAvgPool3d((1, 1, 1)), 2, 2, 4, 4, 5)
case("AdaptiveMaxPool3d, cube", lambda: nn.AdaptiveMaxPool3d(2), 2, 2, 3, 4, 5)
case("LPPool1d", lambda: nn.LPPool1d(2, 3), 2, 2, 8)
case("LPPool2d", lambda: nn.LPPool2d(2, (3, 2), stride=(2, 1), ceil_mode=True), 2, 2, 7, 5)
pooled = nn.MaxPool2d(2, return_indices=True)(torch.randn(2, 2, 4, 6))
case("MaxUnpool2d", lambda: nn.MaxUnpool2d(2), inputs=list(pooled))
pooled = nn.MaxPool1d(3, 2, 1, return_indices=True)(torch.randn(2, 2, 7))
case("MaxUnpool1d", lambda: nn.MaxUnpool1d(3, 2, 1), inputs=list(pooled))
pooled = nn.MaxPool3d((1, 2, 2), return_indices=True)(torch.randn(1, 2, 3, 4, 6))
case("MaxUnpool3d", lambda: nn.MaxUnpool3d((1, 2, 2)), inputs=list(pooled))

# --- padding

case("ConstantPad1d", lambda: nn.ConstantPad1d(2, 3.5), 2, 2, 4)
case("ConstantPad2d", lambda: nn.ConstantPad2d((1, 0, -1, 2), 0), 2, 2, 4, 3)
case("ConstantPad3d", lambda: nn.ConstantPad3d((1, 0, 2, 1, 0, 1), -0.5), 1, 2, 2, 2, 3)
case("ReflectionPad1d", lambda: nn.ReflectionPad1d((2, 1)), 2, 2, 4)
case("ReflectionPad3d", lambda: nn.ReflectionPad3d(1), 1, 2, 2, 3, 2)
case("ReplicationPad1d", lambda: nn.ReplicationPad1d(2), 2, 2, 4)
case("ReplicationPad3d", lambda: nn.ReplicationPad3d((1, 0, 2, 1, 0, 1)), 1, 2, 2, 2, 3)

# --- others

case("Bilinear", lambda: nn.Bilinear(2, 3, 4), inputs=[torch.randn(3, 2), torch.randn(3, 3)])
case("Bilinear, no bias", lambda: nn.Bilinear(2, 3, 4, False), inputs=[torch.randn(2, 3, 2), torch.randn(2, 3, 3)])
case("EmbeddingBag", lambda: nn.EmbeddingBag(5, 3), inputs=[torch.tensor([[1, 4, 1], [0, 2, 2]])])
case("EmbeddingBag, max", lambda: nn.EmbeddingBag(5, 3, mode="max", padding_idx=-2),
     inputs=[torch.tensor([1, 4, 3, 0]), torch.tensor([0, 1])])
case("Unflatten", lambda: nn.Unflatten(1, (2, -1)), 2, 6, 3)
case("Unflatten, last", lambda: nn.Unflatten(-1, (3, 1, 2)), 2, 6)
case("WeightNorm, Conv2d", lambda: nn.utils.weight_norm(nn.Conv2d(2, 3, 2)), 1, 2, 3, 3)
case("WeightNorm, Linear", lambda: nn.utils.weight_norm(nn.Linear(4, 3), dim=1), 2, 4)
case("SpectralNorm, Linear", lambda: nn.utils.spectral_norm(nn.Linear(4, 3)), 2, 4)
case("SpectralNorm, ConvTranspose2d",
     lambda: nn.utils.spectral_norm(nn.ConvTranspose2d(2, 3, 2), n_power_iterations=2), 1, 2, 3, 3)

case("Upsample, trilinear", lambda: nn.Upsample(scale_factor=2, mode="trilinear"), 1, 2, 2, 3, 2)
case("Upsample, linear", lambda: nn.Upsample(size=5, mode="linear", align_corners=True), 2, 2, 3)
case("Upsample, volume", lambda: nn.Upsample(size=(2, 3, 4)), 1, 2, 3, 2, 2)
case("Upsample, bicubic", lambda: nn.Upsample(scale_factor=(2.0, 2.0), mode="bicubic"), 1, 2, 3, 2)
case("UpsamplingNearest2d", lambda: nn.UpsamplingNearest2d(scale_factor=2), 1, 2, 3, 2)
case("UpsamplingBilinear2d", lambda: nn.UpsamplingBilinear2d(size=(5, 4)), 1, 2, 3, 2)


class AdaptiveOutput(nn.AdaptiveLogSoftmaxWithLoss):
    def forward(self, input, target):
        return super().forward(input, target).output

    def _get_name(self):
        return "AdaptiveLogSoftmaxWithLoss"


case("AdaptiveLogSoftmaxWithLoss", lambda: AdaptiveOutput(16, 20, [4, 10], head_bias=True),
     inputs=[torch.randn(6, 16), torch.tensor([12, 0, 5, 19, 3, 4])])

for name, make in {
    "CELU": nn.CELU, "CELU, options": lambda: nn.CELU(2.0, True), "SELU": nn.SELU, "SELU, inplace": lambda: nn.SELU(True),
    "Mish": nn.Mish, "LogSigmoid": nn.LogSigmoid, "Hardshrink": nn.Hardshrink, "Softshrink": lambda: nn.Softshrink(1),
    "Softsign": nn.Softsign, "Tanhshrink": nn.Tanhshrink, "Threshold": lambda: nn.Threshold(0.1, 20),
    "Softmin": lambda: nn.Softmin(1), "RReLU": nn.RReLU, "RReLU, options": lambda: nn.RReLU(0.1, 0.2, True),
}.items():
    case(name, make, 3, 5)
case("GLU", nn.GLU, 3, 6)
case("Softmax2d", nn.Softmax2d, 2, 3, 2, 2)
case("PixelShuffle", lambda: nn.PixelShuffle(2), 1, 8, 2, 3)
case("PixelUnshuffle", lambda: nn.PixelUnshuffle(2), 1, 2, 4, 6)
case("Unfold", lambda: nn.Unfold((2, 3), padding=1, stride=(1, 2)), 1, 2, 4, 5)
case("Fold", lambda: nn.Fold((4, 5), 2, stride=(2, 1)), 2, 8, 8)
case("CosineSimilarity", nn.CosineSimilarity, inputs=[torch.randn(3, 4), torch.randn(3, 4)])
case("PairwiseDistance", lambda: nn.PairwiseDistance(1.5, keepdim=True), inputs=[torch.randn(3, 4), torch.randn(3, 4)])
case("TripletMarginLoss", lambda: nn.TripletMarginLoss(0.5, swap=True), inputs=[torch.randn(3, 4) for _ in range(3)])
case("TripletMarginWithDistanceLoss", lambda: nn.TripletMarginWithDistanceLoss(
    distance_function=lambda a, b: (a - b).abs().sum(1), margin=0.7), inputs=[torch.randn(3, 4) for _ in range(3)])

# --- what draws

for p in [0.3]:
    case("Dropout1d", lambda: nn.Dropout1d(p), 3, 4, 2)
    case("Dropout3d", lambda: nn.Dropout3d(p, True), 3, 4, 1, 2, 2)
    case("AlphaDropout", lambda: nn.AlphaDropout(p), 3, 7)
    case("FeatureAlphaDropout", lambda: nn.FeatureAlphaDropout(p), 3, 4, 2, 1)

# --- losses

x, y, signs = torch.randn(4, 3), torch.randn(4, 3), torch.randint(0, 2, (4, 3)).float() * 2 - 1
case("HingeEmbeddingLoss", lambda: nn.HingeEmbeddingLoss(0.7), inputs=[x, signs], fixed=(1,))
case("SoftMarginLoss", lambda: nn.SoftMarginLoss(), inputs=[x, signs], fixed=(1,))
case("MultiLabelMarginLoss", lambda: nn.MultiLabelMarginLoss(), inputs=[x, torch.tensor([[0, 2, -1]] * 4)])
case("MultiLabelSoftMarginLoss", lambda: nn.MultiLabelSoftMarginLoss(reduction="sum"), inputs=[x, (signs + 1) / 2], fixed=(1,))
case("MultiMarginLoss", lambda: nn.MultiMarginLoss(p=2, margin=0.6, weight=torch.tensor([1.0, 0.5, 2.0])),
     inputs=[x, torch.tensor([0, 2, 1, 1])])
case("PoissonNLLLoss", lambda: nn.PoissonNLLLoss(full=True), inputs=[x, torch.tensor([[0.0, 3, 5]] * 4)], fixed=(1,))
case("MarginRankingLoss", lambda: nn.MarginRankingLoss(0.3), inputs=[x, y, signs], fixed=(2,))
case("CosineEmbeddingLoss", lambda: nn.CosineEmbeddingLoss(0.1), inputs=[x, y, signs[:, 0].clone()], fixed=(2,))
case("GaussianNLLLoss", lambda: nn.GaussianNLLLoss(full=True), inputs=[x, y, y.abs()])
case("CTCLoss", lambda: nn.CTCLoss(blank=2, reduction="sum"),
     inputs=[nn.functional.log_softmax(torch.randn(5, 2, 3), 2), torch.tensor([[0, 1], [1, 1]]), torch.tensor([5, 4]),
             torch.tensor([2, 1])], fixed=(0,))

write(Path(__file__).with_name("families.golden"), cases)
