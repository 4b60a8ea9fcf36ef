// SPDX-License-Identifier: MIT
#pragma once

// Private: the ops that each file of this folder brings. op_registry.cpp lists these tables. (Explicit tables, because
// linkers drop self-registering objects from static libraries.)

#include <span>

#include "teff/engine/op_registry.h"

namespace teff::ops {

std::span<const OpEntry> activation_ops();
std::span<const OpEntry> adaptive_pool2d_ops();
std::span<const OpEntry> advanced_index_ops();
std::span<const OpEntry> attention_ops();
std::span<const OpEntry> batch_norm_ops();
std::span<const OpEntry> binary_ops();
std::span<const OpEntry> cdist_ops();
std::span<const OpEntry> comparison_ops();
std::span<const OpEntry> conv2d_ops();
std::span<const OpEntry> conv_transpose2d_ops();
std::span<const OpEntry> copy_ops();
std::span<const OpEntry> ctc_loss_ops();
std::span<const OpEntry> cumulative_ops();
std::span<const OpEntry> dropout_ops();
std::span<const OpEntry> embedding_bag_ops();
std::span<const OpEntry> embedding_ops();
std::span<const OpEntry> extremum_ops();
std::span<const OpEntry> gather_ops();
std::span<const OpEntry> grid_sample_ops();
std::span<const OpEntry> group_norm_ops();
std::span<const OpEntry> indexed_pool_ops();
std::span<const OpEntry> indexing_ops();
std::span<const OpEntry> instance_norm_ops();
std::span<const OpEntry> interpolate_ops();
std::span<const OpEntry> join_ops();
std::span<const OpEntry> math_ops();
std::span<const OpEntry> math_pair_ops();
std::span<const OpEntry> matmul_ops();
std::span<const OpEntry> max_unpool_ops();
std::span<const OpEntry> multi_margin_loss_ops();
std::span<const OpEntry> nll_loss_ops();
std::span<const OpEntry> pad_ops();
std::span<const OpEntry> pair_loss_ops();
std::span<const OpEntry> pieces_ops();
std::span<const OpEntry> pool2d_ops();
std::span<const OpEntry> rearrange_ops();
std::span<const OpEntry> recurrent_ops();
std::span<const OpEntry> reduce_ops();
std::span<const OpEntry> reshape_ops();
std::span<const OpEntry> search_ops();
std::span<const OpEntry> softmax_ops();
std::span<const OpEntry> sort_ops();
std::span<const OpEntry> unary_ops();
std::span<const OpEntry> unfold_ops();
std::span<const OpEntry> where_ops();

}  // namespace teff::ops
