#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes layers.golden: what PyTorch computes, in float64, for cases of the operations of layers and losses.

    python3 make_layer_golden.py

The numbers in the repository are those of PyTorch 1.13.1.
"""
import torch
import torch.nn.functional as F

from op_cases import case, distinct, generator, integers, normal, positive, write_cases

i64 = torch.int64


def probabilities(*shape):
    return torch.rand(shape, generator=generator).mul(900).round().div(1000) + 0.05


# --- activations

WIDE = torch.tensor([-1000.0, -50, -5, -3, -1, -0.001, 0, 0.001, 1, 3, 5, 6, 50, 1000])
for op, function in {"gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu,
                     "hardswish": F.hardswish,
                     "hardsigmoid": lambda x: F.relu6(x + 3) / 6}.items():  # F.hardsigmoid has a float32 1 / 6
    for shape in [(3, 5), (), (0,), (2, 1, 3)]:
        case(op, f"{list(shape)}", {}, [normal(*shape, scale=2)], function)
    case(op, "near and far from 0", {}, [WIDE], function)
for low, high in [(-1.0, 1.0), (0.0, 6.0), (-0.5, 0.75)]:
    case("hardtanh", f"{low} to {high}", {"min": low, "max": high}, [normal(3, 5, scale=3)],
         lambda x: F.hardtanh(x, low, high))
    case("hardtanh", f"{low} to {high}, at the bounds", {"min": low, "max": high}, [torch.tensor([low, high, 0.25])],
         lambda x: F.hardtanh(x, low, high))
for alpha in [1.0, 0.3, -0.5]:
    case("elu", f"alpha {alpha}", {"alpha": alpha}, [normal(3, 5, scale=2)], lambda x: F.elu(x, alpha))
    case("elu", f"alpha {alpha}, near and far from 0", {"alpha": alpha}, [WIDE], lambda x: F.elu(x, alpha))
for beta, threshold in [(1.0, 20.0), (2.0, 3.0), (0.5, 1.0)]:
    attributes = {"beta": beta, "threshold": threshold}
    case("softplus", f"beta {beta}, threshold {threshold}", attributes, [normal(3, 5, scale=2)],
         lambda x: F.softplus(x, beta, threshold))
    case("softplus", f"beta {beta}, threshold {threshold}, near and far from 0", attributes, [WIDE],
         lambda x: F.softplus(x, beta, threshold))
for x, weight in [((2, 3, 4), (3,)), ((2, 3), (3,)), ((2, 3, 2, 2), (1,)), ((5,), (1,)), ((0, 3), (3,))]:
    case("prelu", f"{list(x)} with {list(weight)}", {}, [normal(*x), normal(*weight)], F.prelu)
case("prelu", "at 0", {}, [torch.tensor([-1.0, 0, 1]), torch.tensor([0.5])], F.prelu)

# --- convolution

for note, x, out, kernel, options in [
    ("plain", (2, 3, 4, 5), 4, (3, 2), {}),
    ("stride (2, 1), padding", (1, 2, 4, 3), 3, (3, 3), {"stride": (2, 1), "padding": (1, 1)}),
    ("output_padding", (2, 2, 3, 4), 3, (3, 3), {"stride": (2, 3), "padding": (1, 0), "output_padding": (1, 2)}),
    ("output_padding above the stride", (1, 2, 3, 3), 2, (2, 3), {"dilation": (3, 2), "output_padding": (2, 1)}),
    ("groups and dilation", (2, 4, 3, 4), 6, (2, 3), {"groups": 2, "dilation": (2, 1), "stride": (1, 2)}),
    ("depthwise", (1, 4, 5, 5), 4, (3, 3), {"groups": 4, "stride": (2, 2), "padding": (1, 1)}),
    ("1x1", (2, 3, 3, 2), 5, (1, 1), {}),
    ("one pixel", (2, 3, 1, 1), 4, (4, 4), {"stride": (2, 2)}),
    ("no images", (0, 2, 3, 3), 3, (2, 2), {}),
]:
    weight = (x[1], out // options.get("groups", 1), *kernel)
    attributes = {"stride": (1, 1), "padding": (0, 0), "output_padding": (0, 0), "groups": 1, "dilation": (1, 1),
                  **options}
    case("conv_transpose2d", note, attributes, [normal(*x), normal(*weight), normal(out)],
         lambda *inputs: F.conv_transpose2d(*inputs, **options))
    case("conv_transpose2d", note + ", no bias", attributes, [normal(*x), normal(*weight)],
         lambda *inputs: F.conv_transpose2d(*inputs, **options))
for note, x, out, kernel, options in [
    ("plain", (2, 3, 7), 4, 3, {}),
    ("everything at once", (2, 4, 11), 6, 3, {"stride": 2, "padding": 3, "dilation": 2, "groups": 2}),
]:
    attributes = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, **options}
    weight = (out, x[1] // options.get("groups", 1), kernel)
    case("conv1d", note, attributes, [normal(*x), normal(*weight), normal(out)],
         lambda *inputs: F.conv1d(*inputs, **options))

# --- pooling, resizing, padding

for x, size in [((2, 3, 6, 4), (3, 2)), ((1, 2, 7, 5), (3, 4)), ((1, 2, 5, 6), (1, 1)), ((2, 2, 3, 4), (3, 4)),
                ((1, 1, 3, 2), (5, 7)), ((1, 2, 13, 1), (6, 1)), ((0, 2, 4, 4), (2, 2)), ((1, 1, 9, 40), (2, 1))]:
    attributes = {"output_size": size}
    case("adaptive_avg_pool2d", f"{list(x)} to {list(size)}", attributes, [normal(*x)],
         lambda x: F.adaptive_avg_pool2d(x, size))
    case("adaptive_max_pool2d", f"{list(x)} to {list(size)}", attributes, [distinct(*x)],
         lambda x: F.adaptive_max_pool2d(x, size))
case("adaptive_max_pool2d", "of equal values the first wins", {"output_size": (1, 2)},
     [torch.tensor([[[[1.0, 1, 2, 0], [1, 1, 2, 2]]]])], lambda x: F.adaptive_max_pool2d(x, (1, 2)))

for x in [(2, 3, 4, 5), (1, 1, 1, 3), (1, 2, 7, 6)]:
    for mode, corners in [("nearest", None), ("bilinear", False), ("bilinear", True)]:
        for size in [(8, 10), (3, 7), (1, 1), (5, 6), (2, 13)]:
            case("interpolate", f"{list(x)} to {list(size)}, {mode}{', align_corners' if corners else ''}",
                 {"size": size, "mode": mode, "align_corners": bool(corners)}, [normal(*x)],
                 lambda x: F.interpolate(x, size, mode=mode, align_corners=corners))
        for scale in [(2.0, 2.0), (1.3, 2.6), (3.0, 0.75)]:
            if int(x[2] * scale[0]) == 0 or int(x[3] * scale[1]) == 0:
                continue
            case("interpolate", f"{list(x)} by {list(scale)}, {mode}{', align_corners' if corners else ''}",
                 {"scale_height": scale[0], "scale_width": scale[1], "mode": mode, "align_corners": bool(corners)},
                 [normal(*x)], lambda x: F.interpolate(x, scale_factor=scale, mode=mode, align_corners=corners))
case("interpolate", "no images", {"size": (2, 2)}, [normal(0, 2, 3, 3)], lambda x: F.interpolate(x, (2, 2)))
for size in range(1, 40):  # sizes at which a rounding decides
    case("interpolate", f"a row of 7 to {size}", {"size": (1, size)}, [distinct(1, 1, 1, 7)],
         lambda x: F.interpolate(x, (1, size)))

for mode in ["reflect", "replicate", "circular"]:
    for x, padding in [((1, 2, 4, 5), (2, 1, 3, 2)), ((2, 3, 3), (0, 2)), ((1, 2, 3, 4), (1, 1, 0, 0)),
                       ((1, 1, 3, 3), (2, 2, 2, 2)), ((0, 2, 3, 3), (1, 1, 1, 1)), ((1, 1, 2, 3), (0, 0, 1, 1))]:
        case("pad", f"{list(x)} by {list(padding)}, {mode}", {"padding": padding, "mode": mode}, [normal(*x)],
             lambda x: F.pad(x, padding, mode=mode))

# --- normalisation, regularisation, embedding

for x, groups in [((2, 4, 3, 2), 2), ((3, 6), 3), ((1, 4, 5), 1), ((2, 4, 40), 4), ((2, 3, 2, 2, 2), 3), ((0, 4, 2), 2),
                  ((1, 2, 70, 3), 1)]:
    c = x[1]
    attributes = {"num_groups": groups, "eps": 1e-3}
    case("group_norm", f"{list(x)} in {groups}", {**attributes, "has_weight": True, "has_bias": True},
         [normal(*x, scale=2), normal(c), normal(c)], lambda x, w, b: F.group_norm(x, groups, w, b, 1e-3))
    case("group_norm", f"{list(x)} in {groups}, plain", {**attributes, "has_weight": False, "has_bias": False},
         [normal(*x, scale=2)], lambda x: F.group_norm(x, groups, eps=1e-3))
case("group_norm", "weight alone", {"num_groups": 2, "has_weight": True, "has_bias": False},
     [normal(2, 4, 3), normal(4)], lambda x, w: F.group_norm(x, 2, w))
case("group_norm", "bias alone", {"num_groups": 2, "has_weight": False, "has_bias": True},
     [normal(2, 4, 3), normal(4)], lambda x, b: F.group_norm(x, 2, torch.ones(4), b))  # None fails in PyTorch 1.13
for x, last in [((3, 5), (5,)), ((2, 3, 4), (3, 4)), ((2, 3, 4), (4,)), ((7,), (7,)), ((0, 3), (3,)), ((3, 70), (70,)),
                ((2, 1), (1,))]:
    attributes = {"normalized_shape": last, "eps": 1e-3}
    case("layer_norm", f"{list(x)} over {list(last)}", {**attributes, "has_weight": True, "has_bias": True},
         [normal(*x, scale=2), normal(*last), normal(*last)], lambda x, w, b: F.layer_norm(x, last, w, b, 1e-3))
    case("layer_norm", f"{list(x)} over {list(last)}, plain", {**attributes, "has_weight": False, "has_bias": False},
         [normal(*x, scale=2)], lambda x: F.layer_norm(x, last, eps=1e-3))

case("dropout2d", "evaluation", {"p": 0.5, "training": False}, [normal(2, 3, 2, 1)], lambda x: F.dropout2d(x, 0.5, False))
for p in [0.5, 0.2, 0.0, 1.0]:
    for shape in [(3, 7, 2, 2), (2, 40, 1, 1)]:
        case("dropout2d", f"{list(shape)}, training, p {p}", {"p": p, "training": True}, [normal(*shape)],
             lambda x: F.dropout2d(x, p, True), seed=7)

for index, padding in [([[1, 0, 3], [3, 3, 1]], None), ([1, 0, 3, 0], 0), ([1, 0, 3, 3], -2), ([], None)]:
    case("embedding", f"{index}, padding_idx {padding}", {"padding_idx": padding},
         [torch.tensor(index, dtype=i64), normal(5, 3)],
         lambda i, w: F.embedding(i, w, padding_idx=padding))
case("embedding", "one index", {"padding_idx": None}, [torch.tensor(2), normal(5, 3)], F.embedding)

# --- losses

REDUCTIONS = ["none", "mean", "sum"]
for shape, target in [((5, 3), (5,)), ((2, 4, 2, 3), (2, 2, 3))]:
    c = shape[1]
    for reduction in REDUCTIONS:
        for ignore in [-100, 1]:
            attributes = {"reduction": reduction, "ignore_index": ignore}
            note = f"{list(shape)}, {reduction}, ignoring {ignore}"
            inputs = [normal(*shape), integers(0, c, *target)]
            case("nll_loss", f"{note}, weighted", attributes, inputs + [positive(c)],
                 lambda x, t, w: F.nll_loss(x, t, w, ignore_index=ignore, reduction=reduction), fixed=[2])
            case("nll_loss", note, attributes, inputs,
                 lambda x, t: F.nll_loss(x, t, ignore_index=ignore, reduction=reduction))
            for smoothing in [0.0, 0.1, 1.0]:
                attributes = {**attributes, "label_smoothing": smoothing}
                case("cross_entropy", f"{note}, smoothing {smoothing}, weighted", attributes, inputs + [positive(c)],
                     lambda x, t, w: F.cross_entropy(x, t, w, ignore_index=ignore, reduction=reduction,
                                                     label_smoothing=smoothing), fixed=[2])
                case("cross_entropy", f"{note}, smoothing {smoothing}", attributes, inputs,
                     lambda x, t: F.cross_entropy(x, t, ignore_index=ignore, reduction=reduction,
                                                  label_smoothing=smoothing))
        for smoothing in [0.0, 0.2]:
            attributes = {"reduction": reduction, "ignore_index": -100, "label_smoothing": smoothing}
            inputs = [normal(*shape), torch.softmax(normal(*shape), 1)]
            case("cross_entropy", f"{list(shape)}, {reduction}, probabilities, smoothing {smoothing}", attributes,
                 inputs, lambda x, t: F.cross_entropy(x, t, reduction=reduction, label_smoothing=smoothing))
            case("cross_entropy", f"{list(shape)}, {reduction}, probabilities, smoothing {smoothing}, weighted",
                 attributes, inputs + [positive(c)],
                 lambda x, t, w: F.cross_entropy(x, t, w, reduction=reduction, label_smoothing=smoothing), fixed=[2])
case("nll_loss", "all targets ignored", {"reduction": "mean", "ignore_index": 2}, [normal(2, 3), torch.tensor([2, 2])],
     lambda x, t: F.nll_loss(x, t, ignore_index=2))

for shape in [(3, 4), (), (2, 0)]:
    for reduction in REDUCTIONS:
        note, attributes = f"{list(shape)}, {reduction}", {"reduction": reduction}
        pair = [normal(*shape, scale=2), normal(*shape)]
        case("l1_loss", note, attributes, pair, lambda x, t: F.l1_loss(x, t, reduction=reduction))
        for beta in [1.0, 0.4, 0.0]:
            case("smooth_l1_loss", f"{note}, beta {beta}", {**attributes, "beta": beta}, pair,
                 lambda x, t: F.smooth_l1_loss(x, t, reduction=reduction, beta=beta))
        for delta in [1.0, 0.4]:
            case("huber_loss", f"{note}, delta {delta}", {**attributes, "delta": delta}, pair,
                 lambda x, t: F.huber_loss(x, t, reduction=reduction, delta=delta))
        case("binary_cross_entropy", note, attributes, [probabilities(*shape), probabilities(*shape)],
             lambda x, t: F.binary_cross_entropy(x, t, reduction=reduction))
        case("binary_cross_entropy_with_logits", note, attributes, [normal(*shape, scale=3), probabilities(*shape)],
             lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction=reduction))
        case("kl_div", note, attributes, [normal(*shape), probabilities(*shape)],
             lambda x, t: F.kl_div(x, t, reduction=reduction))
        case("kl_div_log_target", note, attributes, pair,
             lambda x, t: F.kl_div(x, t, reduction=reduction, log_target=True))
for op in ["l1_loss", "smooth_l1_loss"]:
    case(op, "equal values", {"reduction": "sum"}, [torch.tensor([1.0, 2, 3]), torch.tensor([1.0, 3, 2])],
         lambda x, t: getattr(F, op)(x, t, reduction="sum"))
case("binary_cross_entropy", "0 and 1", {"reduction": "none"}, [torch.tensor([0.0, 0, 1, 1]),
                                                                 torch.tensor([0.0, 1, 0, 1])],
     lambda x, t: F.binary_cross_entropy(x, t, reduction="none"), fixed=[1])
case("binary_cross_entropy_with_logits", "large logits", {"reduction": "none"},
     [torch.tensor([-1000.0, -1000, -50, 50, 1000, 1000]), torch.tensor([0.0, 1, 0.5, 0.5, 0, 1])],
     lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"))
case("kl_div", "a target of 0", {"reduction": "none"}, [normal(3), torch.tensor([0.0, 0.5, 1])],
     lambda x, t: F.kl_div(x, t, reduction="none"), fixed=[1])
case("kl_div", "batchmean", {"reduction": "batchmean"}, [normal(3, 4), probabilities(3, 4)],
     lambda x, t: F.kl_div(x, t, reduction="batchmean"))
for reduction in REDUCTIONS:
    attributes = {"reduction": reduction}
    case("weighted_binary_cross_entropy", reduction, attributes,
         [probabilities(3, 4), probabilities(3, 4), positive(4)],
         lambda x, t, w: F.binary_cross_entropy(x, t, w, reduction=reduction), fixed=[2])
    case("weighted_binary_cross_entropy_with_logits", reduction, attributes,
         [normal(3, 4, scale=3), probabilities(3, 4), positive(3, 1), positive(4)],
         lambda x, t, w, p: F.binary_cross_entropy_with_logits(x, t, w, pos_weight=p, reduction=reduction), fixed=[2, 3])

write_cases("layers.golden")
