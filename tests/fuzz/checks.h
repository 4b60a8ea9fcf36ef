// SPDX-License-Identifier: MIT
#pragma once

// What several targets check.

#include <string>
#include <string_view>
#include <vector>

#include "fuzz/target.h"
#include "teff/nn/graph/graph_module.h"
#include "teff/serialize/save_load.h"

namespace teff::fuzz {

/// Ends the program, as a finding, unless the condition holds.
void expect(bool condition, const char* promise);

/// The text of a refusal names the function, is one line, and cannot drive a terminal.
void expect_refusal(std::string_view text);

/// Looks into a file without loading it: a file that `is_loaded` is found whole, and one that is refused is not, unless
/// it holds a model.
void check_file(std::span<const std::byte> bytes, bool is_loaded);

/// Loads a dictionary. What is accepted prints, is saved in the given format, and comes back equal; or that format has
/// no place for it.
void check_dict(std::span<const std::byte> bytes, const LoadOptions& options, FileFormat format);

/// A .teff file of the model, with the inputs as its example.
std::string save_graph(const nn::GraphModuleData& data, const std::vector<Tensor>& inputs);

/// Runs a model on inputs of zeros, of the sizes in its graph, where that costs little: a result or an Error.
void run_on_zeros(nn::GraphModule& module);

/// Loads a network. One that loads is saved as a .teff file, which gives the same network; it prints and runs.
void check_network(std::span<const std::byte> bytes);

}  // namespace teff::fuzz
