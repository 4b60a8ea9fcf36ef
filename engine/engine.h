// SPDX-License-Identifier: MIT
#pragma once

// All of the engine that every program uses.

#include "teff/engine/allocator.h"
#include "teff/engine/attention.h"
#include "teff/engine/autograd.h"
#include "teff/engine/checkpoint.h"
#include "teff/engine/dict.h"
#include "teff/engine/dtype.h"
#include "teff/engine/error.h"
#include "teff/engine/gradient.h"
#include "teff/engine/graph.h"
#include "teff/engine/op.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/ops.h"
#include "teff/engine/parallel.h"
#include "teff/engine/profiler.h"
#include "teff/engine/random.h"
#include "teff/engine/recurrent.h"
#include "teff/engine/shape.h"
#include "teff/engine/tensor.h"
