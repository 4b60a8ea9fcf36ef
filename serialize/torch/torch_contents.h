// SPDX-License-Identifier: MIT
#pragma once

// Private: the two kinds of files of torch.save, looked into without reading their tensors.

#include <deque>
#include <memory>

#include "teff/serialize/contents.h"
#include "teff/serialize/torch/pickle_machine.h"
#include "teff/serialize/torch/torch_storage.h"

namespace teff::serialize {

class ScriptCode;
struct PickledModule;
struct ScriptObject;

/// What the pickle of the file says; the module that it is, if that is asked for.
std::unique_ptr<Contents> torch_contents(const Pickle& pickle, TorchStorages storages, const LoadOptions& options,
                                         std::uint64_t file_bytes, PickledModule* module = nullptr);
/// What that of a TorchScript module says; its objects if they are asked for.
std::unique_ptr<Contents> script_contents(const Pickle& pickle, TorchStorages storages, const LoadOptions& options,
                                          std::uint64_t file_bytes, ScriptCode& code,
                                          std::deque<ScriptObject>* objects = nullptr);

/// The zip. `module`: as above; that of a TorchScript archive is none.
std::unique_ptr<Contents> open_torch_zip(std::shared_ptr<const ByteSource> source, const LoadOptions& options,
                                         PickledModule* module = nullptr);
/// The chain of pickles, and the places of the storages behind them.
std::unique_ptr<Contents> open_torch_legacy(std::shared_ptr<const ByteSource> source, const LoadOptions& options,
                                            PickledModule* module = nullptr);

}  // namespace teff::serialize
