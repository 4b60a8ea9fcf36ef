#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes rare.golden: what PyTorch computes, in float64, for functions that are made of others and seldom asked for:
gamma functions, quantiles, running extrema, scatter_reduce, masked_scatter (tests/engine/rare_functions.cpp has them by
name), and losses whose masked elements are not finite.

    python3 make_rare_golden.py

The numbers in the repository are those of PyTorch 1.13.1.
"""
import torch
import torch.nn.functional as F

from op_cases import case, distinct, integers, normal, positive, write_cases

inf, nan = float("inf"), float("nan")

# --- gamma

for op, function in {"lgamma": torch.lgamma, "digamma": torch.digamma}.items():
    for shape in [(3, 7), (), (0,)]:
        case(op, f"{list(shape)}", {}, [positive(*shape) * 3], function)
    case(op, "below 0", {}, [-torch.arange(12) + torch.linspace(0.1, 0.9, 12)], function)
    case(op, "1, 2, and around 8", {}, [torch.tensor([1.0, 2.0, 0.5, 7.999, 8.0, 8.5, 15.75, 250.0])], function)
    case(op, "near 0 and large", {}, [torch.tensor([1e-8, -1e-8, 1e-3, 1e6, 3e15])], function)
    case(op, "poles and infinities", {}, [torch.tensor([0.0, -1.0, -6.0, inf, nan])],
         lambda x: function(x).detach())
    case(op, "whole numbers", {}, [integers(1, 9, 2, 3)], lambda x: function(x.double()).float())
case("lgamma", "minus infinity", {}, [torch.tensor([-inf])], lambda x: torch.lgamma(x).detach())

# --- running extrema

for op, function in {"cummax": torch.cummax, "cummin": torch.cummin}.items():
    for note, x, dim in [("rows", distinct(3, 9), 1), ("columns", distinct(5, 4), 0), ("one", distinct(2, 1, 3), -2),
                         ("none", normal(2, 0), 1), ("a number", torch.tensor(2.5), 0),
                         ("equal ones", torch.tensor([[1.0, 3, 3, 2, 3, 1, 1]]), 1),
                         ("NaN", torch.tensor([1.0, nan, 2, inf, nan, -inf]), 0)]:
        case(op, note, {"dim": dim}, [x], lambda x: tuple(function(x, dim)))
    case(op, "whole numbers", {"dim": 1}, [integers(-5, 5, 2, 11)], lambda x: tuple(function(x, 1)))

# --- quantiles

for op, function in {"quantile": torch.quantile, "nanquantile": torch.nanquantile}.items():
    for interpolation in ["linear", "lower", "higher", "midpoint", "nearest"]:
        for note, shape, q, dim, keepdim in [("of rows", (3, 6), [0.0, 0.3125, 0.875, 1.0], 1, False),
                                             ("of all", (2, 5), [0.25, 0.6875], None, False),
                                             ("of columns, one q", (5, 3), 0.40625, 0, True),
                                             ("of all, kept", (2, 3), [0.5625], None, True)]:
            attributes = {"dim": dim, "keepdim": keepdim, "interpolation": interpolation}
            case(op, f"{note}, {interpolation}", attributes, [distinct(*shape), torch.tensor(q)],
                 lambda x, q: function(x, q, dim, keepdim, interpolation=interpolation), fixed=(1,))
    x = distinct(3, 5)
    x[0, 2] = nan
    x[1, :] = nan
    case(op, "with NaN", {"dim": 1, "keepdim": False, "interpolation": "linear"}, [x, torch.tensor([0.125, 0.5])],
         lambda x, q: function(x, q, 1).detach(), fixed=(1,))
    case(op, "of a number", {"dim": None, "keepdim": False, "interpolation": "linear"},
         [torch.tensor(1.5), torch.tensor(0.25)], lambda x, q: function(x, q), fixed=(1,))
case("quantile", "gradient of q", {"dim": 1, "keepdim": False, "interpolation": "linear"},
     [distinct(2, 7), torch.tensor([0.3, 0.71])], lambda x, q: torch.quantile(x, q, 1))

# --- scatter_reduce

for reduce in ["sum", "prod", "mean", "amax", "amin"]:
    for include_self in [True, False]:
        attributes = {"reduce": reduce, "include_self": include_self}
        note = f"{reduce}{'' if include_self else ' of the source alone'}"
        for shape, source, dim, index in [
            ("rows", (3, 6), 1, integers(0, 4, 3, 6)),
            ("columns, of part of the source", (7, 3), 0, integers(0, 3, 5, 2)),
            ("nothing", (3, 2), 1, integers(0, 4, 3, 0)),
            ("one line", (9,), 0, integers(0, 3, 9)),
        ]:
            x = distinct(*[4 if i == dim else n for i, n in enumerate(source)]) / 4 + 0.3
            # PyTorch 1.13 has no gradient of a source that is larger than the index.
            part = [slice(0, n) for n in index.shape]
            case("scatter_reduce", f"{note}, {shape}", {**attributes, "dim": dim},
                 [x, index, distinct(*source) / 4 + 0.1],
                 lambda x, i, s: x.scatter_reduce(dim, i, s[part].contiguous(), reduce, include_self=include_self))
        index = torch.tensor([0, 0, 1, 1, 1, 3])
        # PyTorch 1.13 gives a share of the gradient to an extremum that is there, and does not count.
        there = torch.tensor([2.0, 5.0, 1.0, 4.0]) if include_self else torch.tensor([7.0, 8.0, 1.0, 9.0])
        case("scatter_reduce", f"{note}, equal ones", {**attributes, "dim": 0},
             [there, index, torch.tensor([2.0, 2.0, 1.0, 5.0, 5.0, 4.0])],
             lambda x, i, s: x.scatter_reduce(0, i, s, reduce, include_self=include_self))
        case("scatter_reduce", f"{note}, zeros", {**attributes, "dim": 0},
             [torch.tensor([2.0, 0.0, 1.0, 4.0]), index, torch.tensor([0.0, 3.0, 0.0, 2.0, 0.0, 4.0])],
             lambda x, i, s: x.scatter_reduce(0, i, s, reduce, include_self=include_self).detach())
        case("scatter_reduce", f"{note}, not finite", {**attributes, "dim": 0},
             [torch.tensor([2.0, inf, 1.0, 4.0]), index, torch.tensor([nan, 3.0, 2.0, inf, 7.0, -inf])],
             lambda x, i, s: x.scatter_reduce(0, i, s, reduce, include_self=include_self).detach())
        case("scatter_reduce", f"{note}, whole numbers", {**attributes, "dim": 1},
             [integers(-9, 9, 2, 4), integers(0, 4, 2, 7), integers(-9, 9, 2, 7)],
             lambda x, i, s: x.scatter_reduce(1, i, s, reduce, include_self=include_self))

# --- masked_scatter

for note, x, mask, source in [
    ("of one shape", normal(3, 4), integers(0, 2, 3, 4).bool(), normal(12)),
    ("broadcast mask", normal(3, 4), torch.tensor([True, False, True, True]), normal(3, 3)),
    ("nothing", normal(2, 2), torch.zeros(2, 2).bool(), normal(0)),
    ("more than needed", normal(5), torch.tensor([False, True, True, False, False]), normal(2, 4)),
]:
    case("masked_scatter", note, {}, [x, mask, source], lambda x, m, s: x.masked_scatter(m, s))

# --- what is masked counts as 0, not as a product with 0

case("hinge_embedding_loss", "infinities that do not count", {"margin": 1.0, "reduction": "none"},
     [torch.tensor([inf, -inf, 0.5, inf]), torch.tensor([-1.0, 1.0, -1.0, -1.0])],
     lambda x, y: F.hinge_embedding_loss(x, y, 1.0, reduction="none"), fixed=(1,))

write_cases("rare.golden")
