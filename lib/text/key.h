/* key.h - a piece as two words: up to KEY_MAX bytes and their number, or of a longer one
 * a hash and the length. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { KEY_MAX = 15 };

struct key { uint64_t low, high; };

#define KEY_LONG ((uint64_t)0xFF << 56)

/* No piece's. */
#define NO_KEY ((struct key){0, ~(uint64_t)0})

/* Of n bytes, NO_KEY above KEY_MAX; 16 at `piece` are read. */
static inline struct key key_of(const unsigned char *piece, size_t n)
{
#define FIRST(n) (~(uint64_t)0 >> (64 - 8 * (n)))
#define SHORT(n) {{FIRST(n), 0}, {0, (uint64_t)(n) << 56}}
#define LONG(n) {{~(uint64_t)0, FIRST(n - 8)}, {0, (uint64_t)(n) << 56}}
    static const struct { struct key mask, size; } of_size[] = {
        {{0, 0}, {0, 0}}, SHORT(1), SHORT(2), SHORT(3), SHORT(4), SHORT(5), SHORT(6), SHORT(7),
        SHORT(8), LONG(9), LONG(10), LONG(11), LONG(12), LONG(13), LONG(14), LONG(15),
        {{0, 0}, {0, ~(uint64_t)0}}};
#undef FIRST
#undef SHORT
#undef LONG
    const size_t i = n <= KEY_MAX ? n : KEY_MAX + 1;
    struct key k;
    memcpy(&k, piece, sizeof k);
    k.low &= of_size[i].mask.low;
    k.high = (k.high & of_size[i].mask.high) | of_size[i].size.high;
    return k;
}

static inline uint64_t key_hash(struct key k)
{
    return (k.low + k.high * 0xC2B2AE3D27D4EB4Fu) * 0x9E3779B97F4A7C15u;
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
