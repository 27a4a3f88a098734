/* count.h - how often each distinct piece stands in a text. */
#pragma once
#include "text/key.h"

struct piece_count {
    struct key key;         /* holds a piece of up to KEY_MAX bytes; of a longer one the hash
                               and the length */
    uint64_t count;         /* 0: an empty slot */
    size_t at;              /* where the bytes of a longer one are */
};

struct piece_counts {
    struct piece_count *slots;
    size_t used, mask;
    int shift;              /* 64 - the bits of the slots' number */
    unsigned char *bytes;
    size_t n, room;
};

struct piece_counts *counts_new(void);
void counts_free(struct piece_counts *c);
/* Count the pieces of a text; starts[pieces] is its end, 16 bytes behind it readable. */
void counts_add(struct piece_counts *c, const unsigned char *text, const uint32_t *starts,
                size_t pieces);
/* Add another's counts. */
void counts_merge(struct piece_counts *c, const struct piece_counts *other);
/* A slot's piece: its bytes and their number. */
const unsigned char *counts_piece(const struct piece_counts *c, const struct piece_count *slot,
                                  size_t *n);
