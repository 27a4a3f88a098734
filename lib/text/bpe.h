/* bpe.h - byte-pair merges: the ids of one piece of text. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct merge { int left, right, id; };

struct bpe {
    int byte_id[256];
    struct merge *merges;   /* by rank: lower ranks merge first */
    size_t n;
    uint32_t *slots;        /* open addressing by a hash of the pair: its rank + 1 and, above, bits
                               of the hash; 0: empty */
    size_t mask;            /* slots - 1 */
    int shift;              /* 64 - the bits of the slots' number */
    uint32_t *byte_pairs;   /* bpe_seal(): ranks of the merges of two bytes */
};

enum { BPE_MOST = (1 << 24) - 2 };      /* merges */

/* Room for that many merges. */
void bpe_begin(struct bpe *b, size_t merges);
void bpe_end(struct bpe *b);
/* Add the next merge in order of rank, below BPE_MOST; one that is there keeps its first rank. */
void bpe_add(struct bpe *b, int left, int right, int id);
/* After the last merge, where pieces of bytes are to be encoded; byte_id must be set. */
void bpe_seal(struct bpe *b);

/* The ids of a piece into ids[n]; returns their number.  Merges the pair of lowest
 * rank, the leftmost first, until none is left: in O(n^2) up to 64 bytes, in
 * O(n log n) with memory of its own above.  n > 0; b must be sealed. */
size_t bpe_encode(const struct bpe *b, const unsigned char *piece, size_t n, int *ids);

/* The same for symbols: the pair of lowest rank becomes one symbol wherever it stands, from
 * left to right, until none is left.  ends[i] is where symbol i ends in the text; both are
 * changed in place.  Returns how many symbols are left; one of -1 is in no merge. */
size_t bpe_merge(const struct bpe *b, int *ids, uint32_t *ends, size_t n);
