// SPDX-License-Identifier: MIT
#include "teff/nn/graph/inference_session.h"

#include "teff/serialize/c/guard.h"
#include "teff/serialize/c/model.h"

using namespace teff;
using namespace teff::c;

struct teff_session {
  nn::InferenceSession session;
  std::size_t inputs, outputs;  // of each run
};

namespace {

nn::InferenceOptions session_options_of(const teff_session_options* given, std::size_t inputs, const char* function) {
  const teff_session_options options = options_of(given, teff_session_options TEFF_SESSION_OPTIONS, function);
  nn::InferenceOptions result;
  result.winograd = options.winograd != 0;
  if (options.num_states > inputs) {
    throw ValueError(std::string(function) + ": expected at most " + std::to_string(inputs) + " states, got " +
                     std::to_string(options.num_states));
  }
  if (options.num_states > 0) at(options.states, function, "options.states");
  for (std::size_t i = 0; i < options.num_states; ++i) {
    const teff_carried_state& state = options.states[i];
    result.states.push_back(
        {&at(state.input, function, "a state's input"), &at(state.output, function, "a state's output")});
  }
  return result;
}

}  // namespace

teff_status teff_session_new(const teff_model* model, const teff_shape* inputs, size_t num_inputs,
                             const teff_session_options* options, teff_session** result) {
  return guarded([&] {
    constexpr const char* kName = "teff_session_new";
    teff_session*& place = at(result, kName, "result");
    const teff_model& of = at(model, kName, "model");
    expect_count(num_inputs, of.inputs.size(), "shapes of inputs", kName);
    if (num_inputs > 0) at(inputs, kName, "inputs");
    std::vector<Shape> shapes;
    for (std::size_t i = 0; i < num_inputs; ++i) shapes.push_back(shape_of(inputs[i].sizes, inputs[i].dims, kName));
    const nn::InferenceOptions with = session_options_of(options, num_inputs, kName);
    place = new teff_session{nn::InferenceSession(of.module, shapes, with), num_inputs - with.states.size(),
                             of.outputs.size()};
  });
}

teff_status teff_session_copy(const teff_session* session, teff_session** result) {
  return guarded([&] {
    teff_session*& place = at(result, "teff_session_copy", "result");
    place = new teff_session(at(session, "teff_session_copy", "session"));
  });
}

void teff_session_free(teff_session* session) { delete session; }

teff_status teff_session_run(teff_session* session, const teff_tensor* const* inputs, size_t num_inputs,
                             teff_tensor** outputs, size_t num_outputs) {
  return guarded([&] {
    constexpr const char* kName = "teff_session_run";
    teff_session& of = at(session, kName, "session");
    expect_count(num_inputs, of.inputs, "inputs", kName);
    const std::vector<Tensor> given = tensors_of(inputs, num_inputs, kName);
    const Places places(outputs, num_outputs, of.outputs, kName);
    places.give(of.session.run(std::span<const Tensor>(given)));
  });
}

teff_status teff_session_reset_state(teff_session* session) {
  return guarded([&] { at(session, "teff_session_reset_state", "session").session.reset_state(); });
}

size_t teff_session_memory_bytes(const teff_session* session) { return session ? session->session.memory_bytes() : 0; }
