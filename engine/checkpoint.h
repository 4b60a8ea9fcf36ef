// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

/// function(inputs), of which backward keeps nothing but the inputs: when its turn comes it runs the function again,
/// and goes on with what that leaves. So a long network, cut into such parts, takes the memory of its longest part and
/// of what lies between parts, for a second run of forward (Chen et al., 2016; torch.utils.checkpoint).
///
/// The gradients are those without, bit by bit. The second run draws the same random numbers, and leaves the default
/// generator and running statistics as they are. Parameters that the function uses get their gradients as ever;
/// autograd::grad and create_graph work, too. The function must do the same both times, and what it uses (inputs,
/// parameters, buffers) must not change in between; forward hooks are called twice. It is copied, and lives as long as
/// the results' record: what it refers to must do so, too. Where nothing is recorded, inside of another checkpoint, or
/// while a graph is captured, it is just called.
/// @throws TypeError for an empty function. From backward: Error if something changed, or the function did something
/// else.
std::vector<Tensor> checkpoint(std::function<std::vector<Tensor>(std::span<const Tensor>)> function,
                               std::span<const Tensor> inputs);
/// The same for one input and one result: `checkpoint([&](const Tensor& x) { return net.layer1(x); }, x)`.
Tensor checkpoint(std::function<Tensor(const Tensor&)> function, const Tensor& input);

}  // namespace teff
