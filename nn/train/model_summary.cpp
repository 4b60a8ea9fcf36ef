// SPDX-License-Identifier: MIT
#include "teff/nn/train/model_summary.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <map>
#include <ostream>
#include <sstream>

#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/engine/profiler.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

/// The model in evaluation mode; each module's own mode comes back.
class EvaluationMode {
 public:
  explicit EvaluationMode(Module& model) {
    for (const auto& [path, module] : model.named_modules()) modes_.emplace_back(module, module->is_training());
    model.eval();
  }
  ~EvaluationMode() {
    for (const auto& [module, training] : modes_) module->train(training);  // parents come first
  }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  std::vector<std::pair<Module*, bool>> modes_;
};

std::int64_t bytes_of(std::span<const Tensor> tensors) {
  std::int64_t sum = 0;
  for (const Tensor& tensor : tensors) sum += tensor.defined() ? static_cast<std::int64_t>(tensor.nbytes()) : 0;
  return sum;
}

std::int64_t own_parameters(const Module& module) {
  std::int64_t sum = 0;
  for (const auto& [name, tensor] : module.named_parameters()) {
    if (name.find('.') == std::string::npos) sum += tensor.numel();
  }
  return sum;
}

/// Writes down the calls of all modules while it lives.
class CallRecorder {
 public:
  CallRecorder(Module& model, ModelSummary& summary) : summary_(&summary) {
    for (const auto& [path, module] : model.named_modules()) {
      paths_[module] = path;
      guards_.push_back(
          module->register_forward_pre_hook([this](Module& called, std::span<const Tensor>) { begin(called); }));
      guards_.push_back(module->register_forward_hook(
          [this](Module&, std::span<const Tensor>, std::span<const Tensor> outputs) { end(outputs); }));
    }
  }
  CallRecorder(const CallRecorder&) = delete;
  CallRecorder& operator=(const CallRecorder&) = delete;

  /// The first call of the module of that path; null if there was none.
  LayerSummary* first_call(const std::string& path) {
    const auto place = first_.find(path);
    return place == first_.end() ? nullptr : &summary_->layers[place->second];
  }

 private:
  void begin(Module& module) {
    const std::string& path = paths_.at(&module);
    const bool again = !first_.emplace(path, summary_->layers.size()).second;
    open_.push_back(summary_->layers.size());
    summary_->layers.push_back({.name = path.substr(path.rfind('.') + 1),
                                .type_name = module.type_name(),
                                .depth = open_.size() - 1,
                                .outputs = {},
                                .parameters = again ? 0 : own_parameters(module),
                                .again = again});
  }

  void end(std::span<const Tensor> outputs) {
    const std::size_t place = open_.back();
    open_.pop_back();
    for (const Tensor& output : outputs) {
      summary_->layers[place].outputs.push_back(output.defined() ? output.shape() : Shape());
    }
    if (place + 1 == summary_->layers.size()) summary_->output_bytes += bytes_of(outputs);
  }

  ModelSummary* summary_;
  std::map<const Module*, std::string> paths_;
  std::map<std::string, std::size_t> first_;
  std::vector<std::size_t> open_;
  std::vector<HookGuard> guards_;
};

// --- the table

std::string with_spaces(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ' ');
  return text;
}

std::string shapes_text(const std::vector<Shape>& shapes) {
  std::string text;
  for (const Shape& shape : shapes) text += (text.empty() ? "" : ", ") + to_string(shape);
  return text;
}

std::string in_units(double value, double step, std::initializer_list<const char*> units) {
  const char* const* unit = units.begin();
  for (; value >= step && unit + 1 != units.end(); ++unit) value /= step;
  std::ostringstream text;
  text << std::setprecision(3) << value << (**unit == '\0' ? "" : " ") << *unit;
  return text.str();
}

std::string flop_text(double flop) { return in_units(flop, 1000, {"", "k", "M", "G", "T"}); }

std::string bytes_text(std::int64_t bytes) {
  return in_units(static_cast<double>(bytes), 1024, {"B", "KiB", "MiB", "GiB", "TiB"});
}

using Row = std::array<std::string, 4>;

Row row_of(const LayerSummary& layer) {
  std::string title(2 * layer.depth, ' ');
  title += layer.name.empty() ? layer.type_name : layer.name + " (" + layer.type_name + ')';
  const auto if_any = [&](bool any, const std::string& text) { return layer.again ? "again" : any ? text : "-"; };
  return {title, shapes_text(layer.outputs), if_any(layer.parameters > 0, with_spaces(layer.parameters)),
          if_any(layer.flop > 0, flop_text(layer.flop))};
}

}  // namespace

ModelSummary summary(Module& model, std::span<const Tensor> inputs) {
  detail::expect(!inputs.empty(), "summary", "at least one input", "none");
  ModelSummary result;
  const EvaluationMode evaluation(model);
  const NoGradGuard no_grad;
  CallRecorder calls(model, result);
  Profiler profiler(scope_names(model));
  static_cast<void>(model(inputs));
  profiler.stop();
  for (const ProfilerEvent& event : profiler.events()) {
    result.flop += event.flop;
    if (LayerSummary* layer = calls.first_call(event.scope)) layer->flop += event.flop;
  }
  const std::vector<Tensor> parameters = model.parameters();
  for (const Tensor& parameter : parameters) {
    result.parameters += parameter.numel();
    if (parameter.requires_grad()) result.trainable_parameters += parameter.numel();
  }
  result.parameter_bytes = bytes_of(parameters);
  result.input_bytes = bytes_of(inputs);
  return result;
}

ModelSummary summary(Module& model, std::initializer_list<Tensor> inputs) {
  return summary(model, std::span<const Tensor>(inputs.begin(), inputs.size()));
}

ModelSummary summary(Module& model, const Shape& input_shape) {
  const std::vector<Tensor> parameters = model.parameters();
  const DType dtype = parameters.empty() ? DType::float32 : parameters.front().dtype();
  return summary(model, {zeros(input_shape, {.dtype = dtype})});
}

std::ostream& operator<<(std::ostream& out, const ModelSummary& summary) {
  std::vector<Row> rows{{"Layer", "Output", "Parameters", "FLOP"}};
  for (const LayerSummary& layer : summary.layers) rows.push_back(row_of(layer));
  std::array<std::size_t, 4> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - row[i].size(), ' ');
      line += (i == 0 ? "" : "  ") + (i < 2 ? row[i] + space : space + row[i]);
    }
    out << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
  }
  return out << "Parameters: " << with_spaces(summary.parameters) << ", trainable "
             << with_spaces(summary.trainable_parameters) << "\nFLOP of a call: " << flop_text(summary.flop)
             << "\nMemory: parameters " << bytes_text(summary.parameter_bytes) << ", inputs "
             << bytes_text(summary.input_bytes) << ", outputs of layers " << bytes_text(summary.output_bytes) << '\n';
}

}  // namespace teff::nn
