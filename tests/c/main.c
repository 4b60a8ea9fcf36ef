/* SPDX-License-Identifier: MIT */
/* main GOLDEN_DIR WORK_DIR: the C interface as programs use it. Compiled as C99 and as C++. */

#include "check.h"

#include <pthread.h>
#include <stdlib.h>

int checks = 0, failures = 0;

static const char* golden_dir;
static const char* work_dir;

static const char* in_folder(const char* folder, const char* name) {
  static char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static teff_tensor* floats(const float* values, size_t dims, const int64_t* sizes) {
  teff_tensor* result = NULL;
  OK(teff_tensor_from_data(values, TEFF_FLOAT32, dims, sizes, &result));
  return result;
}

static float first(const teff_tensor* tensor) { return *(const float*)teff_tensor_data(tensor); }

static teff_tensor* image(int64_t batch) {
  const int64_t sizes[4] = {batch, 1, 8, 8};
  teff_tensor* result = NULL;
  int64_t i;
  OK(teff_tensor_new(TEFF_FLOAT32, 4, sizes, &result));
  for (i = 0; i < batch * 64; ++i) ((float*)teff_tensor_data(result))[i] = (float)(i % 13) / 13.0f - 0.5f;
  return result;
}

static teff_model* golden_model(void) {
  teff_model* model = NULL;
  teff_load_options options = TEFF_LOAD_OPTIONS;
  options.self_test = 1;
  OK(teff_model_load(in_folder(golden_dir, "v1_model.teff"), &options, &model));
  OK(teff_model_train(model, 0));
  return model;
}

static void tensors_have_elements(void) {
  const float values[6] = {1, 2, 3, 4, 5, 6};
  const int64_t sizes[2] = {2, 3}, nothing[2] = {0, 3};
  teff_tensor *tensor = floats(values, 2, sizes), *copy = NULL, *converted = NULL, *empty = NULL;
  char* text = NULL;
  double item = 0;

  CHECK(teff_tensor_dims(tensor) == 2 && teff_tensor_sizes(tensor)[1] == 3 && teff_tensor_numel(tensor) == 6);
  CHECK(teff_tensor_nbytes(tensor) == 24 && teff_tensor_dtype(tensor) == TEFF_FLOAT32);
  CHECK(((const float*)teff_tensor_data(tensor))[5] == 6);
  OK(teff_tensor_to(tensor, TEFF_INT64, &converted));
  CHECK(((const int64_t*)teff_tensor_data(converted))[5] == 6);
  OK(teff_tensor_clone(tensor, &copy));
  OK(teff_tensor_copy(copy, converted));
  CHECK(first(copy) == 1);
  OK(teff_tensor_to_text(tensor, &text));
  CHECK(strcmp(text, "tensor([[1., 2., 3.],\n        [4., 5., 6.]])") == 0);
  OK(teff_tensor_new(TEFF_BOOL, 2, nothing, &empty));
  CHECK(teff_tensor_numel(empty) == 0);

  REFUSED(teff_tensor_item(tensor, &item), TEFF_SHAPE_ERROR,
          "item: expected a tensor of one element, got float32 [2, 3]");
  REFUSED(teff_tensor_item(NULL, &item), TEFF_VALUE_ERROR, "teff_tensor_item: expected a pointer as tensor, got null");
  REFUSED(teff_tensor_clone(tensor, NULL), TEFF_VALUE_ERROR,
          "teff_tensor_clone: expected a pointer as result, got null");
  REFUSED(teff_tensor_new(99, 0, NULL, &empty), TEFF_VALUE_ERROR, "teff_tensor_new: expected a dtype, got number 99");
  CHECK(teff_tensor_dims(NULL) == 0 && teff_tensor_sizes(NULL) == NULL && teff_tensor_data(NULL) == NULL);
  teff_tensor_free(NULL);
  teff_string_free(text);
  teff_tensor_free(tensor);
  teff_tensor_free(copy);
  teff_tensor_free(converted);
  teff_tensor_free(empty);
}

static void count(void* context) { ++*(int*)context; }

static void external_memory_is_released_once(void) {
  double memory[2] = {1.5, 2.5};
  const int64_t two = 2, negative = -2;
  int released = 0;
  teff_tensor *tensor = NULL, *other = NULL;
  OK(teff_tensor_from_external(memory, TEFF_FLOAT64, 1, &two, count, &released, &tensor));
  memory[1] = 7;
  CHECK(((const double*)teff_tensor_data(tensor))[1] == 7);
  OK(teff_tensor_share(tensor, &other));
  teff_tensor_free(tensor);
  CHECK(released == 0);
  teff_tensor_free(other);
  CHECK(released == 1);
  CHECK(teff_tensor_from_external(memory, TEFF_FLOAT64, 1, &negative, count, &released, &tensor) == TEFF_SHAPE_ERROR);
  CHECK(teff_tensor_from_external((char*)memory + 1, TEFF_FLOAT64, 1, &two, count, &released, &tensor) ==
        TEFF_VALUE_ERROR);
  CHECK(released == 1);
}

static teff_dict* checkpoint(void) {
  const float values[2] = {3, 4};
  const int64_t two = 2;
  teff_dict *dict = NULL, *nested = NULL;
  teff_value *list = NULL, *value = NULL;
  teff_tensor* weight = floats(values, 1, &two);
  OK(teff_dict_new(&dict));
  OK(teff_dict_new(&nested));
  OK(teff_dict_set_tensor(nested, "fc.weight", weight));
  OK(teff_dict_set_int(dict, "epoch", 5));
  OK(teff_dict_set_float(dict, "loss", 0.25));
  OK(teff_dict_set_text(dict, "name", "Gr\xC3\xBCn"));
  OK(teff_dict_set_dict(dict, "model", nested));
  OK(teff_value_of_list(&list));
  OK(teff_value_of_bytes("\0\1", 2, &value));
  OK(teff_value_append(list, value));
  OK(teff_dict_set(dict, "history", list));
  teff_value_free(value);
  teff_value_free(list);
  teff_tensor_free(weight);
  teff_dict_free(nested);
  return dict;
}

static void expect_checkpoint(const teff_dict* dict) {
  int64_t epoch = 0;
  double loss = 0;
  const char *name = NULL, *key = NULL;
  const teff_dict* model = NULL;
  const teff_value *value = NULL, *item = NULL;
  const void* bytes = NULL;
  size_t size = 0;
  teff_tensor* weight = NULL;
  CHECK(teff_dict_size(dict) == 5);
  OK(teff_dict_int(dict, "epoch", &epoch));
  OK(teff_dict_float(dict, "loss", &loss));
  OK(teff_dict_text(dict, "name", &name));
  OK(teff_dict_dict(dict, "model", &model));
  CHECK(epoch == 5 && loss == 0.25 && strcmp(name, "Gr\xC3\xBCn") == 0);
  OK(teff_dict_item(model, 0, &key, &size, &value));
  CHECK(strcmp(key, "fc.weight") == 0 && size == 9 && teff_value_kind(value) == TEFF_KIND_TENSOR);
  OK(teff_value_tensor(value, &weight));
  CHECK(((const float*)teff_tensor_data(weight))[1] == 4);
  OK(teff_dict_at(dict, "history", &value));
  OK(teff_value_list_at(value, 0, &item));
  OK(teff_value_bytes(item, &bytes, &size));
  CHECK(size == 2 && memcmp(bytes, "\0\1", 2) == 0);
  REFUSED(teff_value_int(value, &epoch), TEFF_TYPE_ERROR, "value: expected an integer, got a list");
  REFUSED(teff_value_list_at(value, 1, &item), TEFF_INDEX_ERROR, "teff_value_list_at: expected a place below 1, got 1");
  teff_tensor_free(weight);
}

static void dictionaries_go_to_files_and_back(void) {
  static const char* const names[2] = {"checkpoint.teff", "checkpoint.pt"};
  teff_dict *dict = checkpoint(), *loaded = NULL, *metadata = NULL;
  teff_save_options options = TEFF_SAVE_OPTIONS;
  int i;
  expect_checkpoint(dict);
  for (i = 0; i < 2; ++i) {
    OK(teff_save(dict, in_folder(work_dir, names[i]), NULL));
    OK(teff_load(in_folder(work_dir, names[i]), NULL, &loaded));
    expect_checkpoint(loaded);
    teff_dict_free(loaded);
  }
  OK(teff_dict_new(&metadata));
  OK(teff_dict_set_text(metadata, "licence", "MIT"));
  options.metadata = metadata;
  options.durable = 0;
  OK(teff_save(dict, in_folder(work_dir, "checkpoint.teff"), &options));
  options.format = 77;
  REFUSED(teff_save(dict, "x", &options), TEFF_VALUE_ERROR, "teff_save: expected a format to write, got number 77");
  OK(teff_dict_erase(dict, "epoch"));
  REFUSED(teff_dict_erase(dict, "epoch"), TEFF_INDEX_ERROR,
          "dict: expected one of its keys (\"loss\", \"name\", \"model\", \"history\"), got \"epoch\"");
  teff_dict_free(metadata);
  teff_dict_free(dict);
}

static void files_are_refused_with_a_reason(void) {
  teff_dict* dict = NULL;
  teff_load_options options = TEFF_LOAD_OPTIONS;
  CHECK(teff_load("/nowhere/x.teff", NULL, &dict) == TEFF_IO_ERROR);
  CHECK(strstr(teff_last_error(), "/nowhere/x.teff") != NULL);
  CHECK(teff_load_bytes("<!DOCTYPE html><html>", 21, NULL, &dict) == TEFF_UNSUPPORTED_ERROR);
  CHECK(teff_load_bytes(NULL, 4, NULL, &dict) == TEFF_VALUE_ERROR);
  CHECK(teff_load(NULL, NULL, &dict) == TEFF_VALUE_ERROR);
  options.size += 8;
  CHECK(teff_load("x", &options, &dict) == TEFF_VALUE_ERROR);
  CHECK(dict == NULL);
}

static void a_model_runs_as_its_session_does(void) {
  teff_model* model = golden_model();
  teff_tensor *input = image(2), *output = NULL, *fast = NULL, *other = NULL;
  const int64_t sizes[4] = {2, 1, 8, 8};
  const teff_shape shape = {4, sizes};
  const teff_carried_state state = {"input", "nothing"};
  teff_session_options options = TEFF_SESSION_OPTIONS;
  teff_session *session = NULL, *copy = NULL;
  teff_port port;
  int64_t parameters = 0;
  int i;
  CHECK(teff_model_num_inputs(model) == 1 && teff_model_num_outputs(model) == 1 && !teff_model_is_training(model));
  OK(teff_model_input(model, 0, &port));
  CHECK(strcmp(port.name, "input") == 0 && port.dtype == TEFF_FLOAT32 && port.dims == 4 && port.sizes[0] == -1);
  OK(teff_model_num_parameters(model, &parameters));
  CHECK(parameters == 483);

  OK(teff_model_run(model, (const teff_tensor* const*)&input, 1, &output, 1));
  CHECK(teff_tensor_sizes(output)[0] == 2 && teff_tensor_sizes(output)[1] == 3);
  OK(teff_session_new(model, &shape, 1, NULL, &session));
  options.winograd = 0;
  options.states = &state;
  options.num_states = 1;
  CHECK(teff_session_new(model, &shape, 1, &options, &copy) == TEFF_VALUE_ERROR);
  OK(teff_session_copy(session, &copy));
  OK(teff_session_reset_state(copy));
  teff_model_free(model);
  OK(teff_session_run(session, (const teff_tensor* const*)&input, 1, &fast, 1));
  OK(teff_session_run(copy, (const teff_tensor* const*)&input, 1, &other, 1));
  for (i = 0; i < 6; ++i) {
    const float expected = ((const float*)teff_tensor_data(output))[i];
    const float difference = ((const float*)teff_tensor_data(fast))[i] - expected;
    CHECK(difference < 1e-5f && difference > -1e-5f);
  }
  CHECK(memcmp(teff_tensor_data(fast), teff_tensor_data(other), 24) == 0);
  CHECK(teff_session_memory_bytes(session) > 0);
  REFUSED(teff_session_run(session, NULL, 0, &fast, 1), TEFF_VALUE_ERROR, "teff_session_run: expected 1 inputs, got 0");
  teff_session_free(session);
  teff_session_free(copy);
  teff_tensor_free(input);
  teff_tensor_free(output);
  teff_tensor_free(fast);
  teff_tensor_free(other);
}

static void a_call_that_fails_writes_nothing(void) {
  teff_model* model = golden_model();
  teff_tensor *input = image(2), *outputs[2] = {NULL, NULL};
  const float value = 1;
  teff_tensor* scalar = floats(&value, 0, NULL);
  CHECK(teff_model_run(model, (const teff_tensor* const*)&scalar, 1, outputs, 1) == TEFF_SHAPE_ERROR);
  REFUSED(teff_model_run(model, (const teff_tensor* const*)&input, 1, outputs, 2), TEFF_VALUE_ERROR,
          "teff_model_run: expected 1 places for outputs, got 2");
  REFUSED(teff_model_run(model, (const teff_tensor* const*)outputs, 1, outputs, 1), TEFF_VALUE_ERROR,
          "teff_model_run: expected a pointer as an input, got null");
  CHECK(outputs[0] == NULL && outputs[1] == NULL);
  teff_tensor_free(scalar);
  teff_tensor_free(input);
  teff_model_free(model);
}

static double train_step(teff_model* model, teff_optimizer* optimizer, const teff_tensor* input,
                         const teff_tensor* target) {
  teff_tensor *output = NULL, *loss = NULL;
  double value = 0;
  OK(teff_optimizer_zero_grad(optimizer));
  OK(teff_model_forward(model, &input, 1, &output, 1));
  OK(teff_cross_entropy(output, target, TEFF_REDUCTION_MEAN, &loss));
  OK(teff_tensor_backward(loss));
  OK(teff_optimizer_step(optimizer));
  OK(teff_tensor_item(loss, &value));
  teff_tensor_free(output);
  teff_tensor_free(loss);
  return value;
}

static void one_step_of_sgd_is_its_formula(void) {
  teff_model* model = golden_model();
  teff_optimizer* optimizer = NULL;
  teff_sgd_options options = TEFF_SGD_OPTIONS;
  const int64_t labels[2] = {0, 2}, two = 2;
  teff_dict* state = NULL;
  teff_tensor *input = image(2), *target = NULL, *bias = NULL, *grad = NULL;
  float before;
  double norm = 0, lr = 0;
  options.lr = 0.5;
  OK(teff_tensor_from_data(labels, TEFF_INT64, 1, &two, &target));
  OK(teff_sgd_new(model, &options, &optimizer));
  OK(teff_model_state_dict(model, &state));
  OK(teff_dict_tensor(state, "fc.bias", &bias));
  REFUSED(teff_tensor_grad(bias, &grad), TEFF_VALUE_ERROR,
          "teff_tensor_grad: expected a tensor with a gradient, got one without");
  before = first(bias);
  train_step(model, optimizer, input, target);
  OK(teff_tensor_grad(bias, &grad));
  CHECK(first(bias) == before - 0.5f * first(grad));
  OK(teff_clip_grad_norm(model, 1e-3, &norm));
  CHECK(norm > 1e-3);
  OK(teff_optimizer_set_lr(optimizer, 0.25));
  OK(teff_optimizer_lr(optimizer, &lr));
  CHECK(lr == 0.25);
  options.lr = -1;
  CHECK(teff_sgd_new(model, &options, &optimizer) == TEFF_VALUE_ERROR);
  teff_model_free(model); /* the optimiser, the tensors and the dictionary have handles of their own */
  OK(teff_optimizer_step(optimizer));
  teff_optimizer_free(optimizer);
  teff_dict_free(state);
  teff_tensor_free(grad);
  teff_tensor_free(bias);
  teff_tensor_free(target);
  teff_tensor_free(input);
}

static void training_that_is_loaded_goes_on_the_same(void) {
  teff_model *model = golden_model(), *other = NULL;
  teff_optimizer *adam = NULL, *resumed = NULL;
  teff_adam_options options = TEFF_ADAMW_OPTIONS;
  const int64_t labels[2] = {0, 2}, two = 2;
  teff_dict *state = NULL, *optimizer_state = NULL, *wrong = NULL;
  teff_tensor *input = image(2), *target = NULL;
  double begin, end = 0;
  int i;
  options.lr = 0.01;
  OK(teff_tensor_from_data(labels, TEFF_INT64, 1, &two, &target));
  OK(teff_adamw_new(model, &options, &adam));
  begin = train_step(model, adam, input, target);
  for (i = 0; i < 10; ++i) end = train_step(model, adam, input, target);
  CHECK(end < begin);

  OK(teff_model_save(model, (const teff_tensor* const*)&input, 1, in_folder(work_dir, "trained.teff"), NULL));
  OK(teff_model_load(in_folder(work_dir, "trained.teff"), NULL, &other));
  OK(teff_model_train(other, 0));
  OK(teff_adamw_new(other, &options, &resumed));
  OK(teff_optimizer_state_dict(adam, &optimizer_state));
  OK(teff_optimizer_load_state_dict(resumed, optimizer_state));
  CHECK(train_step(model, adam, input, target) == train_step(other, resumed, input, target));

  OK(teff_model_state_dict(model, &state));
  OK(teff_model_load_state_dict(other, state, 1));
  OK(teff_dict_new(&wrong));
  OK(teff_dict_set_tensor(wrong, "fc.bias2", target));
  CHECK(teff_model_load_state_dict(other, wrong, 1) == TEFF_STATE_DICT_ERROR);
  CHECK(strstr(teff_last_error(), "fc.bias2") != NULL && strstr(teff_last_error(), "conv.weight") != NULL);
  teff_dict_free(wrong);
  teff_dict_free(state);
  teff_dict_free(optimizer_state);
  teff_optimizer_free(adam);
  teff_optimizer_free(resumed);
  teff_tensor_free(input);
  teff_tensor_free(target);
  teff_model_free(model);
  teff_model_free(other);
}

static void* fail_elsewhere(void* context) {
  (void)context;
  CHECK(teff_last_status() == TEFF_OK && strcmp(teff_last_error(), "") == 0);
  REFUSED(teff_set_num_threads(0), TEFF_VALUE_ERROR, "set_num_threads: expected a count from 1 to 1024, got 0");
  return NULL;
}

static void errors_belong_to_their_thread(void) {
  pthread_t thread;
  teff_dict* dict = NULL;
  CHECK(teff_load(NULL, NULL, &dict) == TEFF_VALUE_ERROR);
  CHECK(pthread_create(&thread, NULL, fail_elsewhere, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(strcmp(teff_last_error(), "teff_load: expected a pointer as path, got null") == 0);
}

static void long_errors_are_cut_between_characters(void) {
  const size_t size = 40000;
  char* key = (char*)malloc(size + 1);
  teff_dict* dict = NULL;
  const teff_value* value = NULL;
  size_t i;
  for (i = 0; i < size; i += 2) memcpy(key + i, "\xC3\xBC", 2);
  key[size] = 0;
  OK(teff_dict_new(&dict));
  CHECK(teff_dict_at(dict, key, &value) == TEFF_INDEX_ERROR);
  CHECK(strlen(teff_last_error()) < 16384 && strlen(teff_last_error()) > 16000);
  CHECK(strcmp(teff_last_error() + strlen(teff_last_error()) - 6, "\xC3\xBC ...") == 0);
  teff_dict_free(dict);
  free(key);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  golden_dir = argv[1];
  work_dir = argv[2];
  CHECK(strcmp(teff_status_name(TEFF_SHAPE_ERROR), "shape error") == 0);
  CHECK(strcmp(teff_status_name(99), "unknown error") == 0);
  CHECK(strcmp(teff_dtype_name(TEFF_BFLOAT16), "bfloat16") == 0 && teff_dtype_size(TEFF_BFLOAT16) == 2);
  CHECK(teff_dtype_size(99) == 0 && strcmp(teff_dtype_name(99), "unknown") == 0);
  tensors_have_elements();
  external_memory_is_released_once();
  dictionaries_go_to_files_and_back();
  files_are_refused_with_a_reason();
  a_model_runs_as_its_session_does();
  a_call_that_fails_writes_nothing();
  one_step_of_sgd_is_its_formula();
  training_that_is_loaded_goes_on_the_same();
  errors_belong_to_their_thread();
  long_errors_are_cut_between_characters();
  hostile_calls(in_folder(golden_dir, "v1_model.teff"));
  printf("%d checks, %d failed\n", checks, failures);
  return failures == 0 ? 0 : 1;
}
