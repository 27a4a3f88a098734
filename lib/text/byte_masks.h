/* byte_masks.h - which bytes of a text are of which class: bit masks of 64 bytes each, so that
 * words are found by shifting and not by looking at one byte after the other. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { BYTE_CLASSES = 6, MASKS_PAD = 64 };

/* Bit i is byte i of the block. */
struct byte_masks {
    uint64_t of[BYTE_CLASSES];
    uint64_t wide;              /* bytes that are not ASCII; they are of no class */
};

/* Masks of n bytes into n / 64 + 1 blocks: past the end all are 0, and at least one bit is.
 * Bit k of classes[c] says that the character c is of class k.  MASKS_PAD bytes behind the text
 * must be readable. */
void byte_masks(const unsigned char classes[128], const char *text, size_t n,
                struct byte_masks *blocks);
/* The same without vector instructions: what byte_masks() is tested against. */
void byte_masks_plain(const unsigned char classes[128], const char *text, size_t n,
                      struct byte_masks *blocks);

/* The bit of byte i in mask k; to set it. */
static inline int masks_has(const struct byte_masks *blocks, int k, size_t i)
{
    return (int)(blocks[i / 64].of[k] >> i % 64 & 1);
}

static inline void masks_set(struct byte_masks *blocks, int k, size_t i)
{
    blocks[i / 64].of[k] |= UINT64_C(1) << i % 64;
}

/* Write the places of a block's bits, which begin at `at`; returns the end of the list. */
static inline uint32_t *mask_places(uint64_t mask, uint32_t at, uint32_t *list)
{
    for (; mask; mask &= mask - 1)
        *list++ = at + (uint32_t)__builtin_ctzll(mask);
    return list;
}
