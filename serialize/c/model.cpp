// SPDX-License-Identifier: MIT
#include "teff/serialize/c/model.h"

#include <memory>

#include "teff/engine/modes.h"
#include "teff/serialize/c/files.h"
#include "teff/serialize/c/guard.h"
#include "teff/serialize/save_load.h"

using namespace teff;
using namespace teff::c;

namespace {

teff_port port_at(const std::vector<nn::GraphPort>& ports, size_t place, const char* function) {
  if (place >= ports.size()) {
    throw IndexError(std::string(function) + ": expected a place below " + std::to_string(ports.size()) + ", got " +
                     std::to_string(place));
  }
  const nn::GraphPort& port = ports[place];
  return {port.name.c_str(), static_cast<teff_dtype>(port.type.dtype), port.type.shape.size(), port.type.shape.begin()};
}

void run(teff_model* model, const teff_tensor* const* inputs, size_t num_inputs, teff_tensor** outputs,
         size_t num_outputs, const char* function) {
  teff_model& of = at(model, function, "model");
  expect_count(num_inputs, of.inputs.size(), "inputs", function);
  const std::vector<Tensor> given = tensors_of(inputs, num_inputs, function);
  const Places places(outputs, num_outputs, of.outputs.size(), function);
  places.give(of.module(std::span<const Tensor>(given)));
}

}  // namespace

teff_status teff_model_load(const char* path, const teff_load_options* options, teff_model** result) {
  return guarded([&] {
    constexpr const char* kName = "teff_model_load";
    teff_model*& place = at(result, kName, "result");
    place = new teff_model(load_model(&at(path, kName, "path"), load_options_of(options, kName)));
  });
}

teff_status teff_model_load_bytes(const void* bytes, size_t size, const teff_load_options* options,
                                  teff_model** result) {
  return guarded([&] {
    constexpr const char* kName = "teff_model_load_bytes";
    teff_model*& place = at(result, kName, "result");
    place = new teff_model(load_model(bytes_of(bytes, size, kName), load_options_of(options, kName)));
  });
}

teff_status teff_model_save(teff_model* model, const teff_tensor* const* inputs, size_t count, const char* path,
                            const teff_save_options* options) {
  return guarded([&] {
    constexpr const char* kName = "teff_model_save";
    teff_model& of = at(model, kName, "model");
    expect_count(count, of.inputs.size(), "inputs", kName);
    const std::vector<Tensor> examples = tensors_of(inputs, count, kName);
    save_model(of.module, std::span<const Tensor>(examples), &at(path, kName, "path"), save_options_of(options, kName));
  });
}

teff_status teff_model_clone(const teff_model* model, teff_model** result) {
  return guarded([&] {
    teff_model*& place = at(result, "teff_model_clone", "result");
    place = new teff_model(at(model, "teff_model_clone", "model").module.clone());
  });
}

void teff_model_free(teff_model* model) { delete model; }

size_t teff_model_num_inputs(const teff_model* model) { return model ? model->inputs.size() : 0; }

size_t teff_model_num_outputs(const teff_model* model) { return model ? model->outputs.size() : 0; }

teff_status teff_model_input(const teff_model* model, size_t place, teff_port* result) {
  return guarded([&] {
    constexpr const char* kName = "teff_model_input";
    at(result, kName, "result") = port_at(at(model, kName, "model").inputs, place, kName);
  });
}

teff_status teff_model_output(const teff_model* model, size_t place, teff_port* result) {
  return guarded([&] {
    constexpr const char* kName = "teff_model_output";
    at(result, kName, "result") = port_at(at(model, kName, "model").outputs, place, kName);
  });
}

teff_status teff_model_to_text(const teff_model* model, char** result) {
  return guarded([&] {
    const nn::Module& module = at(model, "teff_model_to_text", "model").module;
    put(result, "teff_model_to_text", [&] { return printed(module); });
  });
}

teff_status teff_model_num_parameters(const teff_model* model, int64_t* result) {
  return guarded([&] {
    const nn::Module& module = at(model, "teff_model_num_parameters", "model").module;
    at(result, "teff_model_num_parameters", "result") = module.num_parameters();
  });
}

teff_status teff_model_train(teff_model* model, int training) {
  return guarded([&] { at(model, "teff_model_train", "model").module.train(training != 0); });
}

int teff_model_is_training(const teff_model* model) { return model && model->module.is_training() ? 1 : 0; }

teff_status teff_model_run(teff_model* model, const teff_tensor* const* inputs, size_t num_inputs,
                           teff_tensor** outputs, size_t num_outputs) {
  return guarded([&] {
    const NoGradGuard guard;
    run(model, inputs, num_inputs, outputs, num_outputs, "teff_model_run");
  });
}

teff_status teff_model_forward(teff_model* model, const teff_tensor* const* inputs, size_t num_inputs,
                               teff_tensor** outputs, size_t num_outputs) {
  return guarded([&] {
    const GradModeGuard guard(true);
    run(model, inputs, num_inputs, outputs, num_outputs, "teff_model_forward");
  });
}

teff_status teff_model_state_dict(const teff_model* model, teff_dict** result) {
  return guarded([&] {
    const nn::Module& module = at(model, "teff_model_state_dict", "model").module;
    put(result, "teff_model_state_dict", [&] { return made(module.state_dict()); });
  });
}

teff_status teff_model_load_state_dict(teff_model* model, const teff_dict* state_dict, int strict) {
  return guarded([&] {
    constexpr const char* kName = "teff_model_load_state_dict";
    LoadStateDictOptions options;
    options.strict = strict != 0;
    at(model, kName, "model").module.load_state_dict(in(at(state_dict, kName, "state_dict")), options);
  });
}
