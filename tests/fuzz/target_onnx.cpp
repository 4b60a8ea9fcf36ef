// SPDX-License-Identifier: MIT
#include <sstream>

#include "fuzz/checks.h"
#include "teff/engine/error.h"

namespace teff::fuzz {
/// A network that loads prints, is saved, and comes back; its tensors load, too.
void run_onnx(std::span<const std::byte> bytes) {
  check_dict(bytes, {}, FileFormat::teff);
  try {
    nn::GraphModule module = load_model(bytes, {.max_work = 1e8, .max_bytes = 1e8});
    std::ostringstream printed;
    printed << module << module.graph() << module.state_dict();
    run_on_zeros(module);
  } catch (const FormatError& error) {
    expect_refusal(error.what());
  } catch (const ResourceError& error) {
    expect_refusal(error.what());
  }
}

}  // namespace teff::fuzz
