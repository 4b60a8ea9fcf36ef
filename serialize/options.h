// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "teff/engine/dict.h"

namespace TEFF_EXPORT teff {

enum class FileFormat {
  by_name,      // the extension of the path: .pt and .pth, .safetensors, .npz, .npy, .onnx, else .teff. A stream: .teff
  teff,         // see FORMAT.md
  pytorch,      // what torch.save writes and torch.load reads; of save_model a TorchScript archive
  safetensors,  // tensors by name, and text by name
  npz,          // tensors by name, as numpy.savez writes and numpy.load reads
  npy,          // one tensor, as numpy.save writes; in a dictionary its name is ""
  onnx,         // a network, as ONNX Runtime and others run it
};

/// As people call it: ".teff", "PyTorch".
std::string_view to_string(FileFormat format);

struct SaveOptions {
  FileFormat format = FileFormat::by_name;
  /// Flushes file and folder to the disk, so that the file survives a power failure. Without it saving is
  /// still atomic: a reader, or a crash of the program, sees the old file or the new one.
  bool durable = true;
  /// Free values by name, shown by the teff command: class labels, a licence. In .safetensors and ONNX text only; in
  /// PyTorch's files there is no place for them.
  Dict metadata = {};
  /// save_model: names of the inputs and outputs (see GraphModule::rename_ports).
  std::vector<std::string> input_names = {};
  std::vector<std::string> output_names = {};
  /// save_model, ONNX: writes the example's first rows and the outputs, too, in ONNX's own form: test_data_set_0 beside
  /// the file, with input_0.pb, output_0.pb and so on.
  bool test_data = false;
};

struct LoadOptions {
  /// Compares the checksum of every tensor (.safetensors has none). Everything else is always verified.
  bool verify = true;
  /// Maps the file instead of reading it: tensors refer to the file's pages, which are loaded as they are
  /// touched (all of them at once with verify); writing to such a tensor never changes the file. Replacing
  /// the file, as save does, is fine while it is mapped; a program that changes or shortens it in place
  /// changes the values, or ends this program with SIGBUS. Tensors that are not aligned in a foreign file are copied.
  bool mmap = false;
  /// load_model: runs the example that the file holds, and refuses the file unless it gives the outputs that it holds,
  /// up to rounding (see FORMAT.md).
  bool self_test = false;
  /// PyTorch's files: takes objects of classes that Teff does not know as dictionaries of their attributes, instead of
  /// refusing them; what they were made with as a list, or as the attribute "__arguments__"; classes and functions as
  /// their names. Parameters, buffers and children of a module are such attributes:
  /// load(path, {.inert_objects = true}).at("conv1").as_dict().at("weight"). Nothing of them is run.
  bool inert_objects = false;
  /// Entries to leave out, with all that is in them, by their paths as in FileEntry: {"phase", "callbacks[0]"}. In a
  /// list None takes their place. They are not looked into, so they may be what would be refused. @throws FormatError,
  /// when the file is read, for a path that leads nowhere.
  std::vector<std::string> skip = {};
  /// Leaves out the entries that Teff has no place for, such as complex, quantised and sparse tensors, instead of
  /// refusing the file because of them. File::unsupported says which these are.
  bool skip_unsupported = false;
  /// load_model of PyTorch's files, which, but for those of torch.export, do not say what forward takes: the types of
  /// its tensors, such as
  /// {{{2, 3, 224, 224}, DType::float32}}, with sizes that are as good as others where forward takes others. Without
  /// them types are looked for that fit the network's weights, which leaves to chance what the code leaves open: how
  /// many dimensions a network takes that takes several.
  std::vector<TensorType> input_types = {};
  /// load_model: the most that a run of the model may take, in operations on single values and in bytes of the results
  /// of all its operations, as the types in the file tell: a model that asks for more is refused. Later runs, sessions
  /// and training steps are held to the same; inputs that are larger than those in the file may cost as many times more
  /// (see GraphExecutor::run). The defaults are a minute's work and what few machines can give.
  double max_work = 4e12;
  double max_bytes = 0x1p34;
};

}  // namespace teff
