// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {
class Generator;
}

namespace TEFF_EXPORT teff {
namespace data {

/// One example, or a batch of them along a new dimension 0. The target may be undefined.
struct Example {
  Tensor data;
  Tensor target;
};

/// Examples by number. A DataLoader calls batch_with from one thread at a time, which with prefetching is not the
/// thread that made it, and with several workers from several threads at once: datasets that have no state but what
/// they were made of, as those of Teff, bear it.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::int64_t size() const = 0;
  /// Example number `index` of [0, size()).
  virtual Example get(std::int64_t index) = 0;
  /// The given examples, stacked. Override it where they can be gathered faster.
  /// @throws ShapeError if they differ in shape.
  virtual Example batch(std::span<const std::int64_t> indices);
  /// What a DataLoader calls: the same, with whatever is random in it drawn from `generator`, so that it can be made
  /// again. Calls batch(indices) unless overridden.
  virtual Example batch_with(std::span<const std::int64_t> indices, Generator& generator);
};

/// The rows of tensors: data [N, ...] and, if there is one, target [N, ...].
class TensorDataset : public Dataset {
 public:
  /// Holds handles. @throws ShapeError unless both have N rows.
  explicit TensorDataset(Tensor data, Tensor target = {});

  std::int64_t size() const override { return data_.size(0); }
  /// Shares elements with the tensors. @throws IndexError.
  Example get(std::int64_t index) override;
  /// Copies the rows. @throws IndexError.
  Example batch(std::span<const std::int64_t> indices) override;

 private:
  Tensor data_;
  Tensor target_;
};

}  // namespace data
}  // namespace teff
