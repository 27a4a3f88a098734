/* base.h - how every program here fails, warns and allocates.
 *
 * A program of this toolkit does one thing and stops at the first error, so
 * the library reports and exits for it.  Parsers of outside bytes are the
 * exception: they return an error text, so that a fuzzer can drive them. */
#pragma once
#include <stddef.h>

#define KEEL_VERSION "0.1"

/* Exit statuses of every program. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_MISUSE = 2, EXIT_DIVERGED = 3 };

extern const char *program;     /* set by opt_parse(), printed before messages */

extern int line_open;           /* a progress line stands on the terminal; messages clear it */

/* Print "program: message" and exit 1.  A message that ends in ':' gets
 * the text of errno appended, as in die("%s:", path). */
__attribute__((noreturn, nonnull, format(printf, 1, 2))) void die(const char *fmt, ...);
/* The same for a mistake on the command line: exit 2. */
__attribute__((noreturn, nonnull, format(printf, 1, 2))) void misuse(const char *fmt, ...);
__attribute__((nonnull, format(printf, 1, 2))) void warn(const char *fmt, ...);

/* n * size zeroed bytes; never NULL. */
void *zalloc(size_t n, size_t size);
/* A copy of a string, or of printf's output; never NULL, the caller frees it. */
char *copy_text(const char *text);
__attribute__((nonnull, format(printf, 1, 2))) char *text_of(const char *fmt, ...);
/* Room for one more element in a growing array that holds n: assign the result.
 * Grows when n reaches a power of two, so n must start at 0 and rise by 1. */
void *grow(void *array, size_t n, size_t size);

/* Every program ends with `return finish();`: flush stdout and report a full disk. */
int finish(void);
