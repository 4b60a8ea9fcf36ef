/* SPDX-License-Identifier: MIT */
/* train_model MODEL OUT: trains a classifier from a file further, in C, and saves it. The data are noise: what is shown
 * is the loop, and a loss that falls because the network learns its few examples by heart. */

#include <stdio.h>
#include <stdlib.h>

#include <teff/teff_c.h>

enum { kBatch = 16, kSteps = 20, kMaxDims = 8 };

/* Ends the program unless all went well. */
static void expect(teff_status status) {
  if (status == TEFF_OK) return;
  fprintf(stderr, "train_model: %s\n", teff_last_error());
  exit(1);
}

static void expect_classifier(const teff_model* model, const teff_port* input, const teff_port* output) {
  if (teff_model_num_inputs(model) == 1 && teff_model_num_outputs(model) == 1 && input->dtype == TEFF_FLOAT32 &&
      output->dtype == TEFF_FLOAT32 && output->dims == 2 && output->sizes[1] > 0) {
    return;
  }
  fprintf(stderr, "train_model: expected a model of one float32 input that gives scores [N, C]\n");
  exit(1);
}

/* Numbers from -1 to 1. */
static teff_tensor* noise(const teff_port* port) {
  int64_t sizes[kMaxDims], i;
  teff_tensor* result = NULL;
  float* values;
  size_t dim;
  for (dim = 0; dim < port->dims; ++dim) sizes[dim] = port->sizes[dim] < 0 ? 1 : port->sizes[dim];
  sizes[0] = kBatch;
  expect(teff_tensor_new(TEFF_FLOAT32, port->dims, sizes, &result));
  values = (float*)teff_tensor_data(result);
  for (i = 0; i < teff_tensor_numel(result); ++i) values[i] = 2.0f * (float)rand() / (float)RAND_MAX - 1.0f;
  return result;
}

static teff_tensor* random_classes(int64_t classes) {
  const int64_t batch = kBatch;
  int64_t labels[kBatch], i;
  teff_tensor* result = NULL;
  for (i = 0; i < kBatch; ++i) labels[i] = rand() % classes;
  expect(teff_tensor_from_data(labels, TEFF_INT64, 1, &batch, &result));
  return result;
}

static double train_step(teff_model* model, teff_optimizer* optimizer, const teff_tensor* input,
                         const teff_tensor* labels) {
  teff_tensor *scores = NULL, *loss = NULL;
  double value = 0;
  expect(teff_optimizer_zero_grad(optimizer));
  expect(teff_model_forward(model, &input, 1, &scores, 1)); /* recorded, unlike teff_model_run */
  expect(teff_cross_entropy(scores, labels, TEFF_REDUCTION_MEAN, &loss));
  expect(teff_tensor_backward(loss));
  expect(teff_optimizer_step(optimizer));
  expect(teff_tensor_item(loss, &value));
  teff_tensor_free(scores);
  teff_tensor_free(loss);
  return value;
}

int main(int argc, char** argv) {
  teff_sgd_options options = TEFF_SGD_OPTIONS;
  teff_model* model = NULL;
  teff_optimizer* optimizer = NULL;
  teff_tensor *input, *labels;
  teff_port input_port, output_port;
  int step;
  if (argc != 3) {
    fprintf(stderr, "usage: train_model MODEL OUT\n");
    return 2;
  }

  expect(teff_model_load(argv[1], NULL, &model));
  expect(teff_model_input(model, 0, &input_port));
  expect(teff_model_output(model, 0, &output_port));
  expect_classifier(model, &input_port, &output_port);
  expect(teff_manual_seed(0));
  input = noise(&input_port);
  labels = random_classes(output_port.sizes[1]);

  options.lr = 0.05;
  options.momentum = 0.9;
  expect(teff_sgd_new(model, &options, &optimizer));
  expect(teff_model_train(model, 1));
  for (step = 1; step <= kSteps; ++step) {
    printf("step %d: loss %.4f\n", step, train_step(model, optimizer, input, labels));
  }

  expect(teff_model_train(model, 0));
  expect(teff_model_save(model, (const teff_tensor* const*)&input, 1, argv[2], NULL));
  printf("saved %s\n", argv[2]);

  teff_tensor_free(input);
  teff_tensor_free(labels);
  teff_optimizer_free(optimizer);
  teff_model_free(model);
  return 0;
}
