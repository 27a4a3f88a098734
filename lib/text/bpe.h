/* bpe.h - byte-pair merges: the ids of one piece of text. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct merge {
    uint64_t pair;          /* left id << 32 | right id */
    uint32_t rank, id;      /* lower ranks merge first */
};

struct bpe {
    int byte_id[256];
    struct merge *table;    /* open addressing; an empty slot has pair NO_PAIR */
    size_t mask;            /* slots - 1 */
    size_t n;
};

#define NO_PAIR (~(uint64_t)0)

/* Room for that many merges. */
void bpe_begin(struct bpe *b, size_t merges);
void bpe_end(struct bpe *b);
/* Add the next merge in order of rank; one that is there already keeps its first rank. */
void bpe_add(struct bpe *b, int left, int right, int id);

/* The ids of a piece into ids[n]; returns their number.  Merges the pair of lowest
 * rank, the leftmost first, until none is left: in O(n^2) up to 64 bytes, in
 * O(n log n) with memory of its own above. */
size_t bpe_encode(const struct bpe *b, const unsigned char *piece, size_t n, int *ids);

/* The same for symbols: the pair of lowest rank becomes one symbol wherever it stands, from
 * left to right, until none is left.  ends[i] is where symbol i ends in the text; both are
 * changed in place.  Returns how many symbols are left; one of -1 is in no merge. */
size_t bpe_merge(const struct bpe *b, int *ids, uint32_t *ends, size_t n);
