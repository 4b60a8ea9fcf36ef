// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>

#include "teff/engine/dict.h"
#include "teff/nn/graph/graph_module.h"
#include "teff/nn/module.h"
#include "teff/serialize/options.h"

namespace TEFF_EXPORT teff {

/// Writes a dictionary to a file, atomically: on any failure the old file is untouched and nothing is left
/// behind. Tensors that share all their elements are written once and come back shared; a view of some elements
/// is saved as these. Whether a tensor requires a gradient is not saved. Nobody may write to the tensors meanwhile.
///
/// For .pt and .pth, torch.load, also with weights_only, gives back what the Dict holds. A Dict of tensors only becomes
/// an OrderedDict with the _metadata that load_state_dict expects (of the modules that have tensors: no other can be
/// seen in it); the state of an optimiser gets whole numbers as keys. For .safetensors the Dict holds tensors and
/// nothing else; each is written in full, and in the format's own order. So it does for .npz, of dtypes that NumPy has;
/// for .npy it is one tensor under "".
/// @throws IoError if the system refuses; ValueError for what the format cannot hold (for .teff see FORMAT.md).
void save(const Dict& dict, const std::string& path, const SaveOptions& options = {});
/// The same bytes to a stream, which must be a binary one. @throws IoError if the stream fails.
void save(const Dict& dict, std::ostream& stream, const SaveOptions& options = {});

/// Reads a file of any format, which is known by its content. Nothing in it is ever run. The array of a .npy file
/// stands under ""; arrays in the order of Fortran, or of big-endian machines, are laid out anew. Of an ONNX file it is
/// the initialisers by their names.
///
/// Of PyTorch's files, the zip since 1.6 and the chain of pickles before: tuples and sets become Lists; numbers as keys
/// text ("0"); numpy's scalars numbers and its arrays tensors; dtypes and devices text ("torch.float16", "cuda:0"); a
/// value that is no dictionary stands under the name "". A whole pickled module gives its state dict, also within a
/// checkpoint, and so do a TorchScript archive and a program of torch.export. docs/pytorch.md has the whole table.
/// Tensors are on the CPU wherever they were saved; those that share elements share them again if they are contiguous,
/// or the same. Strided and expanded ones are laid out anew; requires_grad and _metadata are dropped. For complex,
/// quantised and sparse tensors, and for objects of unknown classes, see LoadOptions.
/// @throws IoError if the file cannot be read; FormatError, with place and reason, if it is damaged, foreign
/// or newer, or holds what Teff has no place for; in the cases in which it may be whole, UnsupportedError.
Dict load(const std::string& path, const LoadOptions& options = {});
/// From memory, of which the tensors are copies. @throws as above; ValueError with mmap.
Dict load(std::span<const std::byte> bytes, const LoadOptions& options = {});
/// Everything up to the end of the stream. @throws as above; IoError if the stream fails.
Dict load(std::istream& stream, const LoadOptions& options = {});

/// Captures the module with example inputs (see nn::capture) and writes graph, parameters, buffers and
/// printed form: a model file that needs no class, in the .teff format. The first two rows of the inputs, and what the
/// module makes of them in evaluation mode, are kept in it as a test. A GraphModule is written as it is.
///
/// With the extension .onnx it is a network in ONNX's operators, of version 17, in evaluation mode: parameters and
/// buffers under their keys, free sizes as named dimensions, the printed form as the graph's description.
/// With .pt and .pth, or FileFormat::pytorch, it is a TorchScript archive, which torch.jit.load of PyTorch 1.13 and
/// later opens without a class: keys, modules and their classes, requires_grad, mode and free sizes are the original's.
/// docs/operators.md says what each operation becomes. load_model gives both back, and they train.
/// @throws what save throws; what nn::capture throws. ValueError for operations that ONNX or TorchScript do not have,
/// all of them by name; ONNX: for more than 2 GB; TorchScript: for names that no module can have, and for metadata.
void save_model(nn::Module& module, std::span<const Tensor> inputs, const std::string& path,
                const SaveOptions& options = {});
void save_model(nn::Module& module, std::span<const Tensor> inputs, std::ostream& stream,
                const SaveOptions& options = {});

/// The same for one input, and for a list of inputs.
template <class To>
void save_model(nn::Module& module, const Tensor& input, To&& to, const SaveOptions& options = {}) {
  save_model(module, std::span(&input, 1), to, options);
}
template <class To>
void save_model(nn::Module& module, std::initializer_list<Tensor> inputs, To&& to, const SaveOptions& options = {}) {
  save_model(module, std::span(inputs.begin(), inputs.size()), to, options);
}

/// Reads what save_model wrote, and networks in ONNX's format (operators of versions 1 to 22) and in PyTorch's files
/// (TorchScript, torch.export, and whole modules of PyTorch's own layers: docs/pytorch.md). Of ONNX's the initialisers
/// are the parameters, under their names, and batch norm's statistics the buffers; the module is in evaluation mode,
/// and trains. The batch is free, and what else the file leaves open of its inputs' sizes, where no operator freezes
/// it; arithmetic on sizes and constants is folded, an If on constants is the branch that is taken. What Teff has no
/// place for (Loop and Scan, sequences, texts, quantised operators, float16) is refused by the names of operator and
/// node. Weights beside the file must lie in its folder. @throws as load does; ResourceError for a model that would
/// take more than the options allow.
nn::GraphModule load_model(const std::string& path, const LoadOptions& options = {});
nn::GraphModule load_model(std::span<const std::byte> bytes, const LoadOptions& options = {});
nn::GraphModule load_model(std::istream& stream, const LoadOptions& options = {});

}  // namespace teff
