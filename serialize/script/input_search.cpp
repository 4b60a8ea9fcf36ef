// SPDX-License-Identifier: MIT
#include "teff/serialize/script/input_search.h"

#include <algorithm>

#include "teff/engine/error.h"

namespace teff::serialize {
namespace {

constexpr std::int64_t kBatch = -2, kSize = -1;  // in a form, what is tried
constexpr std::size_t kMaxForms = 64;
constexpr std::int64_t kSizes[] = {64, 224, 32, 28, 16, 8, 128, 256, 299, 96, 112, 48, 4, 2, 1, 3, 5, 10, 20, 384, 512};
constexpr std::int64_t kBatches[] = {1, 4, 8, 16, 3, 32, 10, 64, 100, 128};
constexpr std::int64_t kMaxSize = 400;

class Search {
 public:
  using Types = std::vector<TensorType>;

  Search(std::size_t inputs, const std::vector<TensorType>& weights,
         const std::function<InputTrial(const Types&)>& attempt)
      : attempt_(attempt), best_(inputs) {
    const auto computes = [](const TensorType& type) { return is_floating_point(type.dtype); };
    const auto real = std::find_if(weights.begin(), weights.end(), computes);
    if (real != weights.end() && is_computable(real->dtype)) dtype_ = real->dtype;
    for (const TensorType& weight : weights) add_forms(weight.shape);
    for (const Shape& shape : {Shape{kBatch, 3, kSize, kSize}, Shape{kBatch, kSize}, Shape{kBatch, kSize, kSize},
                               Shape{kBatch, kSize, kSize, kSize}, Shape{kSize}}) {
      add({shape, DType::float32});
    }
    add({{kBatch, kSize}, DType::int64});
    add({{kSize}, DType::int64});
  }

  Types find() {
    if (try_forms() || try_each_input()) return types_of(best_);
    if (is_unsupported_) throw UnsupportedError(refusal_);
    if (is_one_refusal_) throw FormatError(refusal_);  // whatever the types
    if (try_sizes() || try_usual_sizes() || try_batches()) return types_of(best_);
    if (!last_choice_.empty()) return last_choice_;
    throw UnsupportedError("expected inputs of types that the file's code takes, tried " + std::to_string(trials_) +
                           " and the best, " + text(types_of(best_)) + ", gave: " + refusal_ +
                           "; the file does not say what forward takes: say it (LoadOptions::input_types, the option "
                           "--input-type)");
  }

 private:
  void add(TensorType form) {
    if (form.dtype == DType::float32) form.dtype = dtype_;
    if (forms_.size() < kMaxForms && std::find(forms_.begin(), forms_.end(), form) == forms_.end()) {
      forms_.push_back(form);
    }
  }

  /// What a layer with a weight of that shape takes.
  void add_forms(const Shape& weight) {
    const std::size_t rank = weight.size();
    if (rank == 2) {
      add({{kBatch, weight[1]}, DType::float32});
      add({{kBatch, kSize, weight[1]}, DType::float32});
      add({{kBatch, kSize}, DType::int64});
    }
    for (const std::size_t channels : {1, 0}) {
      if (rank < 3 || rank > 5) break;
      Shape shape{kBatch, weight[channels]};
      for (std::size_t i = 2; i < rank; ++i) shape.push_back(kSize);
      add({shape, DType::float32});
    }
    if (rank == 1) {
      add({{kBatch, weight[0]}, DType::float32});
      add({{kBatch, weight[0], kSize, kSize}, DType::float32});
      add({{kBatch, weight[0], kSize}, DType::float32});
    }
  }

  Types types_of(const Types& forms) const {
    Types types = forms;
    for (TensorType& type : types) {
      for (std::int64_t& size : type.shape) size = size == kBatch ? batch_ : size == kSize ? size_ : size;
    }
    return types;
  }

  /// Whether the network takes them; they are kept if it comes farther.
  bool takes(const Types& forms) {
    ++trials_;
    InputTrial trial = attempt_(types_of(forms));
    if (trial.refusal.empty() && !trial.keeps_rows) {
      if (last_choice_.empty()) last_choice_ = types_of(forms);
      trial.refusal = "rows that do not become rows of an output, of " + text(types_of(forms));
    }
    is_one_refusal_ = is_one_refusal_ && (refusal_.empty() || trial.refusal == refusal_);
    if (trial.refusal.empty() || refusal_.empty() || trial.calls > calls_) {
      best_ = forms;
      refusal_ = trial.refusal;
      calls_ = trial.calls;
      is_unsupported_ = trial.is_unsupported;
    }
    return trial.refusal.empty();
  }

  bool try_forms() {
    if (best_.empty()) return takes({});
    return std::any_of(forms_.begin(), forms_.end(),
                       [&](const TensorType& form) { return takes(Types(best_.size(), form)); });
  }

  bool try_each_input() {
    for (std::size_t turn = 0; turn < 2 && best_.size() > 1; ++turn) {
      for (std::size_t i = 0; i < best_.size(); ++i) {
        for (const TensorType& form : forms_) {
          Types forms = best_;
          forms[i] = form;
          if (forms != best_ && takes(forms)) return true;
        }
      }
    }
    return false;
  }

  bool has_open() const {
    return std::any_of(best_.begin(), best_.end(), [](const TensorType& form) {
      return std::find(form.shape.begin(), form.shape.end(), kSize) != form.shape.end();
    });
  }

  bool takes_at(std::int64_t size) {
    const std::int64_t before = size_;
    const std::size_t calls = calls_;
    size_ = size;
    if (takes(Types(best_))) return true;
    if (calls_ <= calls) size_ = before;
    return false;
  }

  bool try_sizes() {
    if (!has_open()) return false;
    if (std::any_of(std::begin(kSizes), std::end(kSizes), [&](std::int64_t size) { return takes_at(size); })) {
      return true;
    }
    for (std::int64_t size = 1; size <= kMaxSize; ++size) {
      if (takes_at(size)) return true;
    }
    return false;
  }

  /// A network may take images of one size alone, and say so first.
  bool try_usual_sizes() {
    const Types before = best_;
    const std::int64_t size = size_;
    for (const std::int64_t usual : {224, 299, 28, 256, 384}) {
      size_ = usual;
      for (const TensorType& form : forms_) {
        if (form.shape.size() == 4 && takes(Types(best_.size(), form))) return true;
      }
    }
    if (best_ == before) size_ = size;
    return false;
  }

  bool try_batches() {
    for (const std::int64_t batch : kBatches) {
      batch_ = batch;
      if (takes(Types(best_)) || (has_open() && (takes_at(224) || takes_at(32)))) return true;
    }
    batch_ = 2;
    return false;
  }

  static std::string text(const Types& types) {
    std::string text;
    for (const TensorType& type : types) {
      text += (text.empty() ? "" : ", ") + std::string(to_string(type.dtype)) + ' ' + to_string(type.shape);
    }
    return text;
  }

  const std::function<InputTrial(const Types&)>& attempt_;
  DType dtype_ = DType::float32;  // of the weights, in which images and features are tried
  Types forms_, best_, last_choice_;
  std::string refusal_;
  std::size_t calls_ = 0, trials_ = 0;
  std::int64_t batch_ = 2, size_ = 64;
  bool is_unsupported_ = false;
  bool is_one_refusal_ = true;  // all trials gave the same one
};

}  // namespace

std::vector<TensorType> find_input_types(std::size_t inputs, const std::vector<TensorType>& weights,
                                         const std::function<InputTrial(const std::vector<TensorType>&)>& attempt) {
  return Search(inputs, weights, attempt).find();
}

}  // namespace teff::serialize
