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

/* General categories P, S and N. */
enum unicode_class unicode_class(uint32_t point);
/* White space as Python's str.split() and str.strip() know it. */
int unicode_space(uint32_t point);
/* A UTF-8 text in lower case as Python's str.lower() makes it (a final sigma and the dotted
 * capital I included), into `to`, which has room for 2 n bytes; returns the bytes written. */
size_t unicode_lower(const char *at, size_t n, char *to);
