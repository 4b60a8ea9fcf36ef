// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "teff/nn/data/dataset.h"

namespace TEFF_EXPORT teff {
namespace data {

/// Some examples of a dataset, by number, in that order; one may come more than once.
class Subset : public Dataset {
 public:
  /// @throws TypeError for a null dataset; IndexError for a number outside [0, dataset->size()).
  Subset(std::shared_ptr<Dataset> dataset, std::vector<std::int64_t> indices);

  std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  const std::vector<std::int64_t>& indices() const { return indices_; }
  /// These throw IndexError for a number outside [0, size()).
  Example get(std::int64_t index) override;
  Example batch(std::span<const std::int64_t> indices) override;
  Example batch_with(std::span<const std::int64_t> indices, Generator& generator) override;

 private:
  std::vector<std::int64_t> in_dataset(std::span<const std::int64_t> indices) const;

  std::shared_ptr<Dataset> dataset_;
  std::vector<std::int64_t> indices_;
};

/// Parts of these lengths, in random order and without a common example, as PyTorch draws them after the same seed:
///
///   auto parts = data::random_split(dataset, {50000, 10000});
///
/// @throws TypeError for a null dataset; ValueError for a length below 0, or lengths whose sum is not dataset->size().
std::vector<std::shared_ptr<Subset>> random_split(const std::shared_ptr<Dataset>& dataset,
                                                  const std::vector<std::int64_t>& lengths);
/// The same from a generator of one's own.
std::vector<std::shared_ptr<Subset>> random_split(const std::shared_ptr<Dataset>& dataset,
                                                  const std::vector<std::int64_t>& lengths, Generator& generator);

/// The lengths that PyTorch's random_split makes of fractions: each size * fraction rounded down, what is left over
/// given one by one to the first. @throws ValueError for a size below 0, for fractions outside [0, 1], and unless their
/// sum is 1, to 1e-9.
std::vector<std::int64_t> split_lengths(std::int64_t size, const std::vector<double>& fractions);

/// One dataset after the other, as one.
class ConcatDataset : public Dataset {
 public:
  /// @throws ValueError for no datasets; TypeError for a null one.
  explicit ConcatDataset(std::vector<std::shared_ptr<Dataset>> datasets);

  std::int64_t size() const override { return ends_.back(); }
  /// These throw IndexError for a number outside [0, size()).
  Example get(std::int64_t index) override;
  Example batch(std::span<const std::int64_t> indices) override;
  /// Asks a dataset once for neighbours in the batch that are its own. @throws ShapeError, TypeError if the examples do
  /// not fit each other, or some have targets and some none.
  Example batch_with(std::span<const std::int64_t> indices, Generator& generator) override;

 private:
  std::size_t part_of(std::int64_t index) const;

  std::vector<std::shared_ptr<Dataset>> datasets_;
  std::vector<std::int64_t> ends_;  // of each, as numbers in the whole
};

}  // namespace data
}  // namespace teff
