#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes indexing.golden: what PyTorch computes, in float64, for functions that move, find and sort elements, and for
products and distances.

    python3 make_indexing_golden.py

The numbers in the repository are those of PyTorch 1.13.1.
"""
import math

import torch
import torch.nn.functional as F

from op_cases import case, distinct, generator, integers, normal, positive, write_cases

i64 = torch.int64


def ints(*values):
    return torch.tensor(values, dtype=i64)


def permuted(*shape):
    """Indices of which no two along dimension 0 are equal."""
    count = shape[0]
    columns = [torch.randperm(count, generator=generator) for _ in range(max(1, torch.Size(shape[1:]).numel()))]
    return torch.stack(columns, 1).reshape(shape)


def before(x, dim, indices):
    """Indices of all of dimension 0, if those of `indices` begin with dimension 1."""
    ones = [1] * torch.broadcast_tensors(*indices)[0].dim()
    return () if dim == 0 else (torch.arange(x.shape[0]).reshape([-1] + ones),)


# --- shapes

for x, dims in [((2, 3), [0]), ((2, 3), [1]), ((2, 3, 4), [0, 2]), ((2, 3, 4), [-2]), ((5,), [0]), ((2, 0), [0, 1]),
                ((), [0]), ((1, 3), []), ((2, 2, 3, 2), [3, 1, 0, 2])]:
    case("flip", f"{list(x)} of {dims}", {"dims": dims}, [normal(*x)], lambda x: torch.flip(x, dims))
for op in ["tril", "triu"]:
    for x, k in [((3, 4), 0), ((4, 3), 1), ((4, 3), -2), ((2, 3, 3), 0), ((2, 2), 5), ((2, 2), -5), ((0, 3), 0)]:
        case(op, f"{list(x)}, {k}", {"diagonal": k}, [normal(*x)], lambda x: getattr(torch, op)(x, k))
for x, offset, a, b in [((3, 4), 0, 0, 1), ((3, 4), 2, 0, 1), ((3, 4), -1, 0, 1), ((2, 3, 4), 0, 0, 1),
                        ((2, 3, 4), 1, -1, 0), ((2, 3), 3, 0, 1), ((2, 3, 3, 2), -1, 1, 2)]:
    attributes = {"offset": offset, "dim1": a, "dim2": b}
    case("diagonal", f"{list(x)}, {offset} of {a} and {b}", attributes, [normal(*x)],
         lambda x: torch.diagonal(x, offset, a, b))
for x, offset, a, b in [((3,), 0, -2, -1), ((3,), 2, -2, -1), ((2, 3), -1, -2, -1), ((2, 3), 1, 0, 2),
                        ((2, 3), 0, 2, 0), ((2, 0), 1, -2, -1)]:
    attributes = {"offset": offset, "dim1": a, "dim2": b}
    case("diag_embed", f"{list(x)}, {offset} of {a} and {b}", attributes, [normal(*x)],
         lambda x: torch.diag_embed(x, offset, a, b))
for x, dim, size, step in [((7,), 0, 3, 2), ((2, 5), 1, 2, 1), ((2, 5, 3), 1, 3, 2), ((4, 3), 0, 4, 1), ((3, 4), -1, 2, 5),
                           ((2, 5), 0, 1, 1), ((3,), 0, 0, 2)]:
    case("unfold", f"{list(x)} at {dim} by {size}, {step}", {"dim": dim, "size": size, "step": step}, [normal(*x)],
         lambda x: x.unfold(dim, size, step))
for n, dim, size, step, dilation in [(7, 0, 3, 2, 1), (7, 0, 3, 1, 2), (5, 0, 2, 1, 1)]:
    count = (n - dilation * (size - 1) - 1) // step + 1
    case("fold", f"{count} windows of {size}, {step} and {dilation} apart",
         {"dim": dim, "output_size": n, "step": step, "dilation": dilation}, [normal(count, 2, size)],
         lambda x: F.fold(x.permute(1, 2, 0), (1, n), (1, size), dilation=(1, dilation),
                          stride=(1, step)).reshape(2, n).t())
for x, counts in [((2, 3), [1, 2]), ((2, 3), [2, 1]), ((2, 3), [2, 3, 2]), ((3,), [1]), ((), [2, 2]), ((2, 1, 3), [2, 3, 1]),
                  ((2, 3), [0, 2]), ((1, 1), [2, 3])]:
    case("repeat", f"{list(x)} by {counts}", {"counts": counts}, [normal(*x)], lambda x: x.repeat(counts))
case("tile", "[2, 3] by [2]", {"counts": [2]}, [normal(2, 3)], lambda x: x.tile([2]))
for x, count, dim in [((2, 3), 2, None), ((2, 3), 3, 0), ((2, 3), 2, -1), ((2, 3), 1, 1), ((2, 3), 0, 1)]:
    case("repeat_interleave", f"{list(x)} by {count} at {dim}", {"repeats": count, "dim": dim}, [normal(*x)],
         lambda x: torch.repeat_interleave(x, count, dim))
case("repeat_interleave", "by tensor", {"dim": 0}, [normal(3, 2), ints(2, 0, 1)],
     lambda x, r: torch.repeat_interleave(x, r, 0))
for x, shifts, dims in [((5,), [2], [0]), ((2, 3), [1], []), ((2, 3), [-1], [1]), ((2, 3, 4), [1, -2], [0, 2]),
                        ((2, 3), [7], [1]), ((2, 3), [3], [1]), ((2, 3), [0], [0])]:
    case("roll", f"{list(x)} by {shifts} of {dims}", {"shifts": shifts, "dims": dims}, [normal(*x)],
         lambda x: torch.roll(x, shifts, dims) if dims else torch.roll(x, shifts))
for x, a, b in [((2, 3, 4), [0], [2]), ((2, 3, 4), [-1], [0]), ((2, 3, 4, 5), [0, 1], [2, 0])]:
    case("movedim", f"{list(x)}, {a} to {b}", {"source": a, "destination": b}, [normal(*x)],
         lambda x: torch.movedim(x, a, b))
for x, k in [((3,), 0), ((3,), -1), ((3, 4), 1)]:
    case("diag", f"{list(x)}, {k}", {"diagonal": k}, [normal(*x)], lambda x: torch.diag(x, k))
case("trace", "[3, 4]", {}, [normal(3, 4)], torch.trace)
case("unbind", "[3, 2] at 0", {"dim": 0}, [normal(3, 2)], lambda x: torch.unbind(x, 0))
case("unbind", "[2, 3, 2] at -2", {"dim": -2}, [normal(2, 3, 2)], lambda x: torch.unbind(x, -2))
case("narrow", "[5, 2]", {"dim": 0, "start": 1, "length": 3}, [normal(5, 2)], lambda x: torch.narrow(x, 0, 1, 3))
for indexing in ["ij", "xy"]:
    case("meshgrid", indexing, {"indexing": indexing}, [normal(2), normal(3), normal(4)],
         lambda *x: torch.meshgrid(*x, indexing=indexing))
case("cartesian_prod", "three", {}, [normal(2), normal(3), normal(2)], lambda *x: torch.cartesian_prod(*x))

# --- by index

for x, dim, index in [((4, 3), 0, integers(0, 4, 2, 3)), ((4, 3), 1, integers(0, 3, 4, 5)), ((4, 3), 0, integers(0, 4, 6, 2)),
                      ((2, 3, 4), 1, integers(0, 3, 2, 5, 4)), ((2, 3, 4), -1, integers(0, 4, 1, 2, 3)),
                      ((5,), 0, integers(0, 5, 7)), ((), 0, torch.tensor(0)), ((3, 2), 0, integers(0, 3, 0, 2)),
                      ((3, 4), 1, integers(0, 4, 3, 1))]:
    case("gather", f"{list(x)} at {dim} by {list(index.shape)}", {"dim": dim}, [normal(*x), index],
         lambda x, i: torch.gather(x, dim, i))
for x, dim, index, source in [((4, 3), 0, permuted(4, 3), (4, 3)), ((4, 3), 1, permuted(3, 4).t(), (4, 3)),
                              ((5, 2), 0, permuted(3, 2), (3, 2)), ((2, 4, 3), 1, permuted(4, 2, 3).transpose(0, 1), (2, 4, 3)),
                              ((5,), 0, permuted(4), (4,))]:
    index = index.contiguous()
    case("scatter", f"{list(x)} at {dim} by {list(index.shape)}", {"dim": dim}, [normal(*x), index, normal(*source)],
         lambda x, i, s: torch.scatter(x, dim, i, s))
    case("scatter_value", f"{list(x)} at {dim} by {list(index.shape)}", {"dim": dim, "value": 2.5}, [normal(*x), index],
         lambda x, i: torch.scatter(x, dim, i, 2.5))
for x, dim, index, source in [((4, 3), 0, integers(0, 4, 6, 3), (6, 3)), ((4, 3), 1, integers(0, 3, 4, 5), (4, 5)),
                              ((2, 3, 4), 1, integers(0, 3, 2, 5, 4), (2, 5, 4)), ((5,), 0, integers(0, 5, 9), (9,))]:
    case("scatter_add", f"{list(x)} at {dim} by {list(index.shape)}", {"dim": dim},
         [normal(*x), index, normal(*source)], lambda x, i, s: torch.scatter_add(x, dim, i, s))
case("scatter_add", "int64", {"dim": 0}, [integers(0, 9, 3), ints(1, 1, 0), integers(0, 9, 3)],
     lambda x, i, s: torch.scatter_add(x, 0, i, s))
for x, dim, indices in [((4, 3), 0, [ints(2, -1, 2)]), ((4, 3), 1, [integers(-3, 3, 2, 2)]),
                        ((4, 3, 2), 0, [ints(1, 3, 1), ints(0, 2, 0)]), ((4, 3, 2), 1, [integers(0, 3, 2, 1), integers(0, 2, 3)]),
                        ((3, 2), 0, [ints()]), ((3,), 0, [torch.tensor(1)]), ((2, 3), 0, [ints(1), integers(0, 3, 4)])]:
    case("index", f"{list(x)} from {dim} by {[list(i.shape) for i in indices]}", {"dim": dim}, [normal(*x), *indices],
         lambda x, *i: x[(slice(None),) * dim + tuple(i)])
for accumulate in [False, True]:
    for x, dim, indices in [((4, 3), 0, [ints(2, -4)]), ((4, 3), 1, [ints(-1, 0)]), ((4, 3, 2), 0, [ints(1, 3), ints(0, 2)]),
                            ((4, 3, 2), 1, [torch.tensor([[0], [2]]), ints(0, 1)]), ((3,), 0, [torch.tensor(1)])]:
        values = torch.zeros(x)[(slice(None),) * dim + tuple(indices)].shape
        case("index_put", f"{list(x)} from {dim} by {[list(i.shape) for i in indices]}, {accumulate}",
             {"dim": dim, "accumulate": accumulate}, [normal(*x), normal(*values), *indices],
             lambda x, v, *i: torch.index_put(x, before(x, dim, i) + i, v, accumulate))
case("index_put", "places named twice are added", {"dim": 0, "accumulate": True},
     [normal(3, 2), normal(4, 2), ints(2, 0, 2, 2)], lambda x, v, i: torch.index_put(x, (i,), v, True))
for x, dim, index in [((4, 3), 0, ints(2, 0)), ((4, 3), 1, ints(1, 1, 0)), ((5,), -1, ints(3)), ((2, 3, 2), 1, ints(0, 2))]:
    shape = list(x)
    shape[dim] = len(index)
    for alpha in [1.0, -2.5]:
        case("index_add", f"{list(x)} at {dim}, alpha {alpha}", {"dim": dim, "alpha": alpha},
             [normal(*x), index, normal(*shape)], lambda x, i, s: torch.index_add(x, dim, i, s, alpha=alpha))
    case("index_fill", f"{list(x)} at {dim}", {"dim": dim, "value": -0.5}, [normal(*x), index],
         lambda x, i: torch.index_fill(x, dim, i, -0.5))
    if len(set(index.tolist())) == len(index):
        case("index_copy", f"{list(x)} at {dim}", {"dim": dim}, [normal(*x), index, normal(*shape)],
             lambda x, i, s: torch.index_copy(x, dim, i, s))
case("take", "[2, 3]", {}, [normal(2, 3), torch.tensor([[0, 5], [-1, 2]])], torch.take)
for x, index, dim in [((3, 4), integers(0, 3, 2, 4), 0), ((3, 1), integers(0, 3, 2, 4), 0), ((3, 4), integers(0, 4, 1, 2), 1),
                      ((2, 3), integers(0, 6, 5), None)]:
    case("take_along_dim", f"{list(x)} at {dim} by {list(index.shape)}", {"dim": dim}, [normal(*x), index],
         lambda x, i: torch.take_along_dim(x, i) if dim is None else torch.take_along_dim(x, i, dim))
case("masked_select", "[2, 3]", {}, [normal(2, 3), torch.tensor([[True, False, True], [False, False, True]])],
     torch.masked_select)
case("masked_select", "broadcast", {}, [normal(2, 1), torch.tensor([True, False, True])], torch.masked_select)
case("nonzero", "[2, 3]", {}, [torch.tensor([[0.0, 1, -2], [math.nan, 0, -0.0]])], torch.nonzero)
case("nonzero", "bool", {}, [torch.tensor([[[True], [False]], [[True], [True]]])], torch.nonzero)
case("nonzero", "a number", {}, [torch.tensor(2.0)], torch.nonzero)
case("one_hot", "[2, 3]", {"num_classes": 5}, [integers(0, 5, 2, 3)], lambda x: F.one_hot(x, 5))
case("one_hot", "a number", {"num_classes": 2}, [torch.tensor(1)], lambda x: F.one_hot(x, 2))
case("one_hot_by_value", "[4]", {}, [ints(2, 0, 1, 2)], F.one_hot)

# --- order

TIES = torch.tensor([[2.0, 1, 2, math.nan, -0.0, 0, math.inf], [1, 1, 1, -math.inf, math.nan, 1, -1]])
for descending in [False, True]:
    for shape, dim in [((7,), 0), ((3, 5), 1), ((3, 5), 0), ((2, 3, 4), 1), ((2, 3, 4), -1), ((), 0), ((3, 0), 1), ((0, 3), 1)]:
        case("sort", f"{list(shape)} at {dim}, descending {descending}", {"dim": dim, "descending": descending},
             [distinct(*shape)], lambda x: torch.sort(x, dim=dim, descending=descending, stable=True))
    case("sort", f"equal ones keep their order, descending {descending}", {"dim": 1, "descending": descending},
         [TIES], lambda x: torch.sort(x, dim=1, descending=descending, stable=True))
    case("sort", f"a long row, descending {descending}", {"dim": 0, "descending": descending}, [distinct(1500)],
         lambda x: torch.sort(x, dim=0, descending=descending, stable=True))
    for dtype in [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]:
        x = torch.randint(-100, 100, (40,), generator=generator).to(dtype)
        case("sort", f"{dtype}, descending {descending}", {"dim": 0, "descending": descending}, [x],
             lambda x: torch.sort(x, dim=0, descending=descending, stable=True))
case("argsort", "[3, 4]", {"dim": 0, "descending": True}, [distinct(3, 4)], lambda x: torch.argsort(x, 0, True))
for largest in [False, True]:
    for shape, k, dim in [((7,), 3, 0), ((3, 5), 2, 1), ((3, 5), 3, 0), ((2, 3, 4), 1, 1), ((5,), 5, 0), ((5,), 0, 0), ((), 1, 0)]:
        case("topk", f"{k} of {list(shape)} at {dim}, largest {largest}", {"k": k, "dim": dim, "largest": largest},
             [distinct(*shape)], lambda x: torch.topk(x, k, dim, largest))
case("topk", "NaN is the largest", {"k": 2, "dim": 0, "largest": True}, [torch.tensor([1.0, 3, math.nan, 2])],
     lambda x: torch.topk(x, 2, 0))
case("topk", "many", {"k": 20, "dim": 0, "largest": True}, [distinct(5000)], lambda x: torch.topk(x, 20, 0))
for shape, k, dim in [((7,), 3, 0), ((3, 5), 2, 1), ((2, 3, 4), 2, 1), ((), 1, 0)]:
    case("kthvalue", f"{k} of {list(shape)} at {dim}", {"k": k, "dim": dim}, [distinct(*shape)],
         lambda x: torch.kthvalue(x, k, dim, True))
for x in [torch.tensor([[3.0, 1, 2], [1, 3, 3]]), integers(-3, 3, 4, 3), torch.tensor([]), torch.tensor([True, False, True])]:
    case("unique", f"{list(x.shape)} {x.dtype}", {"dim": None}, [x],
         lambda x: [y.detach() for y in torch.unique(x, return_inverse=True, return_counts=True)])
    case("unique_consecutive", f"{list(x.shape)} {x.dtype}", {}, [x],
         lambda x: [y.detach() for y in torch.unique_consecutive(x, return_inverse=True, return_counts=True)])
for x, dim in [(integers(0, 2, 6, 2), 0), (integers(0, 2, 2, 6), 1), (integers(0, 2, 2, 5, 2), 1)]:
    case("unique", f"{list(x.shape)} at {dim}", {"dim": dim}, [x],
         lambda x: torch.unique(x, return_inverse=True, return_counts=True, dim=dim))
for right in [False, True]:
    rows = torch.sort(integers(0, 9, 2, 6).double()).values
    case("searchsorted", f"one row, right {right}", {"right": right}, [rows[0], integers(-1, 10, 3, 2).double()],
         lambda s, v: torch.searchsorted(s, v, right=right))
    case("searchsorted", f"rows, right {right}", {"right": right}, [rows, integers(-1, 10, 2, 3).double()],
         lambda s, v: torch.searchsorted(s, v, right=right))
    case("searchsorted", f"int64, right {right}", {"right": right}, [ints(1, 3, 3, 5), ints(0, 3, 4, 9)],
         lambda s, v: torch.searchsorted(s, v, right=right))
case("searchsorted", "NaN", {"right": False}, [torch.tensor([1.0, 2]), torch.tensor([math.nan, 1.5])], torch.searchsorted)
case("bincount", "[6]", {"minlength": 0}, [ints(1, 4, 1, 0, 1, 4)], torch.bincount)
case("bincount", "minlength", {"minlength": 7}, [ints(1, 4, 1)], lambda x: torch.bincount(x, minlength=7))
case("bincount", "weights", {"minlength": 0}, [ints(1, 3, 1), normal(3)], lambda x, w: torch.bincount(x, w.detach()))
case("histc", "bounds", {"bins": 4, "min": -1.0, "max": 1.0}, [normal(30)], lambda x: torch.histc(x.detach(), 4, -1, 1))
case("histc", "its own bounds", {"bins": 5, "min": 0.0, "max": 0.0}, [distinct(20)], lambda x: torch.histc(x.detach(), 5))

# --- products and distances

for ta in [False, True]:
    for tb in [False, True]:
        for b, n, k, m in [(2, 3, 4, 5), (1, 1, 3, 2), (3, 2, 0, 2), (0, 2, 2, 2)]:
            case("bmm", f"{b} of {n} x {k} x {m}, {ta} {tb}", {"transpose_a": ta, "transpose_b": tb},
                 [normal(b, *((k, n) if ta else (n, k))), normal(b, *((m, k) if tb else (k, m)))],
                 lambda x, y: torch.bmm(x.transpose(1, 2) if ta else x, y.transpose(1, 2) if tb else y))
for name, shapes in [("addmm", [(2, 4), (2, 3), (3, 4)]), ("addmm", [(4,), (2, 3), (3, 4)]), ("addmv", [(2,), (2, 3), (3,)]),
                     ("baddbmm", [(2, 2, 4), (2, 2, 3), (2, 3, 4)])]:
    for beta, alpha in [(1.0, 1.0), (0.5, -2.0)]:
        case(name, f"{shapes}, {beta} and {alpha}", {"beta": beta, "alpha": alpha}, [normal(*s) for s in shapes],
             lambda *x: getattr(torch, name)(*x, beta=beta, alpha=alpha))
case("mv", "[2, 3] x [3]", {}, [normal(2, 3), normal(3)], torch.mv)
case("dot", "[3]", {}, [normal(3), normal(3)], torch.dot)
case("outer", "[2] and [3]", {}, [normal(2), normal(3)], torch.outer)
case("inner", "[2, 3] and [4, 3]", {}, [normal(2, 3), normal(4, 3)], torch.inner)
case("tensordot", "2 dims", {"dims_a": [1, 2], "dims_b": [0, 1]}, [normal(2, 3, 4), normal(3, 4, 2)],
     lambda x, y: torch.tensordot(x, y, 2))
case("tensordot", "pairs", {"dims_a": [2, 0], "dims_b": [0, 3]}, [normal(2, 3, 4), normal(4, 5, 1, 2)],
     lambda x, y: torch.tensordot(x, y, ([2, 0], [0, 3])))
case("kron", "[2, 3] and [2]", {}, [normal(2, 3), normal(2)], torch.kron)
case("cross", "[2, 3]", {"dim": 1}, [normal(2, 3), normal(2, 3)], lambda x, y: torch.cross(x, y, 1))
for equation, shapes in [
    ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,jk", [(2, 3), (3, 4)]), ("bhid,bhjd->bhij", [(2, 3, 4, 5), (2, 3, 6, 5)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]), ("bij,jk->bik", [(2, 3, 4), (4, 5)]), ("ii->i", [(3, 3)]), ("ii", [(3, 3)]),
    ("ij->ji", [(2, 3)]), ("ij->", [(2, 3)]), ("ij", [(2, 3)]), ("ba", [(2, 3)]), ("i,j->ij", [(2,), (3,)]),
    ("i,i->", [(3,), (3,)]), ("ij,ij->ij", [(2, 3), (2, 3)]), ("...ij,...jk->...ik", [(2, 1, 3, 4), (5, 4, 2)]),
    ("...ij->...ji", [(2, 3, 4)]), ("i...,i...->...", [(3, 2, 4), (3, 4)]), ("...a,...a", [(2, 3, 4), (3, 4)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]), ("abc,cd,be->ade", [(2, 3, 4), (4, 5), (3, 2)]),
    ("aab,bcc->ac", [(2, 2, 3), (3, 4, 4)]), ("ij,kj->ik", [(1, 3), (4, 3)]), ("ij,jk->ik", [(2, 1), (3, 4)]),
    ("bn,anm,bm->ba", [(2, 5), (3, 5, 4), (2, 4)]), (" i j , j k -> k i", [(2, 3), (3, 4)]), ("Ab,bC->CA", [(2, 3), (3, 4)]),
    ("...,...->...", [(2, 3), (3,)]), (",ij->ij", [(), (2, 3)]), ("ij,k->", [(2, 3), (4,)]), ("bqhd,bkhd->bhqk", [(2, 3, 2, 4), (2, 5, 2, 4)]),
    ("bhqk,bkhd->bqhd", [(2, 2, 3, 5), (2, 5, 2, 4)]),
]:
    case("einsum", f"{equation} of {[list(s) for s in shapes]}", {"equation": equation}, [normal(*s) for s in shapes],
         lambda *x: torch.einsum(equation, *x))
for p in [0.0, 0.5, 1.0, 2.0, 3.0, math.inf]:
    for a, b in [((1, 3, 4), (1, 2, 4)), ((2, 2, 3), (2, 3, 3)), ((1, 2, 1), (1, 3, 1))]:
        case("cdist", f"p {p}, {list(a)} and {list(b)}", {"p": p}, [normal(*a), normal(*b)],
             lambda x, y: torch.cdist(x, y, p))
case("cdist", "by a product", {"p": 2.0}, [normal(1, 30, 3), normal(1, 27, 3)], lambda x, y: torch.cdist(x, y))
for p, dim in [(2.0, 1), (1.0, 0), (3.0, -1), (math.inf, 1)]:
    case("normalize", f"p {p} over {dim}", {"p": p, "dim": dim}, [normal(3, 4)], lambda x: F.normalize(x, p, dim))
case("normalize", "a row of zeros", {"p": 2.0, "dim": 1}, [torch.tensor([[0.0, 0], [3, 4]])], lambda x: F.normalize(x))
for a, b, dim in [((3, 4), (3, 4), 1), ((3, 1, 4), (2, 4), -1), ((4, 2), (4, 2), 0)]:
    case("cosine_similarity", f"{list(a)} and {list(b)} over {dim}", {"dim": dim}, [normal(*a), normal(*b)],
         lambda x, y: F.cosine_similarity(x, y, dim))
for p, keepdim in [(2.0, False), (1.0, True), (3.0, False)]:
    case("pairwise_distance", f"p {p}, keepdim {keepdim}", {"p": p, "keepdim": keepdim}, [normal(3, 4), normal(3, 4)],
         lambda x, y: F.pairwise_distance(x, y, p, keepdim=keepdim))

# --- images

case("pixel_shuffle", "[2, 8, 3, 2]", {"factor": 2}, [normal(2, 8, 3, 2)], lambda x: F.pixel_shuffle(x, 2))
case("pixel_shuffle", "without batch", {"factor": 3}, [normal(9, 1, 2)], lambda x: F.pixel_shuffle(x, 3))
case("pixel_unshuffle", "[2, 2, 4, 6]", {"factor": 2}, [normal(2, 2, 4, 6)], lambda x: F.pixel_unshuffle(x, 2))
case("channel_shuffle", "[2, 6, 2, 2]", {"groups": 3}, [normal(2, 6, 2, 2)],
     lambda x: x.reshape(2, 3, 2, 2, 2).transpose(1, 2).reshape(2, 6, 2, 2))
for x, kernel, options in [((2, 3, 5, 4), (2, 3), {}), ((1, 2, 6, 5), (3, 2), {"padding": (1, 2), "stride": (2, 1)}),
                           ((1, 1, 7, 7), (3, 3), {"dilation": (2, 1), "padding": (0, 1)}), ((2, 4, 4), (2, 2), {"stride": (2, 2)})]:
    attributes = {"kernel_size": kernel, "dilation": (1, 1), "padding": (0, 0), "stride": (1, 1), **options}
    case("unfold_images", f"{list(x)}, {kernel} {options}", attributes, [normal(*x)],
         lambda x: F.unfold(x, kernel, **options))
    columns = F.unfold(torch.zeros(x), kernel, **options).shape
    case("fold_images", f"{list(x)}, {kernel} {options}", {"output_size": x[-2:], **attributes}, [normal(*columns)],
         lambda c: F.fold(c, x[-2:], kernel, **options))
for mode in ["bilinear", "nearest", "bicubic"]:
    for padding_mode in ["zeros", "border", "reflection"]:
        for align in [False, True]:
            attributes = {"mode": mode, "padding_mode": padding_mode, "align_corners": align}
            grid = normal(2, 3, 4, 2, scale=0.9) + 0.0137
            case("grid_sample", f"{mode}, {padding_mode}, {align}", attributes, [normal(2, 2, 4, 5), grid],
                 lambda x, g: F.grid_sample(x, g, mode, padding_mode, align))
for align in [False, True]:
    case("affine_grid", f"{align}", {"size": [2, 3, 3, 4], "align_corners": align}, [normal(2, 2, 3)],
         lambda t: F.affine_grid(t, [2, 3, 3, 4], align))

# --- creation

for start, end, steps in [(0.0, 1.0, 5), (-3.0, 2.0, 4), (2.0, 7.0, 1), (1.0, 2.0, 0), (5.0, -5.0, 11)]:
    case("linspace", f"{start} to {end} by {steps}", {"start": start, "end": end, "steps": steps},
         [torch.zeros(1)], lambda like: torch.linspace(start, end, steps), fixed=[0])
case("logspace", "base 2", {"start": 0.0, "end": 3.0, "steps": 7, "base": 2.0}, [torch.zeros(1)],
     lambda like: torch.logspace(0, 3, 7, 2), fixed=[0])

write_cases("indexing.golden")
