/* key.h - a piece of up to KEY_MAX bytes as two words: its bytes and its length. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { KEY_MAX = 15 };

struct key { uint64_t low, high; };

/* 16 bytes at `piece` are read.  A longer piece gets a key that no short one has. */
static inline struct key key_of(const unsigned char *piece, size_t n)
{
    static const uint64_t mask[9] = {0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF,
                                     0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF, ~(uint64_t)0};
    struct key k;
    memcpy(&k.low, piece, 8);
    memcpy(&k.high, piece + 8, 8);
    k.low &= mask[n < 8 ? n : 8];
    k.high &= mask[n < 8 ? 0 : n < 15 ? n - 8 : 7];
    k.high |= (uint64_t)(n <= KEY_MAX ? n : 0xFF) << 56;
    return k;
}

static inline uint64_t key_hash(struct key k)
{
    uint64_t h = k.low * 0x9E3779B97F4A7C15u ^ (k.high + 0x7F4A7C15u) * 0xC2B2AE3D27D4EB4Fu;
    h ^= h >> 29;
    return h * 0xBF58476D1CE4E5B9u;
}
