/* SPDX-License-Identifier: MIT */
/* run_model MODEL: what is in a model file, and what it makes of inputs of zeros, in C. The model may be any that
 * save_model wrote, or an ONNX file; its class is not needed. */

#include <stdio.h>
#include <stdlib.h>

#include <teff/teff_c.h>

enum { kMaxPorts = 16, kMaxDims = 8 };

/* Ends the program unless all went well. */
static void expect(teff_status status) {
  if (status == TEFF_OK) return;
  fprintf(stderr, "run_model: %s\n", teff_last_error());
  exit(1);
}

static void print_type(const char* what, const char* name, teff_dtype dtype, size_t dims, const int64_t* sizes) {
  size_t i;
  printf("%s %s, %s [", what, name, teff_dtype_name(dtype));
  for (i = 0; i < dims; ++i) printf(i == 0 ? "%ld" : ", %ld", (long)sizes[i]);
  printf("]\n");
}

/* Zeros as the model takes them: sizes that are free become 1. */
static teff_tensor* zeros_for(const teff_port* port) {
  int64_t sizes[kMaxDims];
  teff_tensor* result = NULL;
  size_t i;
  for (i = 0; i < port->dims; ++i) sizes[i] = port->sizes[i] < 0 ? 1 : port->sizes[i];
  expect(teff_tensor_new(port->dtype, port->dims, sizes, &result));
  return result;
}

static void print_output(const teff_model* model, size_t place, const teff_tensor* output) {
  teff_port port;
  char* text = NULL;
  expect(teff_model_output(model, place, &port));
  print_type("output", port.name, teff_tensor_dtype(output), teff_tensor_dims(output), teff_tensor_sizes(output));
  expect(teff_tensor_to_text(output, &text));
  printf("%s\n", text);
  teff_string_free(text);
}

int main(int argc, char** argv) {
  teff_model* model = NULL;
  teff_tensor *inputs[kMaxPorts], *outputs[kMaxPorts];
  size_t i, num_inputs, num_outputs;
  char* text = NULL;
  if (argc != 2) {
    fprintf(stderr, "usage: run_model MODEL\n");
    return 2;
  }

  expect(teff_model_load(argv[1], NULL, &model));
  expect(teff_model_train(model, 0)); /* as for every inference: evaluation mode */
  expect(teff_model_to_text(model, &text));
  printf("%s\n", text);
  teff_string_free(text);

  num_inputs = teff_model_num_inputs(model);
  num_outputs = teff_model_num_outputs(model);
  if (num_inputs > kMaxPorts || num_outputs > kMaxPorts) {
    fprintf(stderr, "run_model: expected at most %d inputs and outputs\n", kMaxPorts);
    return 1;
  }
  for (i = 0; i < num_inputs; ++i) {
    teff_port port;
    expect(teff_model_input(model, i, &port));
    print_type("input", port.name, port.dtype, port.dims, port.sizes);
    inputs[i] = zeros_for(&port);
  }

  expect(teff_model_run(model, (const teff_tensor* const*)inputs, num_inputs, outputs, num_outputs));
  for (i = 0; i < num_outputs; ++i) print_output(model, i, outputs[i]);

  for (i = 0; i < num_inputs; ++i) teff_tensor_free(inputs[i]);
  for (i = 0; i < num_outputs; ++i) teff_tensor_free(outputs[i]);
  teff_model_free(model);
  return 0;
}
