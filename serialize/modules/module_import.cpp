// SPDX-License-Identifier: MIT
#include "teff/engine/error.h"
#include "teff/serialize/modules/module_archive.h"
#include "teff/serialize/modules/module_file.h"
#include "teff/serialize/script/script_file.h"

namespace teff::serialize {
namespace {

ScriptArchive open_module(const std::shared_ptr<const ByteSource>& source, LoadOptions options) {
  options.inert_objects = false;
  PickledNetwork file = open_pickled(source, options);
  if (file.module.type.empty()) {
    const bool is_within = !file.contents->modules.empty();
    throw FormatError(
        std::string("expected a file with an entire model (.teff, ONNX, TorchScript, a whole module of PyTorch), got a "
                    "file of torch.save") +
        (is_within ? " that has a module among other things: save that alone, or" : ":") +
        " use load for its tensors, or write torch.jit.trace(model, example) or torch.jit.script(model) with "
        "torch.jit.save");
  }
  check_supported(*file.contents, options);
  return archive_of(std::move(file));
}

}  // namespace

nn::GraphModuleData read_torch_model(const std::shared_ptr<const ByteSource>& source, const LoadOptions& options) {
  return read_script_model(is_script(*source) ? open_script(source, options) : open_module(source, options), options);
}

}  // namespace teff::serialize
