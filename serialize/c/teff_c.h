/* SPDX-License-Identifier: MIT */
#ifndef TEFF_C_H
#define TEFF_C_H

/*
 * The C interface of Teff (C99, C++; docs/c.md): files of tensors, models that load without their class, sessions, and
 * the training of a loaded model. It is the library teff_c, shared; programs that use it need no C++.
 *
 * Errors. A function that can fail returns a teff_status, TEFF_OK for success. Otherwise nothing was changed, what the
 * function gives by a pointer was not written, and teff_last_error() has the text. A null pointer where none is allowed
 * is TEFF_VALUE_ERROR. No exception of C++ comes out of a function.
 *
 * Ownership. What a function gives by a `teff_x** result` belongs to the caller, who gives it back by teff_x_free,
 * once; free takes a null pointer, too. What it gives by a `const` pointer is borrowed: it lives as long as, and no
 * longer than, the comment says. Tensors are handles: several may refer to the same elements, which live until the last
 * has gone, also when the model or dictionary that they came from is gone already.
 *
 * Threads. One object must not be used by two threads at once, unless the functions only read (their argument is const)
 * or the comment says more. Different objects may; teff_model_run on one model may run in several threads.
 *
 * Text is UTF-8, and ends with a zero. What is said of kinds (teff_status, teff_dtype, ...) is an int32_t with the
 * values of an enumeration: a number that is none of them is refused, and later versions may add some.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(TEFF_C_BUILDING)
#define TEFF_C_API __declspec(dllexport)
#elif defined(_WIN32)
#define TEFF_C_API __declspec(dllimport)
#elif defined(__GNUC__)
#define TEFF_C_API __attribute__((visibility("default")))
#else
#define TEFF_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* --- errors ------------------------------------------------------------------------------------------------------ */

/* Kinds of errors: those of teff/engine/error.h. */
typedef int32_t teff_status;
enum teff_status_values {
  TEFF_OK = 0,
  TEFF_ERROR = 1,             /* any other */
  TEFF_SHAPE_ERROR = 2,       /* shapes that do not fit an operation or each other */
  TEFF_TYPE_ERROR = 3,        /* a dtype, or a kind of value, that is not taken */
  TEFF_VALUE_ERROR = 4,       /* an argument outside its range, or a null pointer */
  TEFF_INDEX_ERROR = 5,       /* an index or a key that is not there */
  TEFF_RESOURCE_ERROR = 6,    /* memory that there is not; a model that would take more than its limit */
  TEFF_STATE_DICT_ERROR = 7,  /* a state dict that does not fit; nothing was changed */
  TEFF_FORMAT_ERROR = 8,      /* a file that is damaged, foreign, hostile or newer */
  TEFF_UNSUPPORTED_ERROR = 9, /* a file that may be whole, but of a kind that Teff does not read */
  TEFF_IO_ERROR = 10          /* the operating system could not open, read, write or rename a file */
};

/* The text of the last error of this thread, never null, "" if there was none; up to 16 KB of it. Valid until the next
 * function of this thread fails. */
TEFF_C_API const char* teff_last_error(void);
/* Its kind; TEFF_OK if there was none. Success does not set it back. */
TEFF_C_API teff_status teff_last_status(void);
/* "shape error", ...; "unknown error" for a number that is none of these. Lives for ever. */
TEFF_C_API const char* teff_status_name(teff_status status);

/* --- the library ------------------------------------------------------------------------------------------------- */

/* "0.1.0". Lives for ever. */
TEFF_C_API const char* teff_version(void);
/* Threads that one operation may use, in all threads of the process. From 1 to 1024; results have the same bits for any
 * number. Default: what the process may use, or the environment's TEFF_NUM_THREADS. */
TEFF_C_API teff_status teff_num_threads(int* result);
TEFF_C_API teff_status teff_set_num_threads(int count);
/* Seeds the random numbers of dropout: those of torch.manual_seed. */
TEFF_C_API teff_status teff_manual_seed(uint64_t seed);
/* For texts that a function gives. */
TEFF_C_API void teff_string_free(char* text);

/* --- tensors ----------------------------------------------------------------------------------------------------- */

/* The numbers are those of the file format. */
typedef int32_t teff_dtype;
enum teff_dtype_values {
  TEFF_FLOAT32 = 1,
  TEFF_FLOAT64 = 2,
  TEFF_INT64 = 3,
  TEFF_INT32 = 4,
  TEFF_INT16 = 5,
  TEFF_INT8 = 6,
  TEFF_UINT8 = 7,
  TEFF_BOOL = 8, /* one byte, 0 or 1 */
  TEFF_FLOAT16 = 9,
  TEFF_BFLOAT16 = 10, /* the upper half of a float32 */
  TEFF_UINT16 = 11,
  TEFF_UINT32 = 12,
  TEFF_UINT64 = 13,
  TEFF_FLOAT8_E4M3FN = 14,
  TEFF_FLOAT8_E5M2 = 15
};

/* An array of numbers of up to 8 dimensions, contiguous, the last dimension next to itself: a handle (see above). */
typedef struct teff_tensor teff_tensor;

/* Bytes of one element; 0 for a number that is no dtype. */
TEFF_C_API size_t teff_dtype_size(teff_dtype dtype);
/* "float32", ...; "unknown" for a number that is no dtype. Lives for ever. */
TEFF_C_API const char* teff_dtype_name(teff_dtype dtype);

/* A tensor of `dims` sizes (no dimensions: one element, sizes may be null) that are 0 or more, filled with zeros. */
TEFF_C_API teff_status teff_tensor_new(teff_dtype dtype, size_t dims, const int64_t* sizes, teff_tensor** result);
/* The same with a copy of the elements at `data`, which are as many as the sizes say. */
TEFF_C_API teff_status teff_tensor_from_data(const void* data, teff_dtype dtype, size_t dims, const int64_t* sizes,
                                             teff_tensor** result);
/* A tensor on memory of the caller, which is not copied and must be aligned for the dtype. `release(context)`, unless
 * it is null, is called when the last handle on it has gone, perhaps in another thread; it may free other handles. If
 * this function fails it is not called. */
TEFF_C_API teff_status teff_tensor_from_external(void* data, teff_dtype dtype, size_t dims, const int64_t* sizes,
                                                 void (*release)(void* context), void* context, teff_tensor** result);
TEFF_C_API void teff_tensor_free(teff_tensor* tensor);
/* Another handle on the same tensor. */
TEFF_C_API teff_status teff_tensor_share(const teff_tensor* tensor, teff_tensor** result);
/* A copy of the elements. */
TEFF_C_API teff_status teff_tensor_clone(const teff_tensor* tensor, teff_tensor** result);
/* Converted as Teff converts (fractions towards zero, saturating); another handle if it has that dtype. */
TEFF_C_API teff_status teff_tensor_to(const teff_tensor* tensor, teff_dtype dtype, teff_tensor** result);
/* Copies the elements of the source into the tensor, broadcast and converted. Not for a recorded result. */
TEFF_C_API teff_status teff_tensor_copy(teff_tensor* tensor, const teff_tensor* source);

/* These give 0, or a null pointer, for a null pointer. */
TEFF_C_API teff_dtype teff_tensor_dtype(const teff_tensor* tensor);
TEFF_C_API size_t teff_tensor_dims(const teff_tensor* tensor);
/* As many as there are dimensions; valid as long as the handle. */
TEFF_C_API const int64_t* teff_tensor_sizes(const teff_tensor* tensor);
TEFF_C_API int64_t teff_tensor_numel(const teff_tensor* tensor);
TEFF_C_API size_t teff_tensor_nbytes(const teff_tensor* tensor);
/* The first element; valid as long as any handle on the elements. May be null if there are none. Who writes sees to it
 * that nobody else reads, and that no recorded result waits for its backward. */
TEFF_C_API void* teff_tensor_data(const teff_tensor* tensor);
/* The only element as a double. TEFF_SHAPE_ERROR for a tensor of more or fewer. */
TEFF_C_API teff_status teff_tensor_item(const teff_tensor* tensor, double* result);
/* As Teff prints it. The caller gives the text back by teff_string_free. */
TEFF_C_API teff_status teff_tensor_to_text(const teff_tensor* tensor, char** result);

/* --- values and dictionaries ------------------------------------------------------------------------------------- */

typedef int32_t teff_kind;
enum teff_kind_values {
  TEFF_KIND_NONE = 0,
  TEFF_KIND_BOOL = 1,
  TEFF_KIND_INT = 2,
  TEFF_KIND_FLOAT = 3,
  TEFF_KIND_TEXT = 4,
  TEFF_KIND_BYTES = 5,
  TEFF_KIND_TENSOR = 6,
  TEFF_KIND_LIST = 7,
  TEFF_KIND_DICT = 8
};

/* One value of a dictionary or list. Those that are borrowed from a dictionary or list are valid until it changes or is
 * freed, and so is what is borrowed from them in turn. */
typedef struct teff_value teff_value;
/* Texts with values, in their order: a state dict, a checkpoint. */
typedef struct teff_dict teff_dict;

TEFF_C_API teff_status teff_dict_new(teff_dict** result);
TEFF_C_API void teff_dict_free(teff_dict* dict);
/* Number of items; 0 for a null pointer. */
TEFF_C_API size_t teff_dict_size(const teff_dict* dict);
/* The item at a place, borrowed. `length`, which may be null, is that of the key: keys from files may have zeros in
 * them. Going through all items takes a time that grows with the square of their number, but little of it. */
TEFF_C_API teff_status teff_dict_item(const teff_dict* dict, size_t place, const char** key, size_t* length,
                                      const teff_value** value);
/* The value of a key, borrowed. TEFF_INDEX_ERROR if there is none. */
TEFF_C_API teff_status teff_dict_at(const teff_dict* dict, const char* key, const teff_value** value);
/* What the key has, as what it is: as teff_dict_at and then teff_value_int, and so on. A tensor is a handle of the
 * caller's own; texts and dictionaries are borrowed. */
TEFF_C_API teff_status teff_dict_int(const teff_dict* dict, const char* key, int64_t* result);
TEFF_C_API teff_status teff_dict_float(const teff_dict* dict, const char* key, double* result);
TEFF_C_API teff_status teff_dict_text(const teff_dict* dict, const char* key, const char** result);
TEFF_C_API teff_status teff_dict_tensor(const teff_dict* dict, const char* key, teff_tensor** result);
TEFF_C_API teff_status teff_dict_dict(const teff_dict* dict, const char* key, const teff_dict** result);
/* Puts a copy of the value under the key, new or in place of what was there; tensors in it are shared. */
TEFF_C_API teff_status teff_dict_set(teff_dict* dict, const char* key, const teff_value* value);
TEFF_C_API teff_status teff_dict_set_int(teff_dict* dict, const char* key, int64_t value);
TEFF_C_API teff_status teff_dict_set_float(teff_dict* dict, const char* key, double value);
TEFF_C_API teff_status teff_dict_set_text(teff_dict* dict, const char* key, const char* value);
TEFF_C_API teff_status teff_dict_set_tensor(teff_dict* dict, const char* key, const teff_tensor* value);
TEFF_C_API teff_status teff_dict_set_dict(teff_dict* dict, const char* key, const teff_dict* value);
/* TEFF_INDEX_ERROR if there is no such key. */
TEFF_C_API teff_status teff_dict_erase(teff_dict* dict, const char* key);
/* `{'epoch': 5, 'weight': tensor float32 [6, 3, 5, 5]}`, for teff_string_free. */
TEFF_C_API teff_status teff_dict_to_text(const teff_dict* dict, char** result);

/* Values of one's own, for teff_dict_set and teff_value_append. */
TEFF_C_API teff_status teff_value_of_none(teff_value** result);
TEFF_C_API teff_status teff_value_of_bool(int value, teff_value** result);
TEFF_C_API teff_status teff_value_of_int(int64_t value, teff_value** result);
TEFF_C_API teff_status teff_value_of_float(double value, teff_value** result);
TEFF_C_API teff_status teff_value_of_text(const char* text, size_t length, teff_value** result);
TEFF_C_API teff_status teff_value_of_bytes(const void* bytes, size_t size, teff_value** result);
TEFF_C_API teff_status teff_value_of_tensor(const teff_tensor* tensor, teff_value** result);
TEFF_C_API teff_status teff_value_of_dict(const teff_dict* dict, teff_value** result);
/* An empty list; append puts copies at its end. */
TEFF_C_API teff_status teff_value_of_list(teff_value** result);
TEFF_C_API teff_status teff_value_append(teff_value* list, const teff_value* value);
TEFF_C_API void teff_value_free(teff_value* value);

/* TEFF_KIND_NONE for a null pointer. */
TEFF_C_API teff_kind teff_value_kind(const teff_value* value);
/* The value as what it is; TEFF_TYPE_ERROR if it is something else. float takes an integer, too. Texts, bytes, items
 * and dictionaries are borrowed; `length` may be null; a tensor is a handle of the caller's own. */
TEFF_C_API teff_status teff_value_bool(const teff_value* value, int* result);
TEFF_C_API teff_status teff_value_int(const teff_value* value, int64_t* result);
TEFF_C_API teff_status teff_value_float(const teff_value* value, double* result);
TEFF_C_API teff_status teff_value_text(const teff_value* value, const char** result, size_t* length);
TEFF_C_API teff_status teff_value_bytes(const teff_value* value, const void** result, size_t* size);
TEFF_C_API teff_status teff_value_tensor(const teff_value* value, teff_tensor** result);
TEFF_C_API teff_status teff_value_dict(const teff_value* value, const teff_dict** result);
TEFF_C_API teff_status teff_value_list_size(const teff_value* value, size_t* result);
TEFF_C_API teff_status teff_value_list_at(const teff_value* value, size_t place, const teff_value** result);

/* --- files ------------------------------------------------------------------------------------------------------- */

typedef int32_t teff_format;
enum teff_format_values {
  TEFF_FORMAT_BY_NAME = 0, /* the extension of the path: .pt and .pth, .safetensors, .npz, .npy, else .teff */
  TEFF_FORMAT_TEFF = 1,
  TEFF_FORMAT_PYTORCH = 2,
  TEFF_FORMAT_SAFETENSORS = 3,
  TEFF_FORMAT_NPZ = 4,
  TEFF_FORMAT_NPY = 5
};

/* Options: begin with the value of the macro, then change fields. A null pointer means the defaults. `size` is what
 * tells a later library which fields a program knows. */
typedef struct teff_load_options {
  size_t size;
  int verify;           /* compare the checksum of every tensor */
  int mmap;             /* map the file instead of reading it: see docs/c.md */
  int self_test;        /* models: run the example in the file, and compare */
  int inert_objects;    /* PyTorch: objects of unknown classes as dictionaries, nothing of them is run */
  int skip_unsupported; /* leave out entries that Teff has no place for */
  double max_work;      /* models: the most that a run may take, in operations on single values */
  double max_bytes;     /* and in bytes of its results */
} teff_load_options;
#define TEFF_LOAD_OPTIONS \
  { sizeof(teff_load_options), 1, 0, 0, 0, 0, 4e12, 17179869184.0 }

typedef struct teff_save_options {
  size_t size;
  teff_format format;
  int durable;               /* flush to the disk; saving is atomic in any case */
  const teff_dict* metadata; /* free values, shown by the command teff; may be null */
} teff_save_options;
#define TEFF_SAVE_OPTIONS \
  { sizeof(teff_save_options), TEFF_FORMAT_BY_NAME, 1, NULL }

/* Reads a file of any format that Teff knows; it is known by its content, and nothing in it is run. */
TEFF_C_API teff_status teff_load(const char* path, const teff_load_options* options, teff_dict** result);
/* From memory, which is copied. */
TEFF_C_API teff_status teff_load_bytes(const void* bytes, size_t size, const teff_load_options* options,
                                       teff_dict** result);
/* Writes a file atomically: on any error the old one is untouched. */
TEFF_C_API teff_status teff_save(const teff_dict* dict, const char* path, const teff_save_options* options);

/* --- models ------------------------------------------------------------------------------------------------------ */

/* A network without a class: its computation, parameters and buffers. */
typedef struct teff_model teff_model;

/* An input or output of a model; a size of -1 is free, or follows one that is. Borrowed: valid as long as the model. */
typedef struct teff_port {
  const char* name;
  teff_dtype dtype;
  size_t dims;
  const int64_t* sizes;
} teff_port;

/* Reads what teff_model_save, or save_model of C++, wrote, and the networks of other systems that load_model of C++
 * reads (serialize/save_load.h), ONNX files among them. */
TEFF_C_API teff_status teff_model_load(const char* path, const teff_load_options* options, teff_model** result);
TEFF_C_API teff_status teff_model_load_bytes(const void* bytes, size_t size, const teff_load_options* options,
                                             teff_model** result);
/* Writes it as a .teff file, with the first rows of the example inputs, one for each input, and what comes of them as
 * its test; with the extension .onnx as an ONNX file, with .pt or .pth as a TorchScript archive (docs/pytorch.md). */
TEFF_C_API teff_status teff_model_save(teff_model* model, const teff_tensor* const* inputs, size_t count,
                                       const char* path, const teff_save_options* options);
/* A copy with tensors of its own. */
TEFF_C_API teff_status teff_model_clone(const teff_model* model, teff_model** result);
TEFF_C_API void teff_model_free(teff_model* model);

/* 0 for a null pointer. */
TEFF_C_API size_t teff_model_num_inputs(const teff_model* model);
TEFF_C_API size_t teff_model_num_outputs(const teff_model* model);
TEFF_C_API teff_status teff_model_input(const teff_model* model, size_t place, teff_port* result);
TEFF_C_API teff_status teff_model_output(const teff_model* model, size_t place, teff_port* result);
/* The printed form, as Python prints it, for teff_string_free. */
TEFF_C_API teff_status teff_model_to_text(const teff_model* model, char** result);
/* Elements of all parameters. */
TEFF_C_API teff_status teff_model_num_parameters(const teff_model* model, int64_t* result);

/* Training (1) or evaluation mode (0): dropout and batch norm differ. Call it with 0 before inference. */
TEFF_C_API teff_status teff_model_train(teff_model* model, int training);
/* 0 for a null pointer. */
TEFF_C_API int teff_model_is_training(const teff_model* model);

/* Runs the model; nothing is recorded. `outputs` takes num_outputs handles, which belong to the caller. In evaluation
 * mode several threads may run one model at once, while nobody changes it. */
TEFF_C_API teff_status teff_model_run(teff_model* model, const teff_tensor* const* inputs, size_t num_inputs,
                                      teff_tensor** outputs, size_t num_outputs);
/* The same, recorded for teff_tensor_backward. */
TEFF_C_API teff_status teff_model_forward(teff_model* model, const teff_tensor* const* inputs, size_t num_inputs,
                                          teff_tensor** outputs, size_t num_outputs);

/* Parameters and buffers by name. The tensors are the model's own, not copies. */
TEFF_C_API teff_status teff_model_state_dict(const teff_model* model, teff_dict** result);
/* Copies the dictionary's tensors into the model's, all or nothing. With strict 0 missing and unexpected keys are no
 * errors. TEFF_STATE_DICT_ERROR lists every key that does not fit. */
TEFF_C_API teff_status teff_model_load_state_dict(teff_model* model, const teff_dict* state_dict, int strict);

/* --- sessions ---------------------------------------------------------------------------------------------------- */

/* A model made ready to run again and again on inputs of fixed shapes, with all results in one block of memory: faster
 * than teff_model_run. It keeps what it needs of the model, which may be freed; its weights must stay as they are. */
typedef struct teff_session teff_session;

typedef struct teff_shape {
  size_t dims;
  const int64_t* sizes;
} teff_shape;

/* An output that is the input of the next run: the state of a recurrent layer. By the names of the model's ports. */
typedef struct teff_carried_state {
  const char* input;
  const char* output;
} teff_carried_state;

typedef struct teff_session_options {
  size_t size;
  int winograd;                     /* convolutions may use Winograd's method: faster, rounds more */
  const teff_carried_state* states; /* what the session keeps from run to run */
  size_t num_states;
} teff_session_options;
#define TEFF_SESSION_OPTIONS \
  { sizeof(teff_session_options), 1, NULL, 0 }

/* For each input a shape, batch included, those of states too. TEFF_ERROR if the model is in training mode. */
TEFF_C_API teff_status teff_session_new(const teff_model* model, const teff_shape* inputs, size_t num_inputs,
                                        const teff_session_options* options, teff_session** result);
/* A copy that shares the weights: one for each thread. */
TEFF_C_API teff_status teff_session_copy(const teff_session* session, teff_session** result);
TEFF_C_API void teff_session_free(teff_session* session);
/* As teff_model_run, but of the inputs without those that are states; the outputs' elements are the session's, and the
 * next run overwrites them. */
TEFF_C_API teff_status teff_session_run(teff_session* session, const teff_tensor* const* inputs, size_t num_inputs,
                                        teff_tensor** outputs, size_t num_outputs);
/* The next run begins with states of zeros, as the first does. */
TEFF_C_API teff_status teff_session_reset_state(teff_session* session);
/* Bytes of the block. 0 for a null pointer. */
TEFF_C_API size_t teff_session_memory_bytes(const teff_session* session);

/* --- training ---------------------------------------------------------------------------------------------------- */

typedef int32_t teff_reduction;
enum teff_reduction_values { TEFF_REDUCTION_NONE = 0, TEFF_REDUCTION_MEAN = 1, TEFF_REDUCTION_SUM = 2 };

/* PyTorch's losses, recorded. For cross_entropy and nll the targets are int64 classes, [N] for an input of [N, C]; for
 * the others they have the input's shape and dtype. */
TEFF_C_API teff_status teff_cross_entropy(const teff_tensor* logits, const teff_tensor* target,
                                          teff_reduction reduction, teff_tensor** result);
TEFF_C_API teff_status teff_nll_loss(const teff_tensor* log_probabilities, const teff_tensor* target,
                                     teff_reduction reduction, teff_tensor** result);
TEFF_C_API teff_status teff_mse_loss(const teff_tensor* input, const teff_tensor* target, teff_reduction reduction,
                                     teff_tensor** result);
TEFF_C_API teff_status teff_l1_loss(const teff_tensor* input, const teff_tensor* target, teff_reduction reduction,
                                    teff_tensor** result);
/* With PyTorch's defaults, beta = 1 and delta = 1. */
TEFF_C_API teff_status teff_smooth_l1_loss(const teff_tensor* input, const teff_tensor* target,
                                           teff_reduction reduction, teff_tensor** result);
TEFF_C_API teff_status teff_huber_loss(const teff_tensor* input, const teff_tensor* target, teff_reduction reduction,
                                       teff_tensor** result);
TEFF_C_API teff_status teff_binary_cross_entropy(const teff_tensor* input, const teff_tensor* target,
                                                 teff_reduction reduction, teff_tensor** result);
TEFF_C_API teff_status teff_binary_cross_entropy_with_logits(const teff_tensor* logits, const teff_tensor* target,
                                                             teff_reduction reduction, teff_tensor** result);

/* Adds to the gradient of each parameter its derivative of this tensor, which has one element. */
TEFF_C_API teff_status teff_tensor_backward(const teff_tensor* loss);
/* The gradient, a handle of the caller's own. TEFF_VALUE_ERROR if there is none. */
TEFF_C_API teff_status teff_tensor_grad(const teff_tensor* tensor, teff_tensor** result);
/* Scales the gradients of all parameters so that their norm is at most max_norm. `norm`, which may be null, is what it
 * was. */
TEFF_C_API teff_status teff_clip_grad_norm(teff_model* model, double max_norm, double* norm);

typedef struct teff_sgd_options {
  size_t size;
  double lr;
  double momentum;
  double dampening;
  double weight_decay;
  int nesterov;
  int maximize;
} teff_sgd_options;
#define TEFF_SGD_OPTIONS \
  { sizeof(teff_sgd_options), 1e-3, 0, 0, 0, 0, 0 }

typedef struct teff_adam_options {
  size_t size;
  double lr;
  double beta1;
  double beta2;
  double eps;
  double weight_decay;
  int amsgrad;
  int maximize;
} teff_adam_options;
#define TEFF_ADAM_OPTIONS \
  { sizeof(teff_adam_options), 1e-3, 0.9, 0.999, 1e-8, 0, 0, 0 }
#define TEFF_ADAMW_OPTIONS \
  { sizeof(teff_adam_options), 1e-3, 0.9, 0.999, 1e-8, 1e-2, 0, 0 }

/* An optimiser of all parameters of a model, of which it has handles: the model may be freed before it. */
typedef struct teff_optimizer teff_optimizer;

TEFF_C_API teff_status teff_sgd_new(teff_model* model, const teff_sgd_options* options, teff_optimizer** result);
TEFF_C_API teff_status teff_adam_new(teff_model* model, const teff_adam_options* options, teff_optimizer** result);
/* Adam with decoupled weight decay. */
TEFF_C_API teff_status teff_adamw_new(teff_model* model, const teff_adam_options* options, teff_optimizer** result);
TEFF_C_API void teff_optimizer_free(teff_optimizer* optimizer);
/* Updates the parameters by their gradients. */
TEFF_C_API teff_status teff_optimizer_step(teff_optimizer* optimizer);
/* Removes the gradients. */
TEFF_C_API teff_status teff_optimizer_zero_grad(teff_optimizer* optimizer);
TEFF_C_API teff_status teff_optimizer_lr(const teff_optimizer* optimizer, double* result);
TEFF_C_API teff_status teff_optimizer_set_lr(teff_optimizer* optimizer, double lr);
/* PyTorch's form. The tensors are the optimiser's own, not copies. */
TEFF_C_API teff_status teff_optimizer_state_dict(const teff_optimizer* optimizer, teff_dict** result);
/* All or nothing. */
TEFF_C_API teff_status teff_optimizer_load_state_dict(teff_optimizer* optimizer, const teff_dict* state_dict);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
