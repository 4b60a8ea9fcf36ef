#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes ops.golden: what PyTorch computes, in float64, for cases of every operation but those of make_layer_golden.py.

    python3 make_op_golden.py

The numbers in the repository are those of PyTorch 1.13.1.
"""
import itertools

import torch
import torch.nn.functional as F

from op_cases import case, distinct, integers, normal, positive, write_cases

f64, i64 = torch.float64, torch.int64

# --- element by element, two tensors

SHAPES = [
    ((3, 4), (3, 4)), ((3, 4), (4,)), ((2, 1, 3), (4, 1)), ((), (2, 3)), ((5,), ()), ((2, 0, 3), (1, 3)), ((1,), (0,)),
    ((2, 1, 2, 1), (1, 3, 1, 2)),
]
for op in ["add", "sub", "mul", "div", "maximum", "minimum", "pow"]:
    for a, b in SHAPES:
        first = positive(*a) if op == "pow" else normal(*a)
        second = positive(*b) if op == "div" else normal(*b)
        case(op, f"{list(a)} with {list(b)}", {}, [first, second], getattr(torch, op))
for op in ["add", "sub", "mul", "maximum", "minimum"]:
    case(op, "int64", {}, [integers(-9, 9, 2, 3), integers(-9, 9, 3)], getattr(torch, op))
for op in ["maximum", "minimum"]:
    case(op, "equal values share the gradient", {}, [torch.tensor([1.0, 2, 3]), torch.tensor([1.0, 3, 2])],
         getattr(torch, op))
case("pow", "a base of 0", {}, [torch.tensor([0.0, 0, 0, 0]), torch.tensor([0.0, 1, 2, 0.5])], torch.pow)

for op in ["eq", "ne", "lt", "le", "gt", "ge"]:
    for a, b in SHAPES[:6]:
        case(op, f"{list(a)} with {list(b)}", {}, [integers(0, 3, *a), integers(0, 3, *b)], getattr(torch, op))
    case(op, "float64", {}, [torch.tensor([1.0, 2, 3]), torch.tensor([2.0])], getattr(torch, op))
    case(op + "_scalar", "float64", {"value": 2.0}, [torch.tensor([1.0, 2, 3])], lambda x: getattr(torch, op)(x, 2))
    case(op + "_scalar", "int64", {"value": 2.0}, [integers(0, 4, 2, 3)], lambda x: getattr(torch, op)(x, 2))

# --- element by element, a tensor and a number

for op, function in {
    "add_scalar": lambda x, c: x + c, "sub_scalar": lambda x, c: x - c, "rsub_scalar": lambda x, c: c - x,
    "mul_scalar": lambda x, c: x * c, "div_scalar": lambda x, c: x / c, "rdiv_scalar": lambda x, c: c / x,
}.items():
    for c, shape in [(2.5, (2, 3)), (-0.75, ()), (3.0, (2, 0))]:
        case(op, f"{c} and {list(shape)}", {"value": c}, [positive(*shape)], lambda x: function(x, c))
for exponent in [2.0, 3.0, 0.5, -1.0, -1.5, 0.0, 1.0]:
    case("pow_scalar", f"exponent {exponent}", {"exponent": exponent}, [positive(2, 3)], lambda x: x ** exponent)
for exponent in [2.0, 3.0, 0.0]:
    case("pow_scalar", f"negative base, exponent {exponent}", {"exponent": exponent},
         [torch.tensor([-1.5, 0.0, 2.0])], lambda x: x ** exponent)

# --- element by element, one tensor

for op in ["neg", "exp", "log", "sqrt", "abs", "relu", "sigmoid", "tanh"]:
    for shape in [(3, 5), (), (0,), (2, 1, 3)]:
        x = positive(*shape) if op in ("log", "sqrt") else normal(*shape, scale=2)
        case(op, f"{list(shape)}", {}, [x], getattr(torch, op))
for op in ["abs", "relu"]:
    case(op, "at 0", {}, [torch.tensor([-1.0, 0, 1])], getattr(torch, op))
for op in ["sigmoid", "tanh"]:
    case(op, "far from 0", {}, [torch.tensor([-800.0, -40, -20, 20, 40, 800])], getattr(torch, op))
for op in ["neg", "abs"]:
    case(op, "int64", {}, [integers(-9, 9, 2, 3)], getattr(torch, op))
for slope in [0.01, 0.3, -0.5]:
    case("leaky_relu", f"slope {slope}", {"negative_slope": slope}, [normal(3, 4)],
         lambda x: F.leaky_relu(x, slope))
for low, high in [(-0.5, 0.75), (None, 0.25), (-0.25, None), (0.5, -0.5)]:
    case("clamp", f"{low} to {high}", {"min": low, "max": high}, [normal(3, 5)], lambda x: torch.clamp(x, low, high))
case("clamp", "at the bounds the gradient passes", {"min": -1.0, "max": 1.0}, [torch.tensor([-1.0, 0, 1, 2])],
     lambda x: torch.clamp(x, -1, 1))
case("to", "float64 to float64", {"dtype": "float64"}, [normal(2, 3)], lambda x: x * 1)
case("to", "float64 to int64", {"dtype": "int64"}, [torch.tensor([-2.7, -0.5, 0.5, 2.7])], lambda x: x.to(i64))
case("to", "int64 to float64", {"dtype": "float64"}, [integers(-9, 9, 2, 2)], lambda x: x.to(f64))
case("to", "float64 to bool", {"dtype": "bool"}, [torch.tensor([-2.7, 0, 0.5])], lambda x: x.to(torch.bool))
case("clone", "[2, 3]", {}, [normal(2, 3)], torch.clone)
case("detach", "[2, 3]", {}, [normal(2, 3)], torch.detach)

# --- over dimensions

for op in ["softmax", "log_softmax"]:
    for shape, dim in [((3, 5), 1), ((3, 5), 0), ((2, 3, 4), 1), ((2, 3, 4), -3), ((7,), -1), ((2, 1), 1), ((0, 3), 1)]:
        case(op, f"{list(shape)} over {dim}", {"dim": dim}, [normal(*shape, scale=3)],
             lambda x: getattr(torch, op)(x, dim))
    case(op, "large values", {"dim": 0}, [torch.tensor([1000.0, 999, -1000])], lambda x: getattr(torch, op)(x, 0))
    case(op, "a single number", {"dim": 0}, [torch.tensor(2.5)], lambda x: getattr(torch, op)(x, 0))

for op in ["sum", "mean", "max", "min"]:
    function = {"max": torch.amax, "min": torch.amin}.get(op, getattr(torch, op))
    for shape, dims in [((2, 3, 4), ()), ((2, 3, 4), (1,)), ((2, 3, 4), (0, 2)), ((2, 3, 4), (-1,)), ((5,), (0,)),
                        ((2, 3, 1, 2), (-2, 0)), ((), ()), ((2, 3, 4), (0, 1, 2)), ((3, 0, 2), (0,))]:
        for keepdim in [False, True]:
            over = list(dims) if dims else list(range(len(shape)))
            case(op, f"{list(shape)} over {list(dims)}{', keepdim' if keepdim else ''}",
                 {"dims": list(dims), "keepdim": keepdim}, [distinct(*shape)], lambda x: function(x, over, keepdim))
for op in ["sum", "mean"]:
    case(op, "nothing", {"dims": [], "keepdim": False}, [normal(2, 0)], lambda x: getattr(torch, op)(x))
    case(op, "of empty rows", {"dims": [1], "keepdim": False}, [normal(2, 0)], lambda x: getattr(torch, op)(x, 1))
case("max", "equal maxima share the gradient", {"dims": [1], "keepdim": False},
     [torch.tensor([[1.0, 2, 2], [3, 3, 3]])], lambda x: torch.amax(x, 1))
case("min", "equal minima share the gradient", {"dims": [], "keepdim": False},
     [torch.tensor([[1.0, 2, 2], [3, 1, 3]])], lambda x: torch.amin(x))
case("sum", "int64", {"dims": [0], "keepdim": False}, [integers(-9, 9, 3, 2)], lambda x: x.sum(0))
case("sum", "bool", {"dims": [], "keepdim": False}, [integers(0, 2, 3, 2).bool()], lambda x: x.sum())
for shape, dim, keepdim in [((2, 3, 4), None, False), ((2, 3, 4), 1, False), ((2, 3, 4), -1, True), ((5,), 0, False),
                            ((3, 4), 0, True)]:
    case("argmax", f"{list(shape)} over {dim}{', keepdim' if keepdim else ''}", {"dim": dim, "keepdim": keepdim},
         [distinct(*shape)], lambda x: torch.argmax(x, dim, keepdim))
case("argmax", "the first of equal ones", {"dim": 1, "keepdim": False}, [torch.tensor([[1.0, 2, 2], [3, 3, 3]])],
     lambda x: torch.argmax(x, 1))

# --- products

for a, b in [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((1, 5), (5, 1)), ((4, 2, 3), (3, 2)),
             ((2, 3), (4, 3, 2)), ((4, 2, 3), (4, 3, 2)), ((2, 1, 2, 3), (3, 3, 2)), ((3,), (2, 3, 4)),
             ((2, 2, 3), (3,)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((17, 9), (9, 19))]:
    case("matmul", f"{list(a)} x {list(b)}", {}, [normal(*a), normal(*b)], torch.matmul)
for shape in [(4, 3), (3,), (2, 5, 3), (0, 3), (1, 3)]:
    case("linear", f"{list(shape)}", {}, [normal(*shape), normal(2, 3), normal(2)], F.linear)
    case("linear", f"{list(shape)} without bias", {}, [normal(*shape), normal(2, 3)], F.linear)
case("linear", "one output", {}, [normal(5, 7), normal(1, 7), normal(1)], F.linear)

# --- convolution and pooling

for note, x, k, kernel, options in [
    ("plain", (2, 3, 6, 5), 4, (3, 2), {}),
    ("stride (2, 1)", (1, 2, 7, 6), 3, (3, 3), {"stride": (2, 1)}),
    ("padding (2, 1)", (2, 2, 4, 5), 3, (3, 3), {"padding": (2, 1)}),
    ("dilation (1, 2)", (1, 2, 6, 7), 2, (3, 3), {"dilation": (1, 2)}),
    ("everything at once", (2, 4, 8, 9), 6, (3, 2), {"stride": (3, 2), "padding": (2, 1), "dilation": (2, 3),
                                                      "groups": 2}),
    ("groups", (2, 6, 5, 4), 9, (3, 3), {"groups": 3, "padding": (1, 1)}),
    ("depthwise", (2, 5, 6, 6), 5, (3, 3), {"groups": 5, "padding": (1, 1)}),
    ("depthwise, stride 2", (1, 3, 7, 8), 3, (3, 3), {"groups": 3, "stride": (2, 2), "padding": (1, 1)}),
    ("depthwise, two a channel", (1, 3, 5, 5), 6, (3, 3), {"groups": 3}),
    ("1x1", (2, 5, 4, 3), 7, (1, 1), {}),
    ("1x1, stride 2", (1, 3, 5, 4), 4, (1, 1), {"stride": (2, 2)}),
    ("kernel as large as the image", (2, 3, 4, 5), 2, (4, 5), {}),
    ("one channel 5x5", (1, 1, 9, 9), 6, (5, 5), {}),
    ("no images", (0, 2, 4, 4), 3, (3, 3), {}),
    ("wide", (1, 2, 2, 37), 3, (1, 5), {"padding": (0, 2)}),
    ("padding as wide as the image", (1, 2, 3, 3), 2, (3, 3), {"padding": (3, 3)}),
]:
    weight = (k, x[1] // options.get("groups", 1), *kernel)
    attributes = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1, **options}
    case("conv2d", note, attributes, [normal(*x), normal(*weight), normal(k)],
         lambda *inputs: F.conv2d(*inputs, **options))
    case("conv2d", note + ", no bias", attributes, [normal(*x), normal(*weight)],
         lambda *inputs: F.conv2d(*inputs, **options))

for note, x, kernel, options in [
    ("plain", (2, 3, 6, 4), (2, 2), {}),
    ("stride 1", (1, 2, 5, 6), (3, 2), {"stride": (1, 1)}),
    ("padding", (2, 1, 5, 5), (3, 3), {"stride": (2, 2), "padding": (1, 1)}),
    ("asymmetric", (1, 2, 7, 8), (3, 2), {"stride": (2, 3), "padding": (1, 0)}),
    ("ceil_mode", (1, 2, 5, 6), (2, 3), {"stride": (2, 2), "ceil_mode": True}),
    ("ceil_mode and padding", (1, 1, 6, 7), (3, 3), {"stride": (2, 3), "padding": (1, 1), "ceil_mode": True}),
    ("ceil_mode drops a window that begins in the padding", (1, 1, 3, 3), (2, 2),
     {"stride": (3, 3), "padding": (1, 1), "ceil_mode": True}),
    ("odd size, last row ignored", (1, 2, 5, 5), (2, 2), {}),
]:
    full = {"stride": kernel, "padding": (0, 0), "ceil_mode": False, **options}
    case("max_pool2d", note, {"kernel_size": kernel, **full, "dilation": (1, 1)}, [distinct(*x)],
         lambda x: F.max_pool2d(x, kernel, **options))
    for include in [True, False]:
        case("avg_pool2d", f"{note}, count_include_pad {include}",
             {"kernel_size": kernel, **full, "count_include_pad": include, "divisor_override": None}, [normal(*x)],
             lambda x: F.avg_pool2d(x, kernel, count_include_pad=include, **options))
    case("avg_pool2d", f"{note}, divisor_override 5",
         {"kernel_size": kernel, **full, "count_include_pad": True, "divisor_override": 5}, [normal(*x)],
         lambda x: F.avg_pool2d(x, kernel, divisor_override=5, **options))
for note, x, kernel, options in [
    ("dilation (2, 1)", (1, 2, 7, 6), (2, 3), {"stride": (1, 2), "dilation": (2, 1)}),
    ("dilation, padding and ceil_mode", (1, 1, 8, 7), (3, 2),
     {"stride": (2, 2), "padding": (1, 1), "dilation": (2, 3), "ceil_mode": True}),
]:
    full = {"stride": kernel, "padding": (0, 0), "ceil_mode": False, **options}
    case("max_pool2d", note, {"kernel_size": kernel, **full}, [distinct(*x)],
         lambda x: F.max_pool2d(x, kernel, **options))
case("max_pool2d", "of equal values the first wins", {"kernel_size": (2, 2), "stride": (2, 2)},
     [torch.tensor([[[[1.0, 1, 2, 0], [1, 1, 2, 2]]]])], lambda x: F.max_pool2d(x, 2))
case("max_pool2d", "default stride", {"kernel_size": (2, 3)}, [distinct(1, 2, 4, 6)],
     lambda x: F.max_pool2d(x, (2, 3)))

# --- normalisation and regularisation

for x, training, affine in itertools.product([(4, 3), (2, 3, 4, 2), (3, 2, 5), (2, 1, 1, 3)], [False, True],
                                             [False, True]):
    c = x[1]
    for statistics in [True, False] if training else [True]:
        inputs = [normal(*x, scale=2)] + ([normal(c), positive(c)] if statistics else [])
        inputs += [normal(c), normal(c)] if affine else []

        def function(x, *rest):
            mean, var = rest[:2] if statistics else (None, None)
            weight, bias = rest[-2:] if affine else (None, None)
            return F.batch_norm(x, mean, var, weight, bias, training=training, momentum=0.3, eps=1e-3)

        case("batch_norm", f"{list(x)}, {'training' if training else 'evaluation'}"
             f"{'' if affine else ', no affine'}{'' if statistics else ', no running statistics'}",
             {"training": training, "momentum": 0.3, "eps": 1e-3, "has_running_stats": statistics, "has_weight": affine,
              "has_bias": affine}, inputs, function, fixed=[1, 2] if statistics else [])
for name in ["weight", "bias"]:
    case("batch_norm", f"{name} alone", {"training": True, "has_running_stats": False, "has_weight": name == "weight",
                                         "has_bias": name == "bias"},
         [normal(4, 3), normal(3)], lambda x, p: F.batch_norm(x, None, None, training=True, **{name: p}))

case("dropout", "evaluation", {"p": 0.5, "training": False}, [normal(2, 3)], lambda x: F.dropout(x, 0.5, False))
for p in [0.5, 0.2, 0.0, 1.0]:
    case("dropout", f"training, p {p}", {"p": p, "training": True}, [normal(3, 7)], lambda x: F.dropout(x, p, True),
         seed=7)

# --- losses

for shape, target in [((4, 3), (4,)), ((2, 3, 2, 2), (2, 2, 2)), ((1, 5), (1,))]:
    for reduction in ["none", "mean", "sum"]:
        case("nll_loss", f"{list(shape)}, {reduction}", {"reduction": reduction},
             [normal(*shape), integers(0, shape[1], *target)],
             lambda x, t: F.nll_loss(x, t, reduction=reduction))
        case("cross_entropy", f"{list(shape)}, {reduction}", {"reduction": reduction},
             [normal(*shape), integers(0, shape[1], *target)],
             lambda x, t: F.cross_entropy(x, t, reduction=reduction))
for shape in [(3, 4), (), (2, 0)]:
    for reduction in ["none", "mean", "sum"]:
        case("mse_loss", f"{list(shape)}, {reduction}", {"reduction": reduction}, [normal(*shape), normal(*shape)],
             lambda x, t: F.mse_loss(x, t, reduction=reduction))

# --- shapes

for x, shape in [((2, 6), (3, 4)), ((2, 6), (-1,)), ((2, 3, 4), (4, -1, 3)), ((1,), ()), ((0, 3), (3, 0)),
                 ((), (1, 1))]:
    case("view", f"{list(x)} as {list(shape)}", {"shape": shape}, [normal(*x)], lambda x: x.view(shape))
for x, start, end in [((2, 3, 4), 0, -1), ((2, 3, 4), 1, -1), ((2, 3, 4), 0, 1), ((2, 3, 4), -2, 2), ((), 0, -1)]:
    case("flatten", f"{list(x)} from {start} to {end}", {"start_dim": start, "end_dim": end}, [normal(*x)],
         lambda x: torch.flatten(x, start, end))
for x, dim in [((1, 3, 1), None), ((1, 3, 1), 0), ((1, 3, 1), -1), ((1, 3, 1), 1), ((), 0), ((1, 1), None)]:
    case("squeeze", f"{list(x)} at {dim}", {"dim": dim}, [normal(*x)],
         lambda x: torch.squeeze(x) if dim is None else torch.squeeze(x, dim))
for x, dim in [((2, 3), 0), ((2, 3), 2), ((2, 3), -1), ((2, 3), -3), ((), 0)]:
    case("unsqueeze", f"{list(x)} at {dim}", {"dim": dim}, [normal(*x)], lambda x: torch.unsqueeze(x, dim))
for x, a, b in [((2, 3), 0, 1), ((2, 3, 4), 0, -1), ((2, 3, 4), 1, 2), ((2, 3, 4, 5), -3, 3), ((3,), 0, 0),
                ((2, 0, 3), 0, 1)]:
    case("transpose", f"{list(x)}, {a} and {b}", {"dim0": a, "dim1": b}, [normal(*x)],
         lambda x: torch.transpose(x, a, b))
for x, dims in [((2, 3, 4), (2, 0, 1)), ((2, 3, 4), (-1, 1, 0)), ((2, 3), (0, 1)), ((2, 1, 3, 2), (3, 1, 0, 2)),
                ((2, 3, 2, 2, 2), (4, 0, 3, 1, 2)), ((), ())]:
    case("permute", f"{list(x)} to {list(dims)}", {"dims": dims}, [normal(*x)], lambda x: torch.permute(x, dims))
for x, shape in [((3, 1), (3, 4)), ((1, 3), (2, 2, 3)), ((3, 1), (2, -1, 4)), ((), (2, 2)), ((2, 3), (2, 3)),
                 ((1,), (0,))]:
    case("expand", f"{list(x)} to {list(shape)}", {"shape": shape}, [normal(*x)], lambda x: x.expand(shape))
for shapes, dim in [([(2, 3), (1, 3)], 0), ([(2, 3), (2, 1), (2, 2)], 1), ([(2, 3, 2), (2, 0, 2)], -2), ([(3,)], 0),
                    ([(2, 1, 3), (2, 1, 2)], -1)]:
    case("cat", f"{[list(s) for s in shapes]} along {dim}", {"dim": dim}, [normal(*s) for s in shapes],
         lambda *x: torch.cat(x, dim))
for shape, count, dim in [((2, 3), 2, 0), ((2, 3), 3, 1), ((2, 3), 2, -1), ((), 3, 0), ((2,), 1, 1)]:
    case("stack", f"{count} of {list(shape)} along {dim}", {"dim": dim}, [normal(*shape) for _ in range(count)],
         lambda *x: torch.stack(x, dim))
for x, dim, start, end, step in [
    ((5, 3), 0, 1, 4, 1), ((5, 3), 0, 0, None, 2), ((3, 7), 1, 1, 6, 3), ((3, 7), -1, -4, -1, 1),
    ((3, 7), 1, -99, 99, 2), ((5,), 0, 4, 2, 1), ((5,), 0, 2, None, 1), ((2, 5, 3), 1, 1, None, 2), ((2, 5, 3), 2, 0, 2, 1),
]:
    case("slice", f"{list(x)} at {dim}, {start}:{end}:{step}", {"dim": dim, "start": start, "end": end, "step": step},
         [normal(*x)],
         lambda x: x[(slice(None),) * (dim % x.dim()) + (slice(start, end, step),)])
for x, dim, index in [((4, 3), 0, 1), ((4, 3), 1, 2), ((4, 3), -1, -1), ((2, 3, 4), 1, 0), ((3,), 0, -3)]:
    case("select", f"{list(x)} at {dim}, {index}", {"dim": dim, "index": index}, [normal(*x)],
         lambda x: torch.select(x, dim, index))
for x, dim, index in [((4, 3), 0, [2, 0, 2]), ((4, 3), 1, [1]), ((2, 3, 4), -2, [2, 2, 1, 0]), ((3, 2), 0, []),
                      ((5,), 0, [4, 0])]:
    case("index_select", f"{list(x)} at {dim}, {index}", {"dim": dim}, [normal(*x), torch.tensor(index, dtype=i64)],
         lambda x, i: torch.index_select(x, dim, i))
for x, padding, value in [((2, 3), (1, 2), 0.0), ((2, 3), (1, 0, 2, 1), 0.5), ((3, 4), (-1, -1), 0.0),
                          ((3, 4), (-1, 2, 1, -2), -1.5), ((1, 2, 2, 3), (1, 1, 2, 2), 0.0), ((4,), (0, -2), 0.0),
                          ((2, 0), (1, 1), 3.0), ((2, 3), (), 0.0)]:
    case("pad", f"{list(x)} by {list(padding)}, {value}", {"padding": padding, "value": value}, [normal(*x)],
         lambda x: F.pad(x, padding, value=value))

# --- several results

for op in ["max", "min"]:
    for shape, dim, keepdim in [((2, 3, 4), 1, False), ((2, 3, 4), -1, True), ((2, 3, 4), 0, False), ((5,), 0, True),
                                ((), 0, False), ((0, 3), 1, False)]:
        case(op + "_with_indices", f"{list(shape)} over {dim}{', keepdim' if keepdim else ''}",
             {"dim": dim, "keepdim": keepdim}, [distinct(*shape)], lambda x: getattr(torch, op)(x, dim, keepdim))
    case(op + "_with_indices", "the first of equal ones", {"dim": 1, "keepdim": False},
         [torch.tensor([[1.0, 2, 2], [3, 3, 3], [2, 1, 1]])], lambda x: getattr(torch, op)(x, 1))
    case(op + "_with_indices", "int64", {"dim": 0, "keepdim": False}, [integers(-9, 9, 3, 2)],
         lambda x: getattr(torch, op)(x, 0))
    case(op + "_with_indices", "NaN", {"dim": 0, "keepdim": False}, [torch.tensor([1.0, torch.nan, 3, torch.nan])],
         lambda x: getattr(torch, op)(x, 0))
for shape, size, dim in [((5, 2), 2, 0), ((2, 5), 2, 1), ((2, 6, 3), 3, -2), ((4,), 9, 0), ((0, 3), 2, 0),
                         ((0, 3), 0, 0), ((2, 0), 1, 0)]:
    case("split", f"{list(shape)} at {dim} by {size}", {"split_size": size, "dim": dim}, [normal(*shape)],
         lambda x: torch.split(x, size, dim))
for shape, sizes, dim in [((5, 2), [2, 3], 0), ((2, 5), [1, 0, 4], 1), ((2, 3, 4), [1, 1, 2], -1), ((0, 2), [0, 0], 0)]:
    case("split_with_sizes", f"{list(shape)} at {dim} by {sizes}", {"sizes": sizes, "dim": dim}, [normal(*shape)],
         lambda x: torch.split(x, sizes, dim))

write_cases("ops.golden")
