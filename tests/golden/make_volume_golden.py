#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes volumes.golden: what PyTorch computes, in float64, on rows and volumes, with indices of maxima, and as losses
of sequences and of distances.

    python3 make_volume_golden.py

The numbers in the repository are those of PyTorch 1.13.1.
"""
import torch
import torch.nn.functional as F

from op_cases import case, distinct, generator, integers, normal, positive, write_cases


def uniform(*shape):
    return torch.rand(shape, generator=generator).mul(900).round().div(1000) + 0.05


# --- convolution

for note, x, out, kernel, options in [
    ("plain", (2, 3, 4, 3, 5), 4, (2, 3, 2), {}),
    ("stride, padding", (1, 2, 5, 4, 3), 3, (3, 3, 3), {"stride": (2, 2, 1), "padding": (1, 1, 1)}),
    ("dilation, groups", (2, 4, 6, 3, 4), 6, (2, 2, 3), {"groups": 2, "dilation": (3, 2, 1), "padding": (2, 0, 1)}),
    ("depth 1", (2, 3, 4, 3, 2), 5, (1, 1, 1), {}),
    ("steps over the end", (1, 2, 8, 2, 2), 2, (3, 1, 1), {"stride": (4, 1, 1), "dilation": (2, 1, 1)}),
    ("no volumes", (0, 2, 3, 3, 3), 3, (2, 2, 2), {}),
]:
    weight = (out, x[1] // options.get("groups", 1), *kernel)
    attributes = {"stride": (1, 1, 1), "padding": (0, 0, 0), "dilation": (1, 1, 1), "groups": 1, **options}
    case("conv3d", note, attributes, [normal(*x), normal(*weight), normal(out)],
         lambda *inputs: F.conv3d(*inputs, **options))
    case("conv3d", note + ", no bias", attributes, [normal(*x), normal(*weight)],
         lambda *inputs: F.conv3d(*inputs, **options))
for note, x, out, kernel, options in [
    ("plain", (2, 3, 2, 3, 4), 4, (2, 3, 2), {}),
    ("stride, padding", (1, 2, 3, 2, 3), 3, (3, 3, 3), {"stride": (2, 2, 1), "padding": (1, 1, 1)}),
    ("output_padding, groups", (1, 4, 2, 3, 2), 6, (2, 2, 3),
     {"groups": 2, "stride": (3, 2, 2), "output_padding": (2, 1, 0), "dilation": (2, 1, 1), "padding": (2, 0, 1)}),
    ("no volumes", (0, 2, 3, 3, 3), 3, (2, 2, 2), {}),
]:
    weight = (x[1], out // options.get("groups", 1), *kernel)
    attributes = {"stride": (1, 1, 1), "padding": (0, 0, 0), "output_padding": (0, 0, 0), "groups": 1,
                  "dilation": (1, 1, 1), **options}
    case("conv_transpose3d", note, attributes, [normal(*x), normal(*weight), normal(out)],
         lambda *inputs: F.conv_transpose3d(*inputs, **options))
    case("conv_transpose3d", note + ", no bias", attributes, [normal(*x), normal(*weight)],
         lambda *inputs: F.conv_transpose3d(*inputs, **options))
for options in [{}, {"stride": 3, "padding": 2, "output_padding": 1, "groups": 2, "dilation": 2}]:
    groups = options.get("groups", 1)
    case("conv_transpose1d", f"{options or 'plain'}",
         {"stride": 1, "padding": 0, "output_padding": 0, "groups": 1, "dilation": 1, **options},
         [normal(2, 4, 5), normal(4, 6 // groups, 3), normal(6)], lambda *inputs: F.conv_transpose1d(*inputs, **options))

# --- pooling

for x, kernel, stride, padding, dilation, ceil in [
    ((2, 2, 4, 5, 6), (2, 3, 2), (2, 2, 2), (0, 1, 1), (1, 1, 1), False),
    ((1, 2, 5, 5, 4), (3, 2, 3), (2, 1, 2), (1, 1, 0), (2, 1, 1), True),
    ((2, 1, 4, 4, 4), (2, 2, 2), (2, 2, 2), (0, 0, 0), (1, 1, 1), False),
    ((0, 2, 3, 3, 3), (2, 2, 2), (1, 1, 1), (0, 0, 0), (1, 1, 1), False),
]:
    attributes = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil}
    note = f"{list(x)} by {list(kernel)}{', ceil' if ceil else ''}"
    case("max_pool3d", note, attributes, [distinct(*x)],
         lambda x: F.max_pool3d(x, kernel, stride, padding, dilation, ceil))
    case("max_pool_with_indices", note, attributes, [distinct(*x)],
         lambda x: F.max_pool3d(x, kernel, stride, padding, dilation, ceil, return_indices=True))
    if dilation == (1, 1, 1) and x[0]:
        for include in [True, False]:
            for divisor in [None, 5]:
                case("avg_pool3d", f"{note}, {include}, {divisor}",
                     {**attributes, "count_include_pad": include, "divisor_override": divisor}, [normal(*x)],
                     lambda x: F.avg_pool3d(x, kernel, stride, padding, ceil, include, divisor))
case("max_pool3d", "of equal values the first wins",
     {"kernel_size": (2, 2, 2), "stride": (2, 2, 2), "padding": (0, 0, 0), "dilation": (1, 1, 1), "ceil_mode": False},
     [torch.ones(1, 1, 2, 2, 4)], lambda x: F.max_pool3d(x, 2))
case("max_pool_with_indices", "of equal values the first wins",
     {"kernel_size": (2, 2, 2), "stride": (2, 2, 2), "padding": (0, 0, 0), "dilation": (1, 1, 1), "ceil_mode": False},
     [torch.ones(1, 1, 2, 2, 4)], lambda x: F.max_pool3d(x, 2, return_indices=True))
for kernel, stride, padding, dilation, ceil in [(2, 2, 0, 1, False), (3, 2, 1, 2, False), (3, 2, 1, 1, True)]:
    attributes = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil}
    case("max_pool1d", f"{kernel}, {stride}, {padding}, {dilation}, {ceil}", attributes, [distinct(2, 3, 8)],
         lambda x: F.max_pool1d(x, kernel, stride, padding, dilation, ceil))
    if dilation == 1:
        case("avg_pool1d", f"{kernel}, {stride}, {padding}, {ceil}", {**attributes, "count_include_pad": False},
             [normal(2, 3, 8)], lambda x: F.avg_pool1d(x, kernel, stride, padding, ceil, False))
for x, size in [((2, 2, 4, 5, 6), (2, 3, 4)), ((1, 2, 3, 3, 3), (1, 1, 1)), ((1, 1, 2, 3, 4), (3, 3, 5))]:
    note, attributes = f"{list(x)} to {list(size)}", {"output_size": size}
    case("adaptive_avg_pool3d", note, attributes, [normal(*x)], lambda x: F.adaptive_avg_pool3d(x, size))
    case("adaptive_max_pool3d", note, attributes, [distinct(*x)], lambda x: F.adaptive_max_pool3d(x, size))
    case("adaptive_max_pool_with_indices", note, attributes, [distinct(*x)],
         lambda x: F.adaptive_max_pool3d(x, size, return_indices=True))
case("adaptive_avg_pool1d", "7 to 3", {"output_size": 3}, [normal(2, 3, 7)], lambda x: F.adaptive_avg_pool1d(x, 3))
case("adaptive_max_pool1d", "7 to 3", {"output_size": 3}, [distinct(2, 3, 7)], lambda x: F.adaptive_max_pool1d(x, 3))
for note, size in [("7, 6, 5 to 3, 4, 2", (3, 4, 2)), ("to 1, 5, 3", (1, 5, 3))]:
    case("fractional_max_pool", note, {"kernel_size": (2, 1, 2), "output_size": size},
         [distinct(2, 2, 7, 6, 5), uniform(2, 2, 3)],
         lambda x, samples: F.fractional_max_pool3d(x, (2, 1, 2), size, return_indices=True, _random_samples=samples),
         fixed=(1,))
case("fractional_max_pool2d", "7, 6 to 3, 4", {"kernel_size": (2, 3), "output_size": (3, 4)},
     [distinct(2, 2, 7, 6), uniform(2, 2, 2)],
     lambda x, samples: F.fractional_max_pool2d(x, (2, 3), (3, 4), return_indices=True, _random_samples=samples),
     fixed=(1,))
for shape in [(2, 2, 2, 3, 2)]:
    _, places = F.max_pool3d(distinct(2, 2, 4, 6, 5), 2, return_indices=True)
    case("max_unpool", "", {"output_size": (4, 6, 5)}, [normal(*shape), places],
         lambda x, places: F.max_unpool3d(x, places, 2, output_size=(4, 6, 5)))
for p, kernel, stride, ceil in [(2.0, (2, 3), (2, 2), False), (3.0, (3, 2), (1, 2), False)]:
    case("lp_pool2d", f"{p}, {list(kernel)}", {"norm_type": p, "kernel_size": kernel, "stride": stride},
         [positive(2, 2, 5, 6)], lambda x: F.lp_pool2d(x, p, kernel, stride, ceil))
case("lp_pool1d", "1.5", {"norm_type": 1.5, "kernel_size": 3}, [positive(2, 2, 7)], lambda x: F.lp_pool1d(x, 1.5, 3))

# --- resizing


def corners(mode, value):
    return {"align_corners": value} if mode in ("linear", "trilinear", "bicubic") else {}


for shape, sizes, scales, modes in [
    ((2, 2, 5), [(8,), (3,), (5,)], [(1.7,), (0.6,)], ["nearest", "nearest-exact", "linear", "area"]),
    ((1, 2, 4, 5), [(7, 8), (2, 3), (4, 9)], [(1.7, 0.6), (2.0, 2.0)], ["nearest-exact", "bicubic", "area"]),
    ((1, 2, 3, 4, 3), [(5, 7, 2), (2, 2, 6)], [(1.7, 0.8, 2.0)], ["nearest", "nearest-exact", "trilinear", "area"]),
]:
    for mode in modes:
        for value in [False, True] if corners(mode, True) else [False]:
            for size in sizes:
                case("resize", f"{mode}, {list(shape)} to {list(size)}, {value}",
                     {"mode": mode, "size": size, "align_corners": value}, [normal(*shape)],
                     lambda x: F.interpolate(x, size, mode=mode, **corners(mode, value)))
            for scale in scales:
                case("resize", f"{mode}, {list(shape)} by {list(scale)}, {value}",
                     {"mode": mode, "scale": torch.tensor(scale), "align_corners": value}, [normal(*shape)],
                     lambda x: F.interpolate(x, scale_factor=scale, mode=mode, **corners(mode, value)))
for size in range(1, 24):
    case("resize", f"nearest-exact, 7 to {size}", {"mode": "nearest-exact", "size": (size,), "align_corners": False},
         [distinct(1, 1, 7)], lambda x: F.interpolate(x, size, mode="nearest-exact"))

# --- channels

for shape, size in [((2, 5, 3), 3), ((2, 4, 2, 3), 2), ((1, 6, 2, 2, 2), 5), ((1, 2, 3), 4)]:
    case("local_response_norm", f"{list(shape)}, {size}", {"size": size, "alpha": 0.1, "beta": 0.6, "k": 1.5},
         [normal(*shape, scale=3)], lambda x: F.local_response_norm(x, size, 0.1, 0.6, 1.5))
case("channel_shuffle", "6 in 3", {"groups": 3}, [normal(2, 6, 2, 3)], lambda x: F.channel_shuffle(x, 3),
     fixed=(0,))  # PyTorch 1.13 has no gradient of it
for training in [True, False]:
    attributes = {"training": training, "momentum": 0.3, "eps": 1e-3}
    case("instance_norm", f"training {training}", {**attributes, "has_weight": True, "has_bias": True},
         [normal(3, 2, 4, 2), normal(2), positive(2), normal(2), normal(2)],
         lambda x, mean, var, w, b: F.instance_norm(x, mean, var, w, b, training, 0.3, 1e-3), fixed=(1, 2))
    case("instance_norm", f"training {training}, plain", {**attributes, "has_weight": False, "has_bias": False},
         [normal(2, 3, 5), normal(3), positive(3)],
         lambda x, mean, var: F.instance_norm(x, mean, var, None, None, training, 0.3, 1e-3), fixed=(1, 2))
case("instance_norm_of_images", "", {"eps": 1e-3}, [normal(2, 3, 5, 2), normal(3), normal(3)],
     lambda x, w, b: F.instance_norm(x, None, None, w, b, True, 0.1, 1e-3))

# --- what draws

for p in [0.3, 0.5]:
    for shape in [(3, 7), (2, 3, 2, 2)]:
        for training in [True, False]:
            attributes = {"p": p, "training": training}
            case("alpha_dropout", f"{p}, {list(shape)}, {training}", attributes, [normal(*shape)],
                 lambda x: F.alpha_dropout(x, p, training), seed=4)
            case("feature_alpha_dropout", f"{p}, {list(shape)}, {training}", attributes, [normal(*shape)],
                 lambda x: F.feature_alpha_dropout(x, p, training), seed=4)
for training in [True, False]:
    case("rrelu", f"training {training}", {"lower": 0.1, "upper": 0.4, "training": training}, [normal(4, 9)],
         lambda x: F.rrelu(x, 0.1, 0.4, training), seed=9)

# --- rows

for mode in ["sum", "mean", "max"]:
    for padding in [None, 2]:
        attributes = {"mode": mode, "include_last_offset": False, "padding_idx": padding, "has_weights": False}
        case("embedding_bag", f"{mode}, {padding}", {**attributes, "has_offsets": False},
             [integers(0, 5, 3, 4), distinct(5, 3)],
             lambda i, w: F.embedding_bag(i, w, mode=mode, padding_idx=padding))
        for last in [False, True]:
            case("embedding_bag", f"{mode}, {padding}, offsets, {last}",
                 {**attributes, "has_offsets": True, "include_last_offset": last},
                 [integers(0, 5, 7), distinct(5, 3), torch.tensor([0, 3, 3, 7] if last else [0, 3, 3])],
                 lambda i, w, o: F.embedding_bag(i, w, o, mode=mode, padding_idx=padding, include_last_offset=last))
case("embedding_bag", "weights", {"mode": "sum", "padding_idx": None, "has_offsets": True, "has_weights": True},
     [integers(0, 5, 7), normal(5, 3), torch.tensor([0, 3, 3]), normal(7)],
     lambda i, w, o, s: F.embedding_bag(i, w, o, mode="sum", per_sample_weights=s))
for lead in [(), (3,), (2, 3)]:
    case("bilinear", f"{list(lead)}", {}, [normal(*lead, 2), normal(*lead, 4), normal(5, 2, 4), normal(5)], F.bilinear)
case("rms_norm", "", {}, [normal(3, 2, 4), normal(2, 4)],
     lambda x, w: x / torch.sqrt((x * x).mean((1, 2), keepdim=True) + 1e-5) * w)

# --- losses


def signs(*shape):
    return integers(0, 2, *shape).double() * 2 - 1


for reduction in ["none", "mean", "sum"]:
    attributes = {"reduction": reduction}

    def loss(op, note, options, inputs, function, fixed=()):
        case(op, f"{note}, {reduction}", {**attributes, **options}, inputs,
             lambda *x: function(*x, reduction=reduction), fixed=fixed)

    loss("margin_ranking_loss", "", {"margin": 0.3}, [normal(3, 4), normal(3, 4), signs(3, 4)],
         lambda *x, **k: F.margin_ranking_loss(*x, margin=0.3, **k), fixed=(2,))
    loss("hinge_embedding_loss", "", {"margin": 0.7}, [normal(3, 4), signs(3, 4)],
         lambda *x, **k: F.hinge_embedding_loss(*x, margin=0.7, **k), fixed=(1,))
    loss("cosine_embedding_loss", "", {"margin": 0.1}, [normal(6, 4), normal(6, 4), signs(6)],
         lambda *x, **k: F.cosine_embedding_loss(*x, margin=0.1, **k), fixed=(2,))
    loss("cosine_embedding_loss", "one", {"margin": 0.0}, [normal(4), normal(4), signs()],
         lambda *x, **k: F.cosine_embedding_loss(*x, **k), fixed=(2,))
    loss("soft_margin_loss", "", {}, [normal(3, 4, scale=3), signs(3, 4)], F.soft_margin_loss, fixed=(1,))
    loss("multilabel_soft_margin_loss", "", {}, [normal(3, 4), integers(0, 2, 3, 4).double()],
         F.multilabel_soft_margin_loss, fixed=(1,))
    loss("multilabel_soft_margin_loss", "weight", {}, [normal(3, 4), integers(0, 2, 3, 4).double(), positive(4)],
         lambda x, y, w, **k: F.multilabel_soft_margin_loss(x, y, w, **k), fixed=(1, 2))
    for p in [1, 2]:
        loss("multi_margin_loss_function", f"p {p}", {"p": p, "margin": 0.8}, [normal(4, 5), integers(0, 5, 4)],
             lambda x, y, **k: F.multi_margin_loss(x, y, p=p, margin=0.8, **k))
        loss("multi_margin_loss_function", f"p {p}, weight", {"p": p, "margin": 0.8},
             [normal(4, 5), integers(0, 5, 4), positive(5)],
             lambda x, y, w, **k: F.multi_margin_loss(x, y, p=p, margin=0.8, weight=w, **k), fixed=(2,))
    labels = torch.tensor([[3, 0, -1, 1], [-1, 2, 0, 1], [0, 1, 2, 3]])
    loss("multilabel_margin_loss", "", {}, [normal(3, 4), labels], F.multilabel_margin_loss)
    loss("multilabel_margin_loss", "one", {}, [normal(4), labels[0]], F.multilabel_margin_loss)
    for full in [False, True]:
        for log_input in [False, True]:
            loss("poisson_nll_loss", f"{log_input}, {full}", {"log_input": log_input, "full": full},
                 [positive(3, 4), integers(0, 5, 3, 4).double()],
                 lambda *x, **k: F.poisson_nll_loss(*x, log_input=log_input, full=full, **k), fixed=(1,))
        for var in [(3, 4), (3,), (3, 1)]:
            loss("gaussian_nll_loss", f"{list(var)}, {full}", {"full": full},
                 [normal(3, 4), normal(3, 4), positive(*var) - 0.25],
                 lambda *x, **k: F.gaussian_nll_loss(*x, full=full, **k))
    lengths, label_lengths = torch.tensor([6, 5, 4]), torch.tensor([3, 0, 2])
    for note, targets in [("", torch.tensor([[1, 1, 2], [4, 4, 4], [3, 2, 0]])), ("joined", torch.tensor([1, 1, 2, 3, 2]))]:
        for zero in [False, True]:
            loss("ctc_loss_of_logits", f"{note}, {zero}", {"blank": 4, "zero_infinity": zero},
                 [normal(6, 3, 5), targets, lengths, label_lengths],
                 lambda x, *others, **k: F.ctc_loss(F.log_softmax(x, 2), *others, blank=4, zero_infinity=zero, **k))
    loss("ctc_loss_of_logits", "too long", {"blank": 0, "zero_infinity": True},
         [normal(3, 2, 4), torch.tensor([[1, 1, 2], [1, 2, 3]]), torch.tensor([3, 3]), torch.tensor([3, 3])],
         lambda x, *others, **k: F.ctc_loss(F.log_softmax(x, 2), *others, zero_infinity=True, **k))
    loss("ctc_loss_of_logits", "one", {"blank": 0, "zero_infinity": False},
         [normal(6, 4), torch.tensor([1, 3]), torch.tensor(6), torch.tensor(2)],
         lambda x, *others, **k: F.ctc_loss(F.log_softmax(x, 1), *others, **k))
case("ctc_loss", "", {"blank": 0}, [F.log_softmax(normal(5, 2, 4), 2), torch.tensor([[1, 2], [3, 3]]),
                                    torch.tensor([5, 4]), torch.tensor([2, 1])],
     lambda *x: F.ctc_loss(*x, reduction="none"), fixed=(0,))
case("multi_margin_loss", "", {"p": 2, "margin": 0.8, "several": False, "has_weight": False},
     [normal(4, 5), integers(0, 5, 4)], lambda x, y: F.multi_margin_loss(x, y, p=2, margin=0.8, reduction="none"))

write_cases("volumes.golden")
