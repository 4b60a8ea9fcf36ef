// SPDX-License-Identifier: MIT
#pragma once

// Private: values of pickles as Python prints them.

#include <optional>
#include <string>

#include "teff/serialize/torch/pickle_machine.h"

namespace teff::serialize {

/// As Python's repr has it: "(2, 'a')", "torch.float32", "datetime.timedelta(1, 0, 0)". Abridged if it is long.
std::string repr_of(const Pickle& pickle, NodeId id);

/// The same, but text as it is: what str() gives.
std::string str_of(const Pickle& pickle, NodeId id);

/// An integer of more than 64 bits in decimal digits; none if it has more than 2048 bits.
std::optional<std::string> decimal_of(const Pickle& pickle, NodeId id);

inline constexpr std::string_view kNoClass = "an object";

/// The class or function that an object was made by: "omegaconf.dictconfig.DictConfig". Else kNoClass.
std::string class_of(const Pickle& pickle, NodeId callee);

/// What made an object: its class or function, or "Color.red" of a class's member.
std::string made_by(const Pickle& pickle, NodeId object);

}  // namespace teff::serialize
