// SPDX-License-Identifier: MIT
// In place of the folders exported, modules, onnx, operators and script in a build without TEFF_IMPORT.

#include "teff/engine/error.h"
#include "teff/serialize/exported/exported_file.h"
#include "teff/serialize/modules/module_file.h"
#include "teff/serialize/onnx/onnx_file.h"
#include "teff/serialize/script/script_file.h"

namespace teff::serialize {
namespace {

[[noreturn]] void refuse(const char* what) {
  throw UnsupportedError("expected a build of Teff with TEFF_IMPORT for " + std::string(what) +
                         ", got one without; convert it with teff convert");
}
[[noreturn]] void refuse_onnx() { refuse("an ONNX file"); }

}  // namespace

std::unique_ptr<Contents> open_exported(std::shared_ptr<const ByteSource>, const LoadOptions&) {
  refuse("a program of torch.export");
}

nn::GraphModuleData read_exported_model(const std::shared_ptr<const ByteSource>&, const LoadOptions&) {
  refuse("a program of torch.export");
}

std::unique_ptr<Contents> open_onnx(std::shared_ptr<const ByteSource>, const LoadOptions&) { refuse_onnx(); }

nn::GraphModuleData read_onnx_model(const std::shared_ptr<const ByteSource>&) { refuse_onnx(); }

nn::GraphModuleData read_torch_model(const std::shared_ptr<const ByteSource>&, const LoadOptions&) {
  refuse("a network of PyTorch");
}

void save_onnx(const nn::GraphModuleData&, ByteSink&, const SaveOptions&) { refuse_onnx(); }

void save_script(const nn::GraphModuleData&, ByteSink&, const SaveOptions&) { refuse("a TorchScript archive"); }

void save_onnx_tensor(const std::string&, const Tensor&, ByteSink&) { refuse_onnx(); }

}  // namespace teff::serialize
