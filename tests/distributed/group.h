// SPDX-License-Identifier: MIT
#pragma once

#include "teff/nn/distributed/process_group.h"

namespace distributed_testing {

/// The group of the program.
teff::distributed::ProcessGroup& group();

}  // namespace distributed_testing
