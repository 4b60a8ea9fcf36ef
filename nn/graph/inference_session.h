// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {
class InferencePlan;
}

namespace TEFF_EXPORT teff {
namespace nn {

class GraphModule;

/// An output that is an input of the next run: the state of a recurrent layer. By the names of the model's ports.
struct CarriedState {
  std::string input, output;
};

struct InferenceOptions {
  bool winograd = true;  // whether convolutions may use Winograd's method: see WinogradGuard in modes.h
  std::vector<CarriedState> states = {};  // what the session itself keeps from run to run
};

/// A model made ready to run again and again on inputs of fixed shapes, in evaluation mode: batch norm is folded into
/// the convolution, transposed convolution or linear operation before it, ReLU and what else clamps is fused into
/// these, dropout goes, weights are packed, and all results lie in one block of memory that is planned beforehand.
///
/// run() asks neither the system nor the allocator for memory and takes no lock but those of the pool of threads, with
/// these exceptions: each thread takes its scratch memory (Teff's, up to 64 MB) in the first run that it takes part in;
/// an operation of your own that does not write to ForwardContext::make_result() takes what it takes, and its result is
/// copied; a Profiler writes down what it sees.
///
///   nn::GraphModule model = load_model("model.teff");
///   model.eval();
///   nn::InferenceSession session(model, {{1, 3, 32, 32}});
///   const Tensor& scores = session.run(image);
///
/// Results equal the model's but for rounding where batch norm was folded, or where Winograd's method is chosen
/// differently, and are bit for bit the same otherwise. The weights must stay as they are: after more training make a
/// new session.
///
/// A model with a state, as one captured with {x, h, c}, may leave it to the session: run() then takes the other inputs
/// alone, and goes on where the run before stopped; from zeros at first, and after reset_state(). So a sequence may
/// come piece by piece:
///
///   nn::LSTM lstm{40, 128};
///   nn::GraphModule model = nn::capture(lstm, {x, h, c});      // [T, 1, 40], [1, 1, 128], [1, 1, 128]
///   model.rename_ports(inputs, outputs);                       // {"x", "h", "c"}, {"y", "h_n", "c_n"}
///   model.eval();
///   nn::InferenceSession session(model, {{16, 1, 40}, {1, 1, 128}, {1, 1, 128}},
///                                {.states = {{"h", "h_n"}, {"c", "c_n"}}});
///   while (more()) use(session.run({next_16_steps()})[0]);
///   session.reset_state();                                     // another sequence
///
/// A session must not be run by two threads at once. Copies share the prepared weights and have memory of their own:
/// one copy for each thread.
class InferenceSession {
 public:
  /// Shapes of all inputs, batch included, those of states too; dtypes are those the model was captured with.
  /// @throws Error if the model is in training mode; ShapeError for shapes that the model does not take (see
  /// GraphModule::inputs); ValueError for a state that names no port, or one twice; ShapeError or TypeError for one
  /// whose output is of another type than its input.
  InferenceSession(const GraphModule& model, std::span<const Shape> inputs, const InferenceOptions& options = {});
  InferenceSession(const GraphModule& model, std::initializer_list<Shape> inputs, const InferenceOptions& options = {});
  InferenceSession(const InferenceSession& other);
  InferenceSession& operator=(const InferenceSession& other);
  InferenceSession(InferenceSession&&) noexcept;
  InferenceSession& operator=(InferenceSession&&) noexcept;
  ~InferenceSession();

  /// The outputs, in memory of the session (also where the model gives a weight or an input as it is): the next run
  /// overwrites them, so clone() what you keep.
  /// @throws ShapeError, TypeError for inputs of other types than the session was made for; Error if a weight of the
  /// model was changed in place since then.
  std::span<const Tensor> run(std::span<const Tensor> inputs);
  std::span<const Tensor> run(std::initializer_list<Tensor> inputs) {
    return run(std::span<const Tensor>(inputs.begin(), inputs.size()));
  }
  /// The same for a model of one input and one output.
  const Tensor& run(const Tensor& input);

  /// The next run begins from zeros.
  void reset_state();
  /// Copies of the states, in the order of InferenceOptions::states, and back. A copy of a session begins with its.
  /// @throws ShapeError, TypeError unless they are as many and of these types.
  std::vector<Tensor> state() const;
  void set_state(std::span<const Tensor> states);

  /// Bytes of the block that holds all intermediate results.
  std::size_t memory_bytes() const;

 private:
  friend std::vector<std::pair<const void*, std::string>> scope_names(const InferenceSession& session);

  struct Step;
  /// A state between two runs, and where it goes and comes from.
  struct Carried {
    Tensor value;
    std::size_t input, output;
  };
  void make_steps();
  void make_states(const GraphModule& model);

  InferenceOptions options_;
  std::shared_ptr<const InferencePlan> plan_;
  std::vector<Step> steps_;
  std::vector<Tensor> inputs_, outputs_;
  std::vector<Carried> states_;
};

/// The paths of the modules that its operations came from, for a Profiler; of what was folded and fused, that of the
/// first.
std::vector<std::pair<const void*, std::string>> scope_names(const InferenceSession& session);

}  // namespace nn
}  // namespace teff
