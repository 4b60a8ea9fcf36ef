// SPDX-License-Identifier: MIT
#include <sstream>
#include <string_view>
#include <vector>

#include "fuzz/checks.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/script/script_syntax.h"

namespace teff::fuzz {
namespace {

constexpr double kMaxWork = 1e8, kMaxBytes = 1e8;

std::string printed(const nn::GraphModule& module) {
  std::ostringstream text;
  text << module << module.graph() << module.state_dict();
  return text.str();
}

}  // namespace

/// A network that loads is saved as a .teff file, which gives the same network; it prints and runs. The archive's
/// tensors load, too.
void run_script(std::span<const std::byte> bytes) {
  check_dict(bytes, {}, FileFormat::teff);
  const LoadOptions options{.max_work = kMaxWork, .max_bytes = kMaxBytes};
  try {
    nn::GraphModule module = load_model(bytes, options);
    const std::string file = save_graph(module.data(), std::vector<Tensor>(module.inputs().size(), zeros({0})));
    const nn::GraphModule again = load_model(std::as_bytes(std::span(file)), options);
    expect(printed(again) == printed(module), "a network that is saved comes back equal");
    run_on_zeros(module);
  } catch (const FormatError& error) {
    expect_refusal(error.what());
  } catch (const ResourceError& error) {
    expect_refusal(error.what());
  }
}

/// The bytes as code.
void run_script_code(std::span<const std::byte> bytes) {
  try {
    serialize::parse_script({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  } catch (const FormatError& error) {
    expect(std::string_view(error.what()).starts_with("line "), "a refusal of code begins with its line");
  }
}

}  // namespace teff::fuzz
