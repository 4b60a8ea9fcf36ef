// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/engine/graph.h"
#include "teff/engine/hooks.h"
#include "teff/engine/tensor.h"
#include "teff/nn/load_report.h"
#include "teff/nn/module_hooks.h"
#include "teff/nn/module_macro.h"

namespace TEFF_EXPORT teff {
namespace nn {

class Module;
namespace detail {
class ModeGuard;

template <class T>
concept NeitherStateNorChild = std::is_same_v<T, Tensor> ||
    (!std::is_same_v<T, Module> && !std::is_base_of_v<Tensor, T> && !std::is_base_of_v<Module, T>);
}  // namespace detail

/// A tensor that a module learns: requires grad from the start. An undefined one is an absent parameter (a layer
/// without bias).
class Parameter : public Tensor {
 public:
  Parameter() = default;
  Parameter(const Tensor& tensor) : Tensor(tensor) {
    if (defined()) requires_grad_();
  }
};

struct BufferOptions {
  bool persistent = true;  // whether it is part of the state dict
};

/// A tensor that belongs to a module's state but is not learned: running statistics. One that is not persistent follows
/// the module in all but its state dict: a table or mask that the constructor makes.
class Buffer : public Tensor {
 public:
  Buffer() = default;
  Buffer(const Tensor& tensor, const BufferOptions& options = {}) : Tensor(tensor), persistent_(options.persistent) {}
  /// Another tensor; persistent or not as before.
  Buffer& operator=(const Tensor& tensor) {
    Tensor::operator=(tensor);
    return *this;
  }
  bool is_persistent() const { return persistent_; }

 private:
  bool persistent_ = true;
};

/// Sees the members that a module declares, in their order.
class MemberVisitor {
 public:
  virtual ~MemberVisitor() = default;
  virtual void operator()(const std::string& name, Parameter& parameter) = 0;
  virtual void operator()(const std::string& name, Buffer& buffer) = 0;
  virtual void operator()(const std::string& name, Module& child) = 0;
  /// A child that is held by pointer; the pointer may be replaced. A null pointer is no child.
  virtual void operator()(const std::string& name, std::shared_ptr<Module>& child) = 0;
  /// The same for a pointer to a class of one's own.
  template <class M>
  void operator()(const std::string& name, std::shared_ptr<M>& child) {
    std::shared_ptr<Module> base = child;
    (*this)(name, base);
    if (base != child) child = std::dynamic_pointer_cast<M>(base);
  }
  /// A child that may be absent.
  template <class M>
  void operator()(const std::string& name, std::optional<M>& child) {
    if (child) (*this)(name, static_cast<Module&>(*child));
  }
  /// What a module cannot list, in few words instead of the compiler's.
  template <detail::NeitherStateNorChild T>
  void operator()(const std::string&, T&) {
    static_assert(sizeof(T) == 0,
                  "TEFF_MODULE lists nn::Parameter, nn::Buffer, modules, and std::optional or std::shared_ptr of "
                  "modules: a Tensor becomes one of the first two, a std::vector of layers an nn::ModuleList");
  }
};

/// What print shows of a module: enough to print it without its class.
struct ModuleSummary {
  std::string name;  // in its parent
  std::string type_name;
  std::string extra_repr;
  std::vector<ModuleSummary> children;
  friend bool operator==(const ModuleSummary&, const ModuleSummary&) = default;
};

/// As Python prints it.
std::ostream& operator<<(std::ostream& out, const ModuleSummary& summary);

/// Base of all layers and networks. A module is a value with ordinary members that TEFF_MODULE lists once:
///
///   struct Block : nn::Module {
///     nn::Conv2d conv{16, 16, 3, {.padding = 1}};
///     nn::Parameter scale{ones({16, 1, 1})};
///     TEFF_MODULE(Block, conv, scale)
///     Tensor forward(const Tensor& x) override { return relu(conv(x) * scale); }
///   };
///
/// Its list gives the names and the order of parameters, buffers and children. A class derived from another module's
/// class lists the inherited members too, or nothing if it adds none. Copies share parameters, as in Python; clone()
/// copies them.
class Module {
 public:
  Module() = default;
  Module(const Module&) = default;
  Module(Module&&) = default;
  Module& operator=(const Module&) = default;
  Module& operator=(Module&&) = default;
  virtual ~Module() = default;

  /// The computation, for a module of one input and one output.
  virtual Tensor forward(const Tensor& input);
  /// The computation, for any number of inputs and outputs; calls forward(input) unless overridden.
  virtual std::vector<Tensor> forward_many(std::span<const Tensor> inputs);

  /// Calls forward, marking what it does as this module's, and the hooks before and behind it.
  Tensor operator()(const Tensor& input);
  std::vector<Tensor> operator()(std::span<const Tensor> inputs);
  std::vector<Tensor> operator()(std::initializer_list<Tensor> inputs);

  /// `hook(module, inputs, outputs)` is called after each call of this module (not of forward itself), in the order of
  /// registration, with std::span<const Tensor> for both. It may return nothing, to look on only, or a Tensor or
  /// std::vector<Tensor> that takes the place of the outputs; an undefined tensor or an empty vector leaves them. What
  /// it computes is the module's: recorded for backward(), and captured. Capture calls the module, and so the hook,
  /// many times, at several sizes. Hooks stay with the very object they were registered on: copies and clones have
  /// none, a module that is moved takes them along.
  template <class Hook>
  HookGuard register_forward_hook(Hook hook) {
    return hooks_.add_after(detail::forward_hook(std::move(hook)));
  }
  /// The same before the call: `hook(module, inputs)`, whose result takes the place of the inputs.
  template <class Hook>
  HookGuard register_forward_pre_hook(Hook hook) {
    return hooks_.add_before(detail::forward_pre_hook(std::move(hook)));
  }

  virtual std::string type_name() const { return "Module"; }
  /// What print shows between the parentheses: "3, 6, kernel_size=(5, 5)".
  virtual std::string extra_repr() const { return ""; }
  virtual ModuleSummary summary() const;

  /// Distinct tensors, this module's first, then those of the children, depth first.
  std::vector<Tensor> parameters() const;
  std::vector<Tensor> buffers() const;
  NamedTensors named_parameters() const;
  NamedTensors named_buffers() const;
  std::vector<std::pair<std::string, Module*>> named_children();
  /// This module as "" and all below it by dotted path; each once.
  std::vector<std::pair<std::string, Module*>> named_modules();
  /// Number of elements of all parameters.
  std::int64_t num_parameters() const;

  /// Handles of all parameters and buffers by dotted name, in PyTorch's order and under PyTorch's keys.
  Dict state_dict() const;
  /// Copies the dict's tensors into the module's, converted to their dtype, all or nothing.
  /// @throws StateDictError that lists every missing, unexpected and mis-shaped key in PyTorch's wording; the module
  /// is then what it was.
  LoadReport load_state_dict(const Dict& state_dict, const LoadStateDictOptions& options = {});
  /// The first half of it: checks and converts everything, fills the report if there is one, and changes nothing yet.
  /// For loading several things, or none of them.
  Commit prepare_load(const Dict& state_dict, const LoadStateDictOptions& options = {}, LoadReport* report = nullptr);

  /// Training or evaluation mode, for this module and all below: dropout and batch norm differ.
  void train(bool mode = true);
  void eval() { train(false); }
  bool is_training() const { return training_; }

  /// Removes all gradients.
  void zero_grad();
  /// Whether parameters take part in training.
  void requires_grad_(bool requires_grad = true);
  /// Converts all floating-point parameters and buffers, in place: handles stay valid. Gradients are dropped.
  /// In float16 and bfloat16 a module takes half the memory, runs (each operation in float32, its result rounded) and
  /// does not train: its parameters require no grad any more. @throws TypeError for other dtypes than these four.
  void to(DType dtype);
  /// Calls function for every module below, children first, and for this one.
  void apply(const std::function<void(Module&)>& function);

  /// A copy that shares the tensors. @throws Error if the class cannot be copied or lacks TEFF_MODULE.
  virtual std::shared_ptr<Module> copy_handles() const;

  /// Shows the visitor this module's own members. Written by TEFF_MODULE.
  virtual void visit_members(MemberVisitor& visitor) { static_cast<void>(visitor); }

 protected:
  /// Called when the mode of this very module is set.
  virtual void set_training(bool mode) { training_ = mode; }
  /// Called when the tensors of this very module have been converted.
  virtual void set_dtype(DType dtype) { static_cast<void>(dtype); }

 private:
  friend class detail::ModeGuard;

  void expect_one(const char* what, std::size_t count) const;

  bool training_ = true;
  detail::ModuleHooks hooks_;
};

/// As Python prints it: `Net(\n  (conv1): Conv2d(3, 6, kernel_size=(5, 5), stride=(1, 1))\n  ...)`.
std::ostream& operator<<(std::ostream& out, const Module& module);

/// What marks the operations of this module and of all below (see ScopeGuard), with their dotted paths: for a Profiler.
/// Valid until a module is moved, or the mode of a GraphModule changes.
std::vector<std::pair<const void*, std::string>> scope_names(Module& module);

/// A copy with tensors of its own: tied tensors stay tied within the copy. What TEFF_MODULE's clone() returns by value.
std::shared_ptr<Module> clone(const Module& module);

namespace detail {

/// Gives every module, parameter and buffer below tensors of its own.
void unshare(Module& module);

/// Takes the module over. Unlike make_shared it is not compiled anew for every class in every file.
std::shared_ptr<Module> owned(Module* module);

template <class M>
std::shared_ptr<Module> copy_handles_as(const M& module) {
  if constexpr (std::is_copy_constructible_v<M>) {
    return owned(new M(module));
  } else {
    return module.Module::copy_handles();
  }
}

template <class M>
M clone_as(const M& module) {
  M copy(module);
  unshare(copy);
  return copy;
}

}  // namespace detail
}  // namespace nn
}  // namespace teff
