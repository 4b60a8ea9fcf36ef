// SPDX-License-Identifier: MIT
#include "teff/engine/ops/repeated.h"

#include <algorithm>
#include <type_traits>

#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/rows.h"

namespace teff::ops {

Repeated::Repeated(const Tensor& tensor, const Shape& shape) : data_(tensor.raw_data()) {
  if (tensor.shape() == shape) return;
  const std::size_t bytes = size_of(tensor.dtype());
  void* const copy = copy_.emplace(static_cast<std::size_t>(numel(shape)) * bytes).data();
  visit_width(bytes, [&](auto* word) {
    using Word = std::remove_pointer_t<decltype(word)>;
    Broadcast(shape, tensor.shape(), shape).for_each_run([&](const BroadcastRun& run) {
      const Word* const from = static_cast<const Word*>(data_) + run.a_begin;
      Word* const to = static_cast<Word*>(copy) + run.out_begin;
      run.a_step == 0 ? std::fill_n(to, run.count, *from) : std::copy_n(from, run.count, to);
    });
  });
  data_ = copy;
}

}  // namespace teff::ops
