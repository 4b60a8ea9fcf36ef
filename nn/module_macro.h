// SPDX-License-Identifier: MIT
#pragma once

// TEFF_MODULE(Class, members...): see module.h.

#define TEFF_PARENS ()
#define TEFF_EXPAND(...) TEFF_EXPAND3(TEFF_EXPAND3(TEFF_EXPAND3(TEFF_EXPAND3(__VA_ARGS__))))
#define TEFF_EXPAND3(...) TEFF_EXPAND2(TEFF_EXPAND2(TEFF_EXPAND2(TEFF_EXPAND2(__VA_ARGS__))))
#define TEFF_EXPAND2(...) TEFF_EXPAND1(TEFF_EXPAND1(TEFF_EXPAND1(TEFF_EXPAND1(__VA_ARGS__))))
#define TEFF_EXPAND1(...) __VA_ARGS__
#define TEFF_VISIT_EACH(...) __VA_OPT__(TEFF_EXPAND(TEFF_VISIT_FIRST(__VA_ARGS__)))
#define TEFF_VISIT_FIRST(member, ...) \
  visitor(#member, member);           \
  __VA_OPT__(TEFF_VISIT_AGAIN TEFF_PARENS(__VA_ARGS__))
#define TEFF_VISIT_AGAIN() TEFF_VISIT_FIRST

/// Inside a class derived from teff::nn::Module: its name, and its parameters, buffers and children in the order in
/// which state dicts and print show them (at most 64). Without any it has those of its base class: TEFF_MODULE(Block)
/// in a class derived from nn::Sequential.
#define TEFF_MODULE(Class, ...)                                       \
  std::string type_name() const override { return #Class; }           \
  std::shared_ptr<::teff::nn::Module> copy_handles() const override { \
    return ::teff::nn::detail::copy_handles_as(*this);                \
  }                                                                   \
  Class clone() const { return ::teff::nn::detail::clone_as(*this); } \
  __VA_OPT__(void visit_members(::teff::nn::MemberVisitor& visitor) override{TEFF_VISIT_EACH(__VA_ARGS__)})
