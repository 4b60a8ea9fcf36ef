// SPDX-License-Identifier: MIT
#include <array>
#include <cstring>
#include <map>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/serialize/io/data_blocks.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/onnx/onnx_model.h"

namespace teff::serialize {
namespace {

struct Known {
  std::string_view name;
  std::optional<DType> dtype;
};

/// By ONNX's number.
constexpr std::array<Known, 23> kDTypes = {{
    {"UNDEFINED", {}},
    {"FLOAT", DType::float32},
    {"UINT8", DType::uint8},
    {"INT8", DType::int8},
    {"UINT16", DType::uint16},
    {"INT16", DType::int16},
    {"INT32", DType::int32},
    {"INT64", DType::int64},
    {"STRING", {}},
    {"BOOL", DType::bool_},
    {"FLOAT16", DType::float16},
    {"DOUBLE", DType::float64},
    {"UINT32", DType::uint32},
    {"UINT64", DType::uint64},
    {"COMPLEX64", {}},
    {"COMPLEX128", {}},
    {"BFLOAT16", DType::bfloat16},
    {"FLOAT8E4M3FN", DType::float8_e4m3fn},
    {"FLOAT8E4M3FNUZ", {}},
    {"FLOAT8E5M2", DType::float8_e5m2},
    {"FLOAT8E5M2FNUZ", {}},
    {"UINT4", {}},
    {"INT4", {}},
}};

bool is_listed(std::int64_t code) { return code >= 0 && code < static_cast<std::int64_t>(kDTypes.size()); }

[[noreturn]] void refuse(const OnnxTensor& tensor, const std::string& what) {
  throw FormatError("tensor \"" + escaped(tensor.name, 100) + "\" at offset " + std::to_string(tensor.message.begin) +
                    ": " + what);
}

/// Writes numbers one after the other as elements of a tensor.
class Elements {
 public:
  Elements(const OnnxTensor& tensor, const Tensor& values) : tensor_(tensor), values_(values) {}

  void add(std::uint64_t bits) {  // little-endian machines: the lower bytes of a number are the narrower one
    const std::size_t bytes = size_of(values_.dtype());
    if (count_ == values_.numel()) refuse_count("more");
    std::memcpy(static_cast<std::byte*>(values_.raw_data()) + static_cast<std::size_t>(count_++) * bytes, &bits, bytes);
  }
  void check_whole() const {
    if (count_ != values_.numel()) refuse_count(std::to_string(count_));
  }

 private:
  [[noreturn]] void refuse_count(const std::string& got) const {
    refuse(tensor_, "expected " + std::to_string(values_.numel()) + " values, got " + got);
  }

  const OnnxTensor& tensor_;
  const Tensor& values_;
  std::int64_t count_ = 0;
};

/// The field that has the values of a dtype, where they are not bytes.
std::uint32_t field_of(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return 4;
    case DType::float64:
      return 10;
    case DType::int64:
      return 7;
    case DType::uint32:
    case DType::uint64:
      return 11;
    default:
      return 5;
  }
}

/// Whether the file has at least as many bytes as the typed values would take: no memory for what is not there.
void check_typed_bytes(const OnnxTensor& tensor, const TensorType& type) {
  const std::uint64_t least = type.dtype == DType::float32 ? 4 : type.dtype == DType::float64 ? 8 : 1;
  const auto count = static_cast<std::uint64_t>(numel(type.shape));
  if (count > tensor.message.bytes() / least) {
    refuse(tensor, "expected " + std::to_string(count) + " values, got fewer");
  }
}

void read_typed(const ByteSource& source, const OnnxTensor& tensor, const Tensor& values) {
  WireFile file(source);
  Elements elements(tensor, values);
  const std::uint32_t field = field_of(values.dtype());
  for (WireReader in(file, tensor.message); in.next();) {
    if (in.field() != field) {
      if (in.field() == 4 || in.field() == 5 || in.field() == 6 || in.field() == 7 || in.field() == 10 ||
          in.field() == 11) {
        in.refuse("expected values of " + std::string(to_string(values.dtype())) + ", got others");
      }
      continue;
    }
    if (field == 4) {
      in.fixed<std::uint32_t>([&](std::uint32_t bits) { elements.add(bits); });
    } else if (field == 10) {
      in.fixed<std::uint64_t>([&](std::uint64_t bits) { elements.add(bits); });
    } else {
      in.numbers([&](std::int64_t number) { elements.add(static_cast<std::uint64_t>(number)); });
    }
  }
  elements.check_whole();
}

}  // namespace

std::optional<DType> onnx_dtype(std::int64_t code) {
  return is_listed(code) ? kDTypes[static_cast<std::size_t>(code)].dtype : std::nullopt;
}

std::string onnx_dtype_name(std::int64_t code) {
  return is_listed(code) ? std::string(kDTypes[static_cast<std::size_t>(code)].name) : "number " + std::to_string(code);
}

TensorType onnx_type(const OnnxTensor& tensor) {
  const std::optional<DType> dtype = onnx_dtype(tensor.code);
  const std::string what = "tensor \"" + escaped(tensor.name, 100) + "\": expected ";
  if (!dtype) throw UnsupportedError(what + "a dtype that Teff has, got " + onnx_dtype_name(tensor.code));
  if (tensor.dims.size() > kMaxRank) {
    throw UnsupportedError(what + "at most 8 dimensions, got " + std::to_string(tensor.dims.size()));
  }
  const TensorType type{Shape(std::span<const std::int64_t>(tensor.dims)), *dtype};
  const std::int64_t count = numel(type.shape);
  const std::uint64_t bytes = static_cast<std::uint64_t>(count) * size_of(*dtype);
  if (tensor.raw && tensor.raw->bytes() != bytes) {
    refuse(tensor, "expected " + std::to_string(bytes) + " bytes, got " + std::to_string(tensor.raw->bytes()));
  }
  if (!tensor.raw && tensor.external == nullptr) check_typed_bytes(tensor, type);
  return type;
}

std::vector<Tensor> read_onnx_tensors(const ByteSource& source, const std::vector<const OnnxTensor*>& tensors) {
  const NoGradGuard no_grad;
  struct File {
    std::shared_ptr<const ByteSource> source;
    std::vector<DataBlock> blocks;
  };
  std::map<std::string, File> files;  // "": the file itself
  std::vector<Tensor> results;
  for (const OnnxTensor* tensor : tensors) {
    const TensorType type = onnx_type(*tensor);
    const std::uint64_t bytes = static_cast<std::uint64_t>(numel(type.shape)) * size_of(type.dtype);
    File* file = &files[""];
    Extent extent = tensor->raw.value_or(Extent{});
    if (tensor->external != nullptr) {
      const OnnxExternalData& external = *tensor->external;
      file = &files[external.location];
      if (file->source == nullptr) file->source = source.beside(external.location);
      const std::uint64_t size = file->source->size(), length = external.length.value_or(bytes);
      if (length != bytes || external.offset > size || bytes > size - external.offset) {
        refuse(*tensor, "expected " + std::to_string(bytes) + " bytes at offset " + std::to_string(external.offset) +
                            " of \"" + escaped(external.location, 100) + "\", got a length of " +
                            std::to_string(length) + " in a file of " + std::to_string(size));
      }
      extent = {external.offset, external.offset + bytes};
    }
    results.push_back(empty(type.shape, {.dtype = type.dtype}));
    if (tensor->external == nullptr && !tensor->raw) {
      read_typed(source, *tensor, results.back());
    } else if (bytes > 0) {
      const auto memory = std::span(static_cast<std::byte*>(results.back().raw_data()), results.back().nbytes());
      file->blocks.push_back({extent.begin, memory, false});
    }
  }
  for (const auto& [name, file] : files) {
    read_blocks(file.source == nullptr ? source : *file.source, file.blocks, false);
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i].dtype() != DType::bool_) continue;
    if (!are_bools(std::span(static_cast<const std::byte*>(results[i].raw_data()), results[i].nbytes()))) {
      refuse(*tensors[i], "expected bool values of 0 or 1, got others");
    }
  }
  return results;
}

Tensor read_onnx_tensor(const ByteSource& source, const OnnxTensor& tensor) {
  return read_onnx_tensors(source, {&tensor})[0];
}

}  // namespace teff::serialize
