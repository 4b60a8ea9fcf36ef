// SPDX-License-Identifier: MIT
#pragma once

// Everything of teff::nn, teff::optim and teff::data.

#include "teff/nn/activation.h"
#include "teff/nn/batch_norm.h"
#include "teff/nn/conv2d.h"
#include "teff/nn/data/data_loader.h"
#include "teff/nn/data/dataset.h"
#include "teff/nn/dropout.h"
#include "teff/nn/flatten.h"
#include "teff/nn/graph_module.h"
#include "teff/nn/identity.h"
#include "teff/nn/inference_session.h"
#include "teff/nn/init.h"
#include "teff/nn/linear.h"
#include "teff/nn/load_report.h"
#include "teff/nn/loss.h"
#include "teff/nn/module.h"
#include "teff/nn/module_list.h"
#include "teff/nn/optim/adagrad.h"
#include "teff/nn/optim/adam.h"
#include "teff/nn/optim/optimizer.h"
#include "teff/nn/optim/rmsprop.h"
#include "teff/nn/optim/sgd.h"
#include "teff/nn/pooling.h"
#include "teff/nn/sequential.h"
