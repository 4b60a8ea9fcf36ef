/* SPDX-License-Identifier: MIT */
/* reload LIBRARY MODEL: a program that loads the library while it runs, as plugins are, several times. When it is
 * unloaded neither its code nor its threads stay. */

#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <teff/teff_c.h>

static void* library;

static void expect(int holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "expected %s\n", what);
  exit(1);
}

/* POSIX says that the address of a function goes through void*. */
#define FIND(type, name)                            \
  type name;                                        \
  *(void**)(&name) = dlsym(library, "teff_" #name); \
  expect(*(void**)(&name) != NULL, "teff_" #name)

static void run_model(const char* path) {
  typedef teff_status (*load_function)(const char*, const teff_load_options*, teff_model**);
  typedef teff_status (*run_function)(teff_model*, const teff_tensor* const*, size_t, teff_tensor**, size_t);
  typedef teff_status (*new_function)(teff_dtype, size_t, const int64_t*, teff_tensor**);
  typedef teff_status (*count_function)(int);
  typedef void (*free_model_function)(teff_model*);
  typedef void (*free_tensor_function)(teff_tensor*);
  const int64_t sizes[4] = {256, 1, 8, 8};
  teff_model* model = NULL;
  teff_tensor *input = NULL, *output = NULL;
  FIND(load_function, model_load);
  FIND(run_function, model_run);
  FIND(new_function, tensor_new);
  FIND(count_function, set_num_threads);
  FIND(free_model_function, model_free);
  FIND(free_tensor_function, tensor_free);
  expect(set_num_threads(4) == TEFF_OK, "four threads");
  expect(model_load("/nowhere", NULL, &model) == TEFF_IO_ERROR, "no file");
  expect(model_load(path, NULL, &model) == TEFF_OK, "a model");
  expect(tensor_new(TEFF_FLOAT32, 4, sizes, &input) == TEFF_OK, "an input");
  expect(model_run(model, (const teff_tensor* const*)&input, 1, &output, 1) == TEFF_OK, "an output");
  tensor_free(input);
  tensor_free(output);
  model_free(model);
}

static int count_threads(void) {
  DIR* folder = opendir("/proc/self/task");
  int count = 0;
  expect(folder != NULL, "/proc");
  while (readdir(folder) != NULL) ++count;
  closedir(folder);
  return count - 2;
}

static int is_mapped(const char* name) {
  static char line[8192];
  FILE* maps = fopen("/proc/self/maps", "r");
  int found = 0;
  expect(maps != NULL, "/proc");
  while (fgets(line, sizeof line, maps) != NULL) found |= strstr(line, name) != NULL;
  fclose(maps);
  return found;
}

int main(int argc, char** argv) {
  int i;
  expect(argc == 3, "a library and a model");
  for (i = 0; i < 3; ++i) {
    library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    expect(library != NULL, "the library");
    run_model(argv[2]);
    expect(dlclose(library) == 0, "the library to be closed");
    expect(!is_mapped("libteff_c"), "no code of the library");
    expect(count_threads() == 1, "no threads of the library");
  }
  printf("ok\n");
  return 0;
}
