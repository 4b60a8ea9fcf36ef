// SPDX-License-Identifier: MIT
#pragma once

// Private: what the layers of pooling share. Lists have one value for each dimension of the window.

#include <string>
#include <string_view>

#include "teff/engine/sequence_ops.h"

namespace teff::nn::detail {

IntList sides(const Pair& pair);
IntList sides(const Triple& triple);

void check_window(std::string_view layer, const IntList& kernel_size, const IntList& stride, const IntList& padding,
                  const IntList& dilation);

std::string window_repr(const std::string& kernel_size, const std::string& stride, const std::string& padding);
std::string lp_pool_repr(double norm_type, const std::string& kernel_size, const std::string& stride, bool ceil_mode);

}  // namespace teff::nn::detail
