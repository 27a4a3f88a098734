/* pair_table.h - how often two symbols stand side by side, in which words, and
 * which pair is the most frequent: what learning merges asks for. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct pair {
    uint64_t key;               /* left symbol << 32 | right symbol */
    int64_t count;
    uint32_t *words;            /* where it may stand, some of them out of date */
    uint32_t n;
    uint32_t grown;             /* since the last settling */
};

/* Nonzero if of two pairs of equal count a is merged before b. */
typedef int pair_before(const void *context, uint64_t a, uint64_t b);

struct pair_table;
struct pair_table *pairs_new(pair_before *before, const void *context);
void pairs_free(struct pair_table *t);

/* Change the count of a pair in a word; the word is noted when it grows. */
void pairs_change(struct pair_table *t, uint64_t key, int64_t by, uint32_t word);
/* Pairs that grew since the last call may be taken from now on. */
void pairs_settle(struct pair_table *t);
/* The pair of the highest count, taken out: it counts no more.  0 when no count is
 * `least` or more.  The caller frees its words. */
int pairs_take(struct pair_table *t, int64_t least, struct pair *best);

static inline uint64_t pair_key(uint32_t left, uint32_t right)
{
    return (uint64_t)left << 32 | right;
}
