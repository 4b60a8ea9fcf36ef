#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes math.golden: what PyTorch computes, in float64, for the functions of engine/ops/math.cpp, math_pairs.cpp,
where.cpp, cumulative.cpp, and for those that are made of others (composed.cpp, statistics.cpp; tests/support/
math_functions.cpp has them by name).

    python3 make_math_golden.py

The numbers in the repository are those of PyTorch 1.13.1.
"""
import torch
import torch.nn.functional as F

from op_cases import case, distinct, integers, normal, positive, write_cases

i64 = torch.int64
inf, nan = float("inf"), float("nan")


def probability(*shape):
    return (positive(*shape) / 2.5).clamp(0.05, 0.95)


# --- one tensor

for op in ["sin", "cos", "tan", "atan", "sinh", "cosh", "asinh", "expm1", "exp2", "erf", "erfc", "floor", "ceil",
           "round", "trunc", "frac", "sign"]:
    for shape in [(3, 5), (), (0,)]:
        case(op, f"{list(shape)}", {}, [normal(*shape, scale=1.5)], getattr(torch, op))
for op in ["log1p", "log2", "log10", "rsqrt"]:
    case(op, "[3, 5]", {}, [positive(3, 5)], getattr(torch, op))
for op in ["asin", "acos", "atanh", "erfinv"]:
    case(op, "[3, 5]", {}, [probability(3, 5) * 2 - 1], getattr(torch, op))
case("acosh", "[3, 5]", {}, [positive(3, 5) + 1], torch.acosh)
case("erfinv", "near 1 and 0", {}, [torch.tensor([1 - 2**-8, -1 + 2**-10, 2**-20, 0.0, 0.5])], torch.erfinv)
case("erfinv", "at and beyond 1", {}, [torch.tensor([1.0, -1.0])], lambda x: torch.erfinv(x).detach())
case("round", "halves to even", {}, [torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5])], torch.round)
for op in ["sign", "floor", "sin", "erf", "log1p", "exp2"]:
    case(op, "not finite", {}, [torch.tensor([nan, inf])], lambda x: getattr(torch, op)(x).detach())
for op in ["sin", "rsqrt", "sqrt"]:
    case(op, "whole numbers", {}, [integers(1, 9, 2, 3)], lambda x: getattr(torch, op)(x.double()).float())
for op in ["relu", "abs"]:
    case(op, "whole numbers", {}, [integers(-9, 9, 2, 3)], getattr(torch, op))
case("clamp", "whole numbers", {"min": -2.0, "max": 3.0}, [integers(-9, 9, 3, 4)], lambda x: torch.clamp(x, -2, 3))

for op in ["square", "reciprocal"]:
    case(op, "[3, 5]", {}, [positive(3, 5)], getattr(torch, op))
case("square", "at 0 and of whole numbers", {}, [integers(-9, 9, 2, 3)], torch.square)
case("logit", "[3, 5]", {"eps": None}, [probability(3, 5)], torch.logit)
case("logit", "with eps", {"eps": 0.3}, [probability(3, 5)], lambda x: torch.logit(x, 0.3))
case("nan_to_num", "default", {"nan": 0.5}, [torch.tensor([nan, 1.0, -2])], lambda x: torch.nan_to_num(x, 0.5))
for op, options, function in [
        ("celu", {"alpha": 0.5}, lambda x: F.celu(x, 0.5)), ("selu", {}, F.selu), ("mish", {}, F.mish),
        ("logsigmoid", {}, F.logsigmoid), ("softsign", {}, F.softsign), ("tanhshrink", {}, F.tanhshrink),
        ("hardshrink", {"lambda": 0.7}, lambda x: F.hardshrink(x, 0.7)),
        ("softshrink", {"lambda": 0.7}, lambda x: F.softshrink(x, 0.7)),
        ("threshold", {"threshold": 0.3, "value": -2.0}, lambda x: F.threshold(x, 0.3, -2.0)),
        ("glu", {"dim": 1}, lambda x: F.glu(x, 1)), ("softmin", {"dim": -1}, lambda x: F.softmin(x, -1))]:
    case(op, "[3, 6]", options, [normal(3, 6, scale=3)], function)
    case(op, "far from 0", options, [torch.tensor([[-60.0, -21, 18, 25, 90, 1]])], function)
for op, options, function in [("hardshrink", {"lambda": 0.5}, F.hardshrink), ("softshrink", {"lambda": 0.5}, F.softshrink),
                              ("softsign", {}, F.softsign), ("celu", {"alpha": 1.0}, F.celu), ("selu", {}, F.selu)]:
    case(op, "at the kinks", options, [torch.tensor([-0.5, 0.0, 0.5])], function)

# --- two tensors

SHAPES = [((3, 4), (3, 4)), ((3, 4), (4,)), ((2, 1, 3), (4, 1)), ((), (2, 3)), ((5,), ()), ((2, 0, 3), (1, 3))]
for op, function in {"fmod": torch.fmod, "remainder": torch.remainder, "atan2": torch.atan2, "hypot": torch.hypot,
                     "logaddexp": torch.logaddexp, "xlogy": torch.xlogy,
                     "floor_divide": lambda a, b: torch.div(a, b, rounding_mode="floor")}.items():
    for a, b in SHAPES:
        second = positive(*b) if op in ("xlogy", "fmod", "remainder", "floor_divide") else normal(*b)
        case(op, f"{list(a)} with {list(b)}", {}, [normal(*a, scale=3), second], function)
case("xlogy", "zeros", {}, [torch.tensor([0.0, 0, 0, 2]), torch.tensor([0.0, 2, -1, 3])], torch.xlogy)
case("xlogy", "NaN", {}, [torch.tensor([0.0]), torch.tensor([nan])], lambda a, b: torch.xlogy(a, b).detach())
case("logaddexp", "not finite", {}, [torch.tensor([inf, -inf, inf, nan]), torch.tensor([inf, -inf, 1, 1])],
     lambda a, b: torch.logaddexp(a, b).detach())
SIGNS = [torch.tensor([7.5, -7.5, 7.5, -7.5, 0, 6]), torch.tensor([2.0, 2, -2, -2, 3, -3])]
for op, function in {"fmod": torch.fmod, "remainder": torch.remainder, "floor_divide": torch.floor_divide}.items():
    gradient = function if op != "floor_divide" else lambda a, b: torch.div(a, b, rounding_mode="floor")
    case(op, "signs", {}, SIGNS, gradient)
    case(op, "by 0 and infinity", {}, [torch.tensor([1.0, -1, 0, 5, inf]), torch.tensor([0.0, 0, 0, -inf, 2])],
         lambda a, b: function(a.detach(), b.detach()))
    case(op, "whole numbers", {}, [torch.tensor([7, -7, 7, -7, 0, 6]), torch.tensor([2, 2, -2, -2, 3, -3])], function)
    case(op, "int32", {}, [torch.tensor([7, -7, 7]).int(), torch.tensor([2, 2, -2]).int()], function)
    case(op, "uint8", {}, [torch.tensor([7, 255, 0]).byte(), torch.tensor([2, 16, 3]).byte()], function)
for op in ["bitwise_and", "bitwise_or", "bitwise_xor"]:
    for a, b in SHAPES[:4]:
        case(op, f"{list(a)} with {list(b)}", {}, [integers(-99, 99, *a), integers(-99, 99, *b)], getattr(torch, op))
    case(op, "bool", {}, [integers(0, 2, 3, 4).bool(), integers(0, 2, 4).bool()], getattr(torch, op))
    case(op, "uint8", {}, [integers(0, 256, 5).byte(), integers(0, 256, 5).byte()], getattr(torch, op))
for op in ["bitwise_left_shift", "bitwise_right_shift"]:
    case(op, "int64", {}, [integers(-99, 99, 3, 4), integers(0, 9, 4)], getattr(torch, op))
    case(op, "int8", {}, [integers(-99, 99, 5).to(torch.int8), integers(0, 7, 5).to(torch.int8)], getattr(torch, op))
case("bitwise_not", "int64", {}, [integers(-99, 99, 5)], torch.bitwise_not)
case("bitwise_not", "bool", {}, [integers(0, 2, 5).bool()], torch.bitwise_not)
for mode in ["floor", "trunc"]:
    case("div", f"rounded {mode}", {"rounding_mode": mode}, SIGNS, lambda a, b: torch.div(a, b, rounding_mode=mode))
    case("div", f"whole numbers rounded {mode}", {"rounding_mode": mode},
         [torch.tensor([7, -7, 7, -7, 0, 6]), torch.tensor([2, 2, -2, -2, 3, -3])],
         lambda a, b: torch.div(a, b, rounding_mode=mode))
case("div", "whole numbers", {}, [integers(-9, 9, 2, 3), integers(1, 9, 3)], lambda a, b: torch.div(a, b).float())
for weight in [0.25, 0.75, 1.0]:
    case("lerp", f"{weight}", {"weight": weight}, [normal(2, 3), normal(3)], lambda a, b: torch.lerp(a, b, weight))
case("lerp", "tensor", {}, [normal(2, 3), normal(3), positive(2, 1)], torch.lerp)
case("addcmul", "[2, 3]", {"value": 0.5}, [normal(2, 3), normal(2, 1), normal(3)],
     lambda x, a, b: torch.addcmul(x, a, b, value=0.5))
case("addcdiv", "[2, 3]", {"value": -2.0}, [normal(2, 3), normal(2, 1), positive(3)],
     lambda x, a, b: torch.addcdiv(x, a, b, value=-2.0))
case("clamp_tensor", "both", {}, [torch.tensor([-2.0, 0.5, 3, 1, 2]), torch.tensor([-1.0, -1, -1, 1, 5]),
                                  torch.tensor([1.0, 1, 1, 1, 4])], torch.clamp)
case("clamp_tensor", "minimum", {}, [normal(3, 4), normal(4)], lambda x, low: torch.clamp(x, min=low))

# --- dtypes

small = {"int32": torch.int32, "int16": torch.int16, "int8": torch.int8, "uint8": torch.uint8}
for name, dtype in small.items():
    a, b = integers(0, 120, 3, 4).to(dtype), integers(1, 120, 4).to(dtype)
    for op in ["add", "sub", "mul", "maximum", "minimum"]:
        case(op, name, {}, [a, b], getattr(torch, op))
    case("add_scalar", name, {"value": 100.0}, [a], lambda x: x + 100)
    case("mul_scalar", name, {"value": 3.0}, [a], lambda x: x * 3)
    case("rsub_scalar", name, {"value": 5.0}, [a], lambda x: 5 - x)
    case("neg", name, {}, [a], torch.neg)
    case("abs", name, {}, [(a - 60).to(dtype)], torch.abs)
    for op in ["max", "min"]:
        case(op, name, {"dims": [1]}, [a], lambda x: getattr(torch, "a" + op)(x, 1))
        case(op + "_with_indices", name, {"dim": 1}, [distinct(3, 4).mul(8).to(dtype)], lambda x: tuple(getattr(torch, op)(x, 1)))
    case("sum", name, {"dims": [0]}, [a], lambda x: x.sum(0))
for op in ["add", "mul", "maximum", "minimum"]:
    case(op, "bool", {}, [integers(0, 2, 3, 4).bool(), integers(0, 2, 4).bool()], getattr(torch, op))
case("max", "bool", {"dims": [1]}, [integers(0, 2, 3, 4).bool()], lambda x: torch.amax(x, 1))
case("sum", "int8 beyond its range", {"dims": []}, [torch.full((5,), 100, dtype=torch.int8)], lambda x: x.sum())

# --- choices

for condition, a, b in [((3, 4), (3, 4), (3, 4)), ((4,), (3, 1), ()), ((2, 1, 3), (4, 1), (2, 4, 3)), ((), (2,), (2,)),
                        ((3,), (), ()), ((0,), (1,), ())]:
    case("where", f"{list(condition)} {list(a)} {list(b)}", {}, [integers(0, 2, *condition).bool(), normal(*a), normal(*b)],
         torch.where)
for dtype in [torch.int64, torch.int32, torch.int16, torch.uint8, torch.bool]:
    case("where", str(dtype), {}, [integers(0, 2, 3, 4).bool(), integers(0, 2, 3, 4).to(dtype), integers(0, 2, 4).to(dtype)],
         torch.where)
case("masked_fill", "[3, 4]", {"value": -1.5}, [normal(3, 4), integers(0, 2, 3, 1).bool()],
     lambda x, mask: x.masked_fill(mask, -1.5))
case("masked_fill", "whole numbers", {"value": 7.0}, [integers(0, 9, 3, 4), integers(0, 2, 4).bool()],
     lambda x, mask: x.masked_fill(mask, 7))

# --- logic

for op in ["logical_and", "logical_or", "logical_xor"]:
    case(op, "float64", {}, [torch.tensor([0.0, 1, 2, nan]), torch.tensor([[0.0], [3]])], getattr(torch, op))
    case(op, "int64", {}, [integers(0, 2, 3, 4), integers(0, 2, 4)], getattr(torch, op))
case("logical_not", "float64", {}, [torch.tensor([0.0, 1, nan])], torch.logical_not)
SPECIAL = torch.tensor([0.0, 1, nan, inf, -inf])
for op in ["isnan", "isinf", "isfinite", "isposinf", "isneginf"]:
    case(op, "float64", {}, [SPECIAL], getattr(torch, op))
    case(op, "int64", {}, [integers(0, 9, 3)], getattr(torch, op))
CLOSE = [torch.tensor([1.0, 1, inf, inf, nan, 0]), torch.tensor([1 + 1e-6, 1.1, inf, -inf, nan, 1e-9])]
for equal_nan in [False, True]:
    case("isclose", f"equal_nan {equal_nan}", {"equal_nan": equal_nan}, CLOSE,
         lambda a, b: torch.isclose(a, b, equal_nan=equal_nan))

# --- over dimensions

for op in ["all", "any"]:
    for shape, dims in [((3, 4), None), ((3, 4), 1), ((2, 0), None), ((2, 0), 1), ((), None)]:
        for keepdim in [False, True]:
            if dims is None and keepdim:
                continue
            case(op, f"{list(shape)} over {dims}{', keepdim' if keepdim else ''}",
                 {"dims": [] if dims is None else [dims], "keepdim": keepdim}, [integers(0, 2, *shape).bool()],
                 lambda x: getattr(torch, op)(x) if dims is None else getattr(torch, op)(x, dims, keepdim))
    case(op, "NaN", {"dims": [], "keepdim": False}, [torch.tensor([nan, nan])], lambda x: getattr(torch, op)(x))
case("count_nonzero", "[3, 4]", {"dims": [1]}, [integers(0, 2, 3, 4)], lambda x: torch.count_nonzero(x, 1))
for dim, keepdim in [(None, False), (1, False), (-1, True)]:
    case("argmin", f"over {dim}", {"dim": dim, "keepdim": keepdim}, [distinct(2, 3, 4)],
         lambda x: torch.argmin(x, dim, keepdim))
case("argmin", "NaN, and the first of equals", {"dim": 1, "keepdim": False},
     [torch.tensor([[1.0, nan, 0], [3, 2, 2]])], lambda x: torch.argmin(x, 1))

for x, note in [(normal(3, 4), "[3, 4]"), (normal(2, 3, 2), "[2, 3, 2]")]:
    for dim in [0, 1, -1]:
        for op in ["cumsum", "cumprod"]:
            case(op, f"{note} over {dim}", {"dim": dim}, [x], lambda x: getattr(torch, op)(x, dim))
        case("prod", f"{note} over {dim}", {"dim": dim, "keepdim": dim == 1}, [x], lambda x: torch.prod(x, dim, dim == 1))
    case("prod", f"{note}", {"dim": None, "keepdim": False}, [x], torch.prod)
for op in ["cumsum", "cumprod"]:
    case(op, "a single number", {"dim": 0}, [torch.tensor(2.5)], lambda x: getattr(torch, op)(x, 0))
    case(op, "nothing", {"dim": 1}, [normal(2, 0)], lambda x: getattr(torch, op)(x, 1))
    case(op, "int64", {"dim": 1}, [integers(-9, 9, 2, 4)], lambda x: getattr(torch, op)(x, 1))
ZEROS = torch.tensor([[1.5, 0, 2, 3], [0, 2, 0, 4], [2, 3, 4, 5], [0, 0, 0, 0]])
case("cumprod", "zeros", {"dim": 1}, [ZEROS], lambda x: torch.cumprod(x, 1))
case("prod", "zeros", {"dim": 1, "keepdim": False}, [ZEROS], lambda x: torch.prod(x, 1))
case("prod", "one zero", {"dim": None, "keepdim": False}, [torch.tensor([2.0, 0, 3])], torch.prod)
case("prod", "nothing", {"dim": 1, "keepdim": False}, [normal(2, 0)], lambda x: torch.prod(x, 1))
case("prod", "int64", {"dim": 0, "keepdim": False}, [integers(-9, 9, 3, 2)], lambda x: torch.prod(x, 0))

for op in ["var", "std"]:
    for shape, dims, correction, keepdim in [((3, 4), [0, 1], 1, False), ((3, 4), [1], 1, False), ((3, 4), [0], 0, True),
                                             ((2, 3, 4), [0, 2], 1, False), ((3, 4), [-1], 2, False),
                                             ((3, 1), [1], 1, False)]:
        case(op, f"{list(shape)} over {dims}, correction {correction}",
             {"dims": dims, "correction": correction, "keepdim": keepdim}, [normal(*shape)],
             lambda x: getattr(torch, op)(x, dim=dims, correction=correction, keepdim=keepdim))
    case(op, "equal numbers", {"dims": [1], "correction": 1, "keepdim": False}, [torch.ones(2, 3)],
         lambda x: getattr(torch, op)(x, 1))
for p in [2.0, 1.0, 3.0, 0.5, 1.5, -1.0, inf, -inf]:
    for dims, keepdim in [([], False), ([1], False), ([0, -1], True)]:
        case("norm", f"p {p} over {dims}", {"p": p, "dims": dims, "keepdim": keepdim}, [normal(3, 4)],
             lambda x: torch.linalg.vector_norm(x, p, dims or None, keepdim))
for p in [2.0, 1.0, 3.0, inf]:
    case("norm", f"p {p} of zeros", {"p": p, "dims": [1], "keepdim": False}, [torch.tensor([[0.0, 0], [0, 2]])],
         lambda x: torch.linalg.vector_norm(x, p, 1))
case("norm", "infinity, equal", {"p": inf, "dims": [], "keepdim": False}, [torch.tensor([2.0, -2, 1])],
     lambda x: torch.linalg.vector_norm(x, inf))
case("norm", "p 0", {"p": 0.0, "dims": [1], "keepdim": False}, [torch.tensor([[0.0, 0], [0, 2]])],
     lambda x: torch.linalg.vector_norm(x, 0, 1).detach())
for shape, dims, keepdim in [((3, 4), [1], False), ((3, 4), [0, 1], True), ((2, 3, 4), [0, 2], False)]:
    case("logsumexp", f"{list(shape)} over {dims}", {"dims": dims, "keepdim": keepdim}, [normal(*shape, scale=3)],
         lambda x: torch.logsumexp(x, dims, keepdim))
case("logsumexp", "large", {"dims": [0], "keepdim": False}, [torch.tensor([1000.0, 999, -1000])],
     lambda x: torch.logsumexp(x, 0))
case("logsumexp", "infinite", {"dims": [1], "keepdim": False}, [torch.tensor([[inf, 1], [-inf, 1], [-inf, -inf]])],
     lambda x: torch.logsumexp(x, 1).detach())
case("nansum", "[2, 3]", {"dims": [1]}, [torch.tensor([[1, nan, 2], [nan, nan, nan]])], lambda x: torch.nansum(x, 1))
case("nanmean", "[2, 3]", {"dims": [1]}, [torch.tensor([[1, nan, 2], [3, 4, nan]])], lambda x: torch.nanmean(x, 1))
for shape, dim, keepdim in [((3, 4), 1, False), ((3, 5), 0, True), ((2, 3, 4), 1, False), ((), 0, False)]:
    case("median_with_indices", f"{list(shape)} over {dim}", {"dim": dim, "keepdim": keepdim}, [distinct(*shape)],
         lambda x: tuple(torch.median(x, dim, keepdim)))
case("median_with_indices", "NaN", {"dim": 1, "keepdim": False}, [torch.tensor([[1.0, nan, 0], [3, 2, 1]])],
     lambda x: tuple(torch.median(x, 1)))
for x, note in [(distinct(3, 4), "[3, 4]"), (torch.tensor([2.0, 1, 2, 3, 2]), "equal ones share the gradient"),
                (torch.tensor([1, nan, 2]), "NaN"), (integers(0, 9, 5), "int64")]:
    case("median", note, {}, [x], torch.median)

write_cases("math.golden")
