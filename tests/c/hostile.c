/* SPDX-License-Identifier: MIT */
/* What a program in C gets wrong, and what somebody tries on purpose: each call fails with a status and writes nothing.
 * (Null pointers, for every function: tests/python.) */

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include "check.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kThreads = 8, kRounds = 200 };

static const char* model_path;

/* In evaluation mode. */
static teff_model* loaded(void) {
  teff_model* model = NULL;
  OK(teff_model_load(model_path, NULL, &model));
  OK(teff_model_train(model, 0));
  return model;
}

static teff_tensor* zeros(size_t dims, const int64_t* sizes) {
  teff_tensor* result = NULL;
  OK(teff_tensor_new(TEFF_FLOAT32, dims, sizes, &result));
  return result;
}

static const int64_t kImage[4] = {2, 1, 8, 8};

static void sizes_that_no_tensor_has(void) {
  static const int64_t wrong[7][2] = {{-1, 1},         {INT64_MIN, 1}, {INT64_MAX, 2},        {(int64_t)1 << 62, 4},
                                      {1, -INT64_MAX}, {0, -1},        {INT64_MAX, INT64_MAX}};
  double memory[2] = {1, 2};
  teff_tensor* result = NULL;
  int i;
  for (i = 0; i < 7; ++i) {
    CHECK(teff_tensor_new(TEFF_FLOAT64, 2, wrong[i], &result) == TEFF_SHAPE_ERROR);
    CHECK(teff_tensor_from_data(memory, TEFF_FLOAT64, 2, wrong[i], &result) == TEFF_SHAPE_ERROR);
    CHECK(teff_tensor_from_external(memory, TEFF_FLOAT64, 2, wrong[i], NULL, NULL, &result) == TEFF_SHAPE_ERROR);
  }
  CHECK(teff_tensor_new(TEFF_FLOAT32, 9, kImage, &result) == TEFF_SHAPE_ERROR);
  CHECK(teff_tensor_new(TEFF_FLOAT32, SIZE_MAX, kImage, &result) == TEFF_SHAPE_ERROR);
  CHECK(teff_tensor_from_external(NULL, TEFF_FLOAT32, 4, kImage, NULL, NULL, &result) == TEFF_VALUE_ERROR);
  CHECK(teff_tensor_from_data(NULL, TEFF_FLOAT32, 4, kImage, &result) == TEFF_VALUE_ERROR);
  CHECK(result == NULL);
}

static void numbers_of_no_kind(void) {
  static const int32_t wrong[5] = {-1, 0, 16, INT32_MAX, INT32_MIN};
  teff_tensor *tensor = zeros(4, kImage), *result = NULL;
  int i;
  for (i = 0; i < 5; ++i) {
    CHECK(teff_tensor_new(wrong[i], 0, NULL, &result) == TEFF_VALUE_ERROR);
    CHECK(teff_tensor_to(tensor, wrong[i], &result) == TEFF_VALUE_ERROR);
    CHECK(teff_dtype_size(wrong[i]) == 0 && strcmp(teff_dtype_name(wrong[i]), "unknown") == 0);
    CHECK(wrong[i] == 0 || teff_mse_loss(tensor, tensor, wrong[i], &result) == TEFF_VALUE_ERROR);
    CHECK(wrong[i] == 0 || strcmp(teff_status_name(wrong[i]), "unknown error") == 0);
    CHECK(wrong[i] == 16 || teff_set_num_threads(wrong[i]) == TEFF_VALUE_ERROR);
  }
  CHECK(result == NULL);
  teff_tensor_free(tensor);
}

static void counts_beyond_what_is_there(void) {
  teff_model* model = loaded();
  const teff_shape shapes[1] = {{4, kImage}};
  const teff_tensor* inputs[1];
  teff_tensor *tensor = zeros(4, kImage), *outputs[1] = {NULL};
  teff_session *session = NULL, *other = NULL;
  teff_session_options options = TEFF_SESSION_OPTIONS;
  const teff_carried_state states[1] = {{"input", "linear"}};
  teff_port port;
  teff_value* value = NULL;
  teff_dict* dict = NULL;
  const teff_value* item = NULL;
  const char* key = NULL;
  inputs[0] = tensor;

  OK(teff_session_new(model, shapes, 1, NULL, &session));
  REFUSED(teff_model_run(model, inputs, SIZE_MAX, outputs, 1), TEFF_VALUE_ERROR,
          "teff_model_run: expected 1 inputs, got 18446744073709551615");
  CHECK(teff_model_forward(model, inputs, 1, outputs, SIZE_MAX) == TEFF_VALUE_ERROR);
  CHECK(teff_model_save(model, inputs, SIZE_MAX, "x", NULL) == TEFF_VALUE_ERROR);
  CHECK(teff_session_run(session, inputs, SIZE_MAX, outputs, 1) == TEFF_VALUE_ERROR);
  CHECK(teff_session_run(session, inputs, 1, outputs, SIZE_MAX) == TEFF_VALUE_ERROR);
  CHECK(teff_session_new(model, shapes, SIZE_MAX, NULL, &other) == TEFF_VALUE_ERROR);
  options.states = states;
  options.num_states = SIZE_MAX;
  REFUSED(teff_session_new(model, shapes, 1, &options, &other), TEFF_VALUE_ERROR,
          "teff_session_new: expected at most 1 states, got 18446744073709551615");
  CHECK(teff_model_input(model, 1, &port) == TEFF_INDEX_ERROR);
  CHECK(teff_model_output(model, SIZE_MAX, &port) == TEFF_INDEX_ERROR);
  CHECK(teff_value_of_text("x", SIZE_MAX, &value) == TEFF_VALUE_ERROR);
  CHECK(teff_value_of_bytes("x", SIZE_MAX, &value) == TEFF_VALUE_ERROR);
  CHECK(teff_load_bytes("x", SIZE_MAX, NULL, &dict) == TEFF_VALUE_ERROR);
  CHECK(teff_model_load_bytes("", 0, NULL, &model) != TEFF_OK);
  CHECK(outputs[0] == NULL && value == NULL && dict == NULL && other == NULL);

  OK(teff_dict_new(&dict));
  CHECK(teff_dict_item(dict, 0, &key, NULL, &item) == TEFF_INDEX_ERROR);
  CHECK(teff_dict_item(dict, SIZE_MAX, &key, NULL, &item) == TEFF_INDEX_ERROR);
  CHECK(key == NULL && item == NULL);
  teff_dict_free(dict);
  teff_session_free(session);
  teff_tensor_free(tensor);
  teff_model_free(model);
}

static void options_of_another_size(void) {
  static const size_t sizes[4] = {0, sizeof(size_t) - 1, 1000, SIZE_MAX};
  teff_model* model = loaded();
  teff_optimizer* optimizer = NULL;
  teff_sgd_options sgd = TEFF_SGD_OPTIONS;
  teff_adam_options adam = TEFF_ADAM_OPTIONS;
  int i;
  for (i = 0; i < 4; ++i) {
    sgd.size = adam.size = sizes[i];
    CHECK(teff_sgd_new(model, &sgd, &optimizer) == TEFF_VALUE_ERROR);
    CHECK(teff_adam_new(model, &adam, &optimizer) == TEFF_VALUE_ERROR);
    CHECK(teff_adamw_new(model, &adam, &optimizer) == TEFF_VALUE_ERROR);
  }
  CHECK(optimizer == NULL);
  /* A program that knows the rate alone gets the defaults of the rest. */
  sgd.size = offsetof(teff_sgd_options, momentum);
  sgd.momentum = -1;
  OK(teff_sgd_new(model, &sgd, &optimizer));
  teff_optimizer_free(optimizer);
  teff_model_free(model);
}

static void rates_that_are_no_numbers(void) {
  teff_model* model = loaded();
  teff_optimizer *optimizer = NULL, *made = NULL;
  teff_sgd_options sgd = TEFF_SGD_OPTIONS;
  teff_adam_options adam = TEFF_ADAM_OPTIONS;
  double lr = 0;
  OK(teff_sgd_new(model, NULL, &optimizer));
  sgd.lr = adam.beta1 = NAN;
  CHECK(teff_sgd_new(model, &sgd, &made) == TEFF_VALUE_ERROR);
  CHECK(teff_adam_new(model, &adam, &made) == TEFF_VALUE_ERROR);
  CHECK(teff_optimizer_set_lr(optimizer, NAN) == TEFF_VALUE_ERROR);
  CHECK(teff_optimizer_set_lr(optimizer, -1) == TEFF_VALUE_ERROR);
  OK(teff_optimizer_lr(optimizer, &lr));
  CHECK(lr == 1e-3 && made == NULL);
  teff_optimizer_free(optimizer);
  teff_model_free(model);
}

static void training_that_cannot_be(void) {
  teff_model* model = loaded();
  const teff_shape shape = {4, kImage};
  const int64_t two = 2, labels[2] = {0, 99};
  teff_tensor *input = zeros(4, kImage), *output = NULL, *loss = NULL, *target = NULL, *result = NULL;
  teff_session* session = NULL;
  OK(teff_tensor_from_data(labels, TEFF_INT64, 1, &two, &target));
  OK(teff_model_forward(model, (const teff_tensor* const*)&input, 1, &output, 1));
  CHECK(teff_cross_entropy(output, target, TEFF_REDUCTION_MEAN, &result) != TEFF_OK); /* class 99 of 3 */
  CHECK(teff_cross_entropy(output, input, TEFF_REDUCTION_MEAN, &result) != TEFF_OK);
  CHECK(teff_mse_loss(output, target, TEFF_REDUCTION_MEAN, &result) != TEFF_OK);
  CHECK(teff_tensor_backward(output) != TEFF_OK); /* six elements */
  CHECK(teff_tensor_backward(target) != TEFF_OK);
  CHECK(teff_clip_grad_norm(model, NAN, NULL) != TEFF_OK || teff_last_status() != TEFF_OK);
  CHECK(result == NULL);

  OK(teff_model_train(model, 1));
  CHECK(teff_session_new(model, &shape, 1, NULL, &session) == TEFF_ERROR && session == NULL);
  ((int64_t*)teff_tensor_data(target))[1] = 1;
  OK(teff_cross_entropy(output, target, TEFF_REDUCTION_SUM, &loss));
  OK(teff_tensor_backward(loss));
  CHECK(teff_tensor_backward(loss) != TEFF_OK); /* what it needs is gone */
  teff_tensor_free(input);
  teff_tensor_free(output);
  teff_tensor_free(loss);
  teff_tensor_free(target);
  teff_model_free(model);
}

static void what_handles_refer_to_outlives_its_owner(void) {
  teff_model* model = loaded();
  const teff_shape shape = {4, kImage};
  teff_tensor *input = zeros(4, kImage), *output = NULL, *loss = NULL, *fast = NULL, *bias = NULL, *grad = NULL;
  const int64_t sizes[2] = {2, 3};
  teff_tensor* target = zeros(2, sizes);
  teff_session* session = NULL;
  teff_dict* state = NULL;
  float before;
  OK(teff_session_new(model, &shape, 1, NULL, &session));
  OK(teff_session_run(session, (const teff_tensor* const*)&input, 1, &fast, 1));
  OK(teff_model_state_dict(model, &state));
  OK(teff_dict_tensor(state, "fc.bias", &bias));
  OK(teff_model_forward(model, (const teff_tensor* const*)&input, 1, &output, 1));
  OK(teff_mse_loss(output, target, TEFF_REDUCTION_MEAN, &loss));
  before = *(const float*)teff_tensor_data(fast);
  teff_model_free(model);
  teff_session_free(session);
  teff_dict_free(state);
  teff_tensor_free(input);
  teff_tensor_free(output);
  teff_tensor_free(target);

  OK(teff_tensor_backward(loss));
  teff_tensor_free(loss);
  OK(teff_tensor_grad(bias, &grad));
  CHECK(teff_tensor_numel(grad) == 3 && *(const float*)teff_tensor_data(grad) != 0);
  CHECK(*(const float*)teff_tensor_data(fast) == before);
  teff_tensor_free(grad);
  teff_tensor_free(bias);
  teff_tensor_free(fast);
}

static void a_dictionary_takes_what_is_its_own(void) {
  teff_dict* dict = NULL;
  const teff_value* value = NULL;
  const char *key = NULL, *text = NULL;
  int64_t number = 0;
  OK(teff_dict_new(&dict));
  OK(teff_dict_set_text(dict, "a", "a text that is too long to lie in the value itself"));
  OK(teff_dict_item(dict, 0, &key, NULL, &value));
  OK(teff_dict_set(dict, "b", value));
  OK(teff_dict_text(dict, "b", &text));
  OK(teff_dict_set_text(dict, "b", text));
  OK(teff_dict_set_dict(dict, "itself", dict)); /* a copy */
  OK(teff_dict_set_int(dict, key, 7));
  OK(teff_dict_int(dict, "a", &number));
  OK(teff_dict_item(dict, 0, &key, NULL, &value));
  OK(teff_dict_erase(dict, key));
  CHECK(number == 7 && teff_dict_size(dict) == 2);
  teff_dict_free(dict);
}

static void lists_in_lists_have_an_end(void) {
  teff_value *list = NULL, *outer = NULL;
  teff_status status = TEFF_OK;
  int depth;
  OK(teff_value_of_list(&list));
  OK(teff_value_append(list, list));
  for (depth = 0; depth < 1000 && status == TEFF_OK; ++depth) {
    OK(teff_value_of_list(&outer));
    status = teff_value_append(outer, list);
    teff_value_free(list);
    list = outer;
  }
  CHECK(status == TEFF_VALUE_ERROR && depth < 200);
  teff_value_free(list);
}

static void* fail_again_and_again(void* context) {
  const int* number = (const int*)context;
  teff_dict* dict = NULL;
  char key[32], expected[96];
  int round;
  snprintf(key, sizeof key, "of thread %d", *number);
  snprintf(expected, sizeof expected, "dict: expected one of its keys (\"a\"), got \"%s\"", key);
  if (teff_dict_new(&dict) != TEFF_OK || teff_dict_set_int(dict, "a", 1) != TEFF_OK) return context;
  for (round = 0; round < kRounds; ++round) {
    int64_t value = 5;
    if (teff_dict_int(dict, key, &value) != TEFF_INDEX_ERROR || value != 5) return context;
    if (strcmp(teff_last_error(), expected) != 0 || teff_last_status() != TEFF_INDEX_ERROR) return context;
    if (teff_dict_int(dict, "a", &value) != TEFF_OK || value != 1) return context;
  }
  teff_dict_free(dict);
  return NULL;
}

static void each_thread_has_its_own_errors(void) {
  pthread_t threads[kThreads];
  int numbers[kThreads], i;
  for (i = 0; i < kThreads; ++i) {
    numbers[i] = i;
    CHECK(pthread_create(&threads[i], NULL, fail_again_and_again, &numbers[i]) == 0);
  }
  for (i = 0; i < kThreads; ++i) {
    void* failed = NULL;
    CHECK(pthread_join(threads[i], &failed) == 0 && failed == NULL);
  }
}

static void a_child_of_fork_runs_the_model(void) {
  const int64_t sizes[4] = {64, 1, 8, 8};
  teff_model* model = loaded();
  teff_tensor *input = zeros(4, sizes), *output = NULL, *again = NULL;
  pid_t child;
  int status = -1;
  OK(teff_set_num_threads(4));
  OK(teff_model_run(model, (const teff_tensor* const*)&input, 1, &output, 1));
  fflush(NULL);
  child = fork();
  if (child == 0) {
    alarm(60);
    if (teff_model_run(model, (const teff_tensor* const*)&input, 1, &again, 1) != TEFF_OK) _exit(1);
    _exit(memcmp(teff_tensor_data(output), teff_tensor_data(again), teff_tensor_nbytes(output)) == 0 ? 0 : 1);
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
  teff_tensor_free(output);
  teff_tensor_free(input);
  teff_model_free(model);
}

void hostile_calls(const char* path) {
  model_path = path;
  sizes_that_no_tensor_has();
  numbers_of_no_kind();
  counts_beyond_what_is_there();
  options_of_another_size();
  rates_that_are_no_numbers();
  training_that_cannot_be();
  what_handles_refer_to_outlives_its_owner();
  a_dictionary_takes_what_is_its_own();
  lists_in_lists_have_an_end();
  each_thread_has_its_own_errors();
  a_child_of_fork_runs_the_model();
}
