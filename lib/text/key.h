/* key.h - a piece as two words: up to KEY_MAX bytes and their number, or of a longer one
 * a hash and the length. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { KEY_MAX = 15 };

struct key { uint64_t low, high; };

#define KEY_LONG ((uint64_t)0xFF << 56)

/* Of n <= KEY_MAX bytes; 16 at `piece` are read. */
static inline struct key key_of(const unsigned char *piece, size_t n)
{
    static const uint64_t mask[9] = {0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF,
                                     0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF, ~(uint64_t)0};
    struct key k;
    memcpy(&k.low, piece, 8);
    memcpy(&k.high, piece + 8, 8);
    k.low &= mask[n < 8 ? n : 8];
    k.high &= mask[n < 8 ? 0 : n - 8];
    k.high |= (uint64_t)n << 56;
    return k;
}

static inline uint64_t key_hash(struct key k)
{
    uint64_t h = k.low * 0x9E3779B97F4A7C15u ^ (k.high + 0x7F4A7C15u) * 0xC2B2AE3D27D4EB4Fu;
    h ^= h >> 29;
    return h * 0xBF58476D1CE4E5B9u;
}

/* Of n > KEY_MAX bytes; two pieces may have the same one. */
static inline struct key key_of_long(const unsigned char *piece, size_t n)
{
    uint64_t h = n, word;
    for (size_t i = 0; i + 8 < n; i += 8) {
        memcpy(&word, piece + i, 8);
        h = (h ^ word) * 0x9E3779B97F4A7C15u;
        h ^= h >> 29;
    }
    memcpy(&word, piece + n - 8, 8);
    h = (h ^ word) * 0x9E3779B97F4A7C15u;
    return (struct key){h ^ h >> 29, KEY_LONG | n};
}

static inline int key_is_long(struct key k)
{
    return k.high >= KEY_LONG;
}

static inline size_t key_long_size(struct key k)
{
    return k.high & ~KEY_LONG;
}

static inline int key_same(struct key a, struct key b)
{
    return a.low == b.low && a.high == b.high;
}
