// SPDX-License-Identifier: MIT
#include <unordered_map>

#include "teff/nn/module.h"

namespace teff::nn {
namespace {

/// Replaces every handle by one of a copy; what was one tensor or one module before is one afterwards.
class Unsharer : public MemberVisitor {
 public:
  void operator()(const std::string&, Parameter& parameter) override { replace(parameter); }
  void operator()(const std::string&, Buffer& buffer) override { replace(buffer); }
  void operator()(const std::string&, Module& child) override { child.visit_members(*this); }
  void operator()(const std::string&, std::shared_ptr<Module>& child) override {
    if (child == nullptr) return;
    std::shared_ptr<Module>& copy = modules_[child];
    if (copy == nullptr) {
      copy = child->copy_handles();
      copy->visit_members(*this);
    }
    child = copy;
  }

 private:
  void replace(Tensor& tensor) {
    if (!tensor.defined()) return;
    Tensor& copy = tensors_[tensor.impl()];
    if (!copy.defined()) {
      copy = tensor.detach().clone();
      if (tensor.requires_grad()) copy.requires_grad_();
    }
    tensor = copy;
  }

  // Keyed by owners, so that no address is used twice while copying.
  std::unordered_map<std::shared_ptr<TensorImpl>, Tensor> tensors_;
  std::unordered_map<std::shared_ptr<Module>, std::shared_ptr<Module>> modules_;
};

}  // namespace

void detail::unshare(Module& module) {
  Unsharer unsharer;
  module.visit_members(unsharer);
}

std::shared_ptr<Module> detail::owned(Module* module) { return std::shared_ptr<Module>(module); }

std::shared_ptr<Module> clone(const Module& module) {
  std::shared_ptr<Module> copy = module.copy_handles();
  detail::unshare(*copy);
  return copy;
}

}  // namespace teff::nn
