/* utf8.h - UTF-8 as Unicode defines it: no surrogates, nothing overlong, at most U+10FFFF. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* The code point that n > 0 bytes begin with, and how many bytes it takes; 0 where they are not
 * UTF-8: then *bad is how many bytes one replacement character stands for (Python's and the
 * WHATWG's rule: the longest beginning of a valid sequence, at least one byte). */
int utf8_decode(const char *at, size_t n, uint32_t *point, int *bad);
/* Write a code point: 1 to 4 bytes. */
int utf8_encode(uint32_t point, char *at);
/* The place of the first byte that is not ASCII; n when all are. */
size_t utf8_ascii(const char *at, size_t n);
/* Copy n bytes with A ... Z in lower case; `to` may be `at`. */
void utf8_ascii_lower(const char *at, size_t n, char *to);
/* The place of the first byte that is not UTF-8; n when all is well. */
size_t utf8_invalid(const char *at, size_t n);
/* A copy with U+FFFD for what is not UTF-8; *size is its length.  The caller frees it. */
char *utf8_repaired(const char *at, size_t n, size_t *size);
