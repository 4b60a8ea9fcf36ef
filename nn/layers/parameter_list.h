// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// Parameters under names that are made at run time: base of the two below. It has no forward.
class ParameterSequence : public Module {
 public:
  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  void visit_members(MemberVisitor& visitor) override;
  std::string extra_repr() const override;

 protected:
  using Item = std::pair<std::string, Parameter>;
  /// @throws TypeError for an undefined tensor; ValueError for a name that is empty, has a dot or is there already.
  void add_item(std::string name, const Parameter& parameter);
  const std::vector<Item>& items() const { return items_; }

 private:
  /// What Python prints of a parameter's type.
  virtual std::string printed_type(const Tensor& parameter) const = 0;

  std::vector<Item> items_;
};

/// Parameters under the names "0", "1", ...: `nn::ParameterList scales{ones({3}), ones({5})};   // scales[0]`
class ParameterList : public ParameterSequence {
 public:
  ParameterList() = default;
  ParameterList(std::initializer_list<Tensor> parameters);

  /// Adds one at the end. Returns this.
  ParameterList& append(const Tensor& parameter);
  /// @throws IndexError for one that is not there; -1 is the last.
  const Parameter& operator[](Integer index) const;

  TEFF_MODULE(ParameterList)

 private:
  std::string printed_type(const Tensor& parameter) const override;
};

/// Parameters by name: `nn::ParameterDict scales{{"left", ones({3})}, {"right", ones({5})}};   // scales["left"]`
class ParameterDict : public ParameterSequence {
 public:
  ParameterDict() = default;
  ParameterDict(std::initializer_list<std::pair<std::string, Tensor>> parameters);

  /// Adds one at the end. Returns this.
  ParameterDict& add(std::string name, const Tensor& parameter);
  bool contains(std::string_view name) const;
  /// @throws IndexError, with the names that are there, for another one.
  const Parameter& operator[](std::string_view name) const;
  /// The names, in order.
  std::vector<std::string> keys() const;

  TEFF_MODULE(ParameterDict)

 private:
  std::string printed_type(const Tensor& parameter) const override;
};

}  // namespace nn
}  // namespace teff
