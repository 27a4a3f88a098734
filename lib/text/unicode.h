/* unicode.h - the few facts about code points that scores need. */
#pragma once
#include "text/words.h"
#include <stdint.h>

struct point_range { uint32_t first, last; };
struct lower_range { uint32_t first, last, step; int32_t distance; };

/* Sorted; each ends with a row of zeros (unicode_tables.c). */
extern const struct point_range unicode_punctuation[], unicode_symbols[], unicode_numbers[];
extern const struct point_range unicode_cased[], unicode_ignorable[];
extern const struct lower_range unicode_lower_case[];

enum unicode_class { UNICODE_OTHER, UNICODE_PUNCTUATION, UNICODE_SYMBOL, UNICODE_NUMBER };

/* Of ASCII: its class, and whether it is white space; the rest is looked up in the tables. */
extern const unsigned char unicode_ascii_class[128], unicode_ascii_space[128];
enum unicode_class unicode_far_class(uint32_t point);
int unicode_far_space(uint32_t point);

/* General categories P, S and N. */
static inline enum unicode_class unicode_class(uint32_t point)
{
    return point < 0x80 ? (enum unicode_class)unicode_ascii_class[point] : unicode_far_class(point);
}

/* White space as Python's str.split() and str.strip() know it. */
static inline int unicode_space(uint32_t point)
{
    return point < 0x80 ? unicode_ascii_space[point] : unicode_far_space(point);
}

/* How many of n bytes of UTF-8 are left without the white space at their end. */
size_t unicode_trimmed(const char *at, size_t n);
/* A UTF-8 text in lower case as Python's str.lower() makes it (a final sigma and the dotted
 * capital I included), into `to`, which has room for 2 n bytes; returns the bytes written. */
size_t unicode_lower(const char *at, size_t n, char *to);
