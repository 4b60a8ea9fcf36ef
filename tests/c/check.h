/* SPDX-License-Identifier: MIT */
#ifndef TEFF_TESTS_C_CHECK_H
#define TEFF_TESTS_C_CHECK_H

/* A test of C: functions that call CHECK. What does not hold is printed, with its place, and makes the program fail. */

#include <stdio.h>
#include <string.h>

#include <teff/teff_c.h>

extern int checks, failures;

/* hostile.c */
void hostile_calls(const char* model_path);

#define CHECK(condition) check((condition) != 0, #condition, __FILE__, __LINE__)
/* The call succeeds. */
#define OK(call) check_ok((call), #call, __FILE__, __LINE__)
/* The call fails, of this kind and with this text. */
#define REFUSED(call, status, text) check_refused((call), (status), (text), #call, __FILE__, __LINE__)

static void check(int holds, const char* what, const char* file, int line) {
  ++checks;
  if (holds) return;
  ++failures;
  printf("%s:%d: %s\n", file, line, what);
}

static void check_ok(teff_status status, const char* what, const char* file, int line) {
  check(status == TEFF_OK, what, file, line);
  if (status != TEFF_OK) printf("  %s: %s\n", teff_status_name(status), teff_last_error());
}

static void check_refused(teff_status status, teff_status expected, const char* text, const char* what,
                          const char* file, int line) {
  const int as_expected = status == expected && strcmp(teff_last_error(), text) == 0 && teff_last_status() == expected;
  check(as_expected, what, file, line);
  if (!as_expected)
    printf("  expected %s: %s\n  got %s: %s\n", teff_status_name(expected), text, teff_status_name(status),
           teff_last_error());
}

#endif
