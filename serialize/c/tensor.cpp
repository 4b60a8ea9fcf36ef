// SPDX-License-Identifier: MIT
#include "teff/engine/parallel.h"
#include "teff/engine/random.h"
#include "teff/serialize/c/guard.h"

using namespace teff;
using namespace teff::c;

const char* teff_version(void) { return TEFF_C_VERSION; }

teff_status teff_num_threads(int* result) {
  return guarded([&] { at(result, "teff_num_threads", "result") = get_num_threads(); });
}

teff_status teff_set_num_threads(int count) {
  return guarded([&] { set_num_threads(count); });
}

teff_status teff_manual_seed(uint64_t seed) {
  return guarded([&] { manual_seed(seed); });
}

size_t teff_dtype_size(teff_dtype dtype) { return is_dtype(dtype) ? size_of(static_cast<DType>(dtype)) : 0; }

const char* teff_dtype_name(teff_dtype dtype) {
  return is_dtype(dtype) ? to_string(static_cast<DType>(dtype)).data() : "unknown";  // of a literal
}

teff_status teff_tensor_new(teff_dtype dtype, size_t dims, const int64_t* sizes, teff_tensor** result) {
  return guarded([&] {
    constexpr const char* kName = "teff_tensor_new";
    teff_tensor*& place = at(result, kName, "result");
    place = made(zeros(shape_of(sizes, dims, kName), {.dtype = dtype_from(dtype, kName)}));
  });
}

teff_status teff_tensor_from_data(const void* data, teff_dtype dtype, size_t dims, const int64_t* sizes,
                                  teff_tensor** result) {
  return guarded([&] {
    constexpr const char* kName = "teff_tensor_from_data";
    teff_tensor*& place = at(result, kName, "result");
    const Tensor tensor = empty(shape_of(sizes, dims, kName), {.dtype = dtype_from(dtype, kName)});
    if (tensor.nbytes() > 0) {
      if (!data) refuse_null(kName, "data");
      std::memcpy(tensor.raw_data(), data, tensor.nbytes());
    }
    place = made(tensor);
  });
}

teff_status teff_tensor_from_external(void* data, teff_dtype dtype, size_t dims, const int64_t* sizes,
                                      void (*release)(void* context), void* context, teff_tensor** result) {
  return guarded([&] {
    constexpr const char* kName = "teff_tensor_from_external";
    teff_tensor*& place = at(result, kName, "result");
    const TensorType type{shape_of(sizes, dims, kName), dtype_from(dtype, kName)};
    // Whatever throws, throws before the memory is taken over.
    const auto armed = std::make_shared<bool>(false);
    std::function<void(void*)> deleter;
    if (release) {
      deleter = [release, context, armed](void*) {
        if (*armed) release(context);
      };
    }
    place = made(Tensor::from_external(data, type, std::move(deleter)));
    *armed = true;
  });
}

void teff_tensor_free(teff_tensor* tensor) { delete reinterpret_cast<Tensor*>(tensor); }

teff_status teff_tensor_share(const teff_tensor* tensor, teff_tensor** result) {
  return guarded([&] {
    put(result, "teff_tensor_share", [&] { return made(Tensor(in(at(tensor, "teff_tensor_share", "tensor")))); });
  });
}

teff_status teff_tensor_clone(const teff_tensor* tensor, teff_tensor** result) {
  return guarded([&] {
    const Tensor& source = in(at(tensor, "teff_tensor_clone", "tensor"));
    put(result, "teff_tensor_clone", [&] { return made(source.clone()); });
  });
}

teff_status teff_tensor_to(const teff_tensor* tensor, teff_dtype dtype, teff_tensor** result) {
  return guarded([&] {
    const Tensor& source = in(at(tensor, "teff_tensor_to", "tensor"));
    put(result, "teff_tensor_to", [&] { return made(source.to(dtype_from(dtype, "teff_tensor_to"))); });
  });
}

teff_status teff_tensor_copy(teff_tensor* tensor, const teff_tensor* source) {
  return guarded([&] {
    in(at(tensor, "teff_tensor_copy", "tensor")).detach().copy_(in(at(source, "teff_tensor_copy", "source")).detach());
  });
}

teff_dtype teff_tensor_dtype(const teff_tensor* tensor) {
  return tensor ? static_cast<teff_dtype>(in(*tensor).dtype()) : 0;
}

size_t teff_tensor_dims(const teff_tensor* tensor) { return tensor ? in(*tensor).shape().size() : 0; }

const int64_t* teff_tensor_sizes(const teff_tensor* tensor) { return tensor ? in(*tensor).shape().begin() : nullptr; }

int64_t teff_tensor_numel(const teff_tensor* tensor) { return tensor ? in(*tensor).numel() : 0; }

size_t teff_tensor_nbytes(const teff_tensor* tensor) { return tensor ? in(*tensor).nbytes() : 0; }

void* teff_tensor_data(const teff_tensor* tensor) {
  void* data = nullptr;
  guarded([&] {
    if (tensor) data = in(*tensor).raw_data();
  });
  return data;
}

teff_status teff_tensor_item(const teff_tensor* tensor, double* result) {
  return guarded([&] {
    const Tensor& source = in(at(tensor, "teff_tensor_item", "tensor"));
    at(result, "teff_tensor_item", "result") = source.item<double>();
  });
}

teff_status teff_tensor_to_text(const teff_tensor* tensor, char** result) {
  return guarded([&] {
    const Tensor& source = in(at(tensor, "teff_tensor_to_text", "tensor"));
    put(result, "teff_tensor_to_text", [&] { return printed(source); });
  });
}
