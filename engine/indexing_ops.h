// SPDX-License-Identifier: MIT
#pragma once

// Part of ops.h: functions that move, find, sort and count elements. For every dtype unless said otherwise; indices are
// int64. Those whose result's size or content depends on values that they read, and have no gradient (nonzero, unique,
// bincount, histc; masked_select has one), are refused while a graph is captured.

#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "teff/engine/tensor.h"
#include "teff/engine/tensor_index.h"

namespace TEFF_EXPORT teff {

// --- shapes

/// The entries of a dimension, without it.
std::vector<Tensor> unbind(const Tensor& x, Integer dim = 0);
/// slice(x, dim, start, start + length), but @throws IndexError unless all of it is there. start may be negative.
Tensor narrow(const Tensor& x, Integer dim, Integer start, Integer length);
/// x so many times one after the other along each dimension; new dimensions come in front. tile takes the last
/// dimensions if there are fewer counts.
Tensor repeat(const Tensor& x, const IntList& counts);
Tensor tile(const Tensor& x, const IntList& counts);
/// Each entry of a dimension so many times (by default of x as a vector); or entry i repeats[i] times, repeats [n] or
/// [1], which are read: refused while a graph is captured.
Tensor repeat_interleave(const Tensor& x, Integer repeats, std::optional<Integer> dim = {});
Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::optional<Integer> dim = {});
Tensor flip(const Tensor& x, const IntList& dims);
/// Moved by `shifts` along `dims`; what leaves at the end comes in at the begin. Without dims as a vector.
Tensor roll(const Tensor& x, const IntList& shifts, const IntList& dims = {});
Tensor expand_as(const Tensor& x, const Tensor& other);
/// Dimensions `source` to the places `destination`; the others keep their order.
Tensor movedim(const Tensor& x, const IntList& source, const IntList& destination);
Tensor swapaxes(const Tensor& x, Integer dim0, Integer dim1);
/// Matrices [..., n, m] with 0 above, or below, the diagonal; `diagonal` counts from the main one to the right.
Tensor tril(const Tensor& x, Integer diagonal = 0);
Tensor triu(const Tensor& x, Integer diagonal = 0);
/// The diagonal of two dimensions, which become the last one. offset counts as above.
Tensor diagonal(const Tensor& x, Integer offset = 0, Integer dim1 = 0, Integer dim2 = 1);
/// The last dimension as the diagonal of two, and 0 elsewhere.
Tensor diag_embed(const Tensor& x, Integer offset = 0, Integer dim1 = -2, Integer dim2 = -1);
/// [n] -> [n, n], or [n, m] -> the diagonal.
Tensor diag(const Tensor& x, Integer diagonal = 0);
/// The sum of a matrix's diagonal: []
Tensor trace(const Tensor& x);
/// Windows of `size` elements, `step` apart, of a dimension: [..., n, ...] -> [..., (n - size) / step + 1, ..., size].
Tensor unfold(const Tensor& x, Integer dim, Integer size, Integer step);
/// Vectors (or numbers) as coordinates of a grid: each becomes a tensor of shape [n0, n1, ...]. indexing "xy" swaps the
/// first two dimensions.
std::vector<Tensor> meshgrid(std::span<const Tensor> vectors, std::string_view indexing = "ij");
std::vector<Tensor> meshgrid(std::initializer_list<Tensor> vectors, std::string_view indexing = "ij");
/// All combinations of the vectors' elements: [n0 * n1 * ..., number of vectors]
Tensor cartesian_prod(std::span<const Tensor> vectors);
Tensor cartesian_prod(std::initializer_list<Tensor> vectors);

// --- by index. index(x, {...}) and index_put stand in tensor_index.h. All throw IndexError for an index out of range,
// and, but for take and take_along_dim, for a negative one. Sums are added in the order of the indices: any number of
// threads gives the same bits.

/// Y[i][j] = X[index[i][j]][j] for dim 0, Y[i][j] = X[i][index[i][j]] for dim 1, and so on. The index has as many
/// dimensions as x and is nowhere larger but at dim.
Tensor gather(const Tensor& x, Integer dim, const Tensor& index);
/// X with S written, or added, to where gather would read: Y[index[i][j]][j] = S[i][j]. Of equal places the last
/// counts. No dimension of the index is larger than the source's.
Tensor scatter(const Tensor& x, Integer dim, const Tensor& index, const Tensor& source);
Tensor scatter(const Tensor& x, Integer dim, const Tensor& index, double value);
Tensor scatter_add(const Tensor& x, Integer dim, const Tensor& index, const Tensor& source);
/// X with all S that go to a place made one with what is there: reduce is sum, prod, mean (whole numbers: rounded
/// down), amax or amin. Without include_self what is there does not count, but stays where nothing comes. Equal extrema
/// share the gradient.
Tensor scatter_reduce(const Tensor& x, Integer dim, const Tensor& index, const Tensor& source, std::string_view reduce,
                      bool include_self = true);
/// Entries of a dimension by an index [n]: alpha * source is added, source or value written.
Tensor index_add(const Tensor& x, Integer dim, const Tensor& index, const Tensor& source, double alpha = 1);
Tensor index_copy(const Tensor& x, Integer dim, const Tensor& index, const Tensor& source);
Tensor index_fill(const Tensor& x, Integer dim, const Tensor& index, double value);
/// Elements of x as a vector: the index's shape.
Tensor take(const Tensor& x, const Tensor& index);
/// gather, with x and index broadcast but for dim; without dim of x as a vector.
Tensor take_along_dim(const Tensor& x, const Tensor& index, std::optional<Integer> dim = {});
/// The elements where the bool mask (broadcast with x) is true: [n]
Tensor masked_select(const Tensor& x, const Tensor& mask);
/// x, with the elements of source, one after the other, where the bool mask (broadcast with x) is true. @throws
/// ValueError if source has fewer than there are places.
Tensor masked_scatter(const Tensor& x, const Tensor& mask, const Tensor& source);
/// Where x is not 0: [n, dimensions of x]
Tensor nonzero(const Tensor& x);
/// 1 at the index in a new last dimension of num_classes (default: the largest index + 1, read), and 0 elsewhere:
/// int64.
Tensor one_hot(const Tensor& index, std::optional<Integer> num_classes = {});

// --- order. NaN is greater than all numbers, 0 equals -0, equal elements keep their order. The gradient of a value
// goes to the element it is.

ValuesAndIndices sort(const Tensor& x, Integer dim = -1, bool descending = false);
Tensor argsort(const Tensor& x, Integer dim = -1, bool descending = false);
/// The k largest, or smallest, of a dimension, the largest (smallest) first.
ValuesAndIndices topk(const Tensor& x, Integer k, Integer dim = -1, bool largest = true);
/// The k-th smallest, counted from 1.
ValuesAndIndices kthvalue(const Tensor& x, Integer k, Integer dim = -1, bool keepdim = false);
struct UniqueResult {
  Tensor values;   // rising
  Tensor inverse;  // for each element of x (or entry of dim) its place in values
  Tensor counts;   // how often each value is there
};
/// The different elements, or with `dim` the different entries of that dimension. Every NaN is one of its own.
UniqueResult unique(const Tensor& x, std::optional<Integer> dim = {});
/// The same where only neighbours are compared, of x as a vector; in their order.
UniqueResult unique_consecutive(const Tensor& x);
/// Where values stand in sorted rows: the first i with values <= sorted[i], or (right) values < sorted[i]. sorted [n]
/// for all values, or [..., n] for values [..., m]. float32, float64 and int64.
Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right = false);
/// searchsorted(boundaries, x, right) of boundaries [n].
Tensor bucketize(const Tensor& x, const Tensor& boundaries, bool right = false);

// --- counting

/// How often each of 0, 1, ... is in an int64 vector: [max(x) + 1, or minlength if that is more], int64; or the sum of
/// its weights. @throws ValueError for a negative element, or one of 2^31 or more.
Tensor bincount(const Tensor& x, const Tensor& weights = {}, Integer minlength = 0);
/// Counts of `bins` equal parts of [min, max], in x's dtype; of [min(x), max(x)] if min equals max. Others are left
/// out.
Tensor histc(const Tensor& x, Integer bins = 100, double min = 0, double max = 0);

}  // namespace teff
