/* joins.h - counted words as symbols, and the most frequent pair of neighbours made one
 * symbol in all of them: what every way of learning merges does. */
#pragma once
#include "text/pair_table.h"

struct joins;
/* `before` decides between pairs of equal count. */
struct joins *joins_new(pair_before *before, const void *context);
void joins_free(struct joins *j);
/* A word that stands `count` times in the text; its n symbols are copied. */
void joins_word(struct joins *j, const uint32_t *symbols, uint32_t n, int64_t count);
/* The pair to merge; 0 when none stands `least` times or more.  It is merged, or else counts
 * no more. */
int joins_best(struct joins *j, int64_t least, uint32_t *left, uint32_t *right);
/* Make that pair one symbol, wherever it stands, from left to right. */
void joins_merge(struct joins *j, uint32_t symbol);
