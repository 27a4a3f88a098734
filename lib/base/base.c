#include "base/base.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *program = "?";
int line_open;

/* In one write, so that the messages of a pipeline's programs do not mix. */
static void report(const char *fmt, va_list ap)
{
    const char *why = fmt[0] && fmt[strlen(fmt) - 1] == ':' ? strerror(errno) : "";
    char text[4096];

    fflush(stdout);
    vsnprintf(text, sizeof text, fmt, ap);
    fprintf(stderr, "%s%s: %s%s%s\n", line_open ? "\r\033[K" : "", program, text,
            *why ? " " : "", why);
    line_open = 0;
}

static int dying;

/* Asked by the leak sanitiser: who stops at an error has nobody to free for. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return dying;
}

void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(fmt, ap);
    dying = 1;
    exit(EXIT_FAILED);
}

void misuse(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(fmt, ap);
    dying = 1;
    exit(EXIT_MISUSE);
}

void warn(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(fmt, ap);
    va_end(ap);
}

void *zalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p)
        die("out of memory (%zu x %zu bytes)", n, size);
    return p;
}

char *copy_text(const char *text)
{
    return text_of("%s", text);
}

char *text_of(const char *fmt, ...)
{
    char *text;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        die("out of memory");
    va_end(ap);
    return text;
}

void *grow(void *array, size_t n, size_t size)
{
    if (n & (n - 1))
        return array;
    array = reallocarray(array, n ? 2 * n : 1, size);
    if (!array)
        die("out of memory (%zu x %zu bytes)", n ? 2 * n : 1, size);
    return array;
}

int finish(void)
{
    if (fflush(stdout) || ferror(stdout))
        die("stdout:");
    return EXIT_OK;
}
