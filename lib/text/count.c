#include "text/count.h"
#include "base/base.h"
#include <stdlib.h>
#include <string.h>

enum { BATCH = 32, FIRST_BITS = 16, FIRST = 1 << FIRST_BITS };

/* Empty slots, written at once: a page that is read before is one that all share, and when it is
 * written every core must be told. */
static struct piece_count *new_slots(size_t n)
{
    struct piece_count *slots = zalloc(n, sizeof *slots);
    explicit_bzero(slots, n * sizeof *slots);
    return slots;
}

struct piece_counts *counts_new(void)
{
    struct piece_counts *c = zalloc(1, sizeof *c);
    c->mask = FIRST - 1;
    c->shift = 64 - FIRST_BITS;
    c->slots = new_slots(FIRST);
    return c;
}

void counts_free(struct piece_counts *c)
{
    free(c->slots);
    free(c->bytes);
    free(c);
}

const unsigned char *counts_piece(const struct piece_counts *c, const struct piece_count *slot,
                                  size_t *n)
{
    *n = key_is_long(slot->key) ? key_long_size(slot->key) : slot->key.high >> 56;
    return key_is_long(slot->key) ? c->bytes + slot->at : (const unsigned char *)&slot->key;
}

/* The slot of a piece, or the empty one where it belongs. */
static struct piece_count *find(const struct piece_counts *c, struct key k, size_t at,
                                const unsigned char *piece)
{
    for (; c->slots[at].count; at = (at + 1) & c->mask) {
        const struct piece_count *s = &c->slots[at];
        if (key_same(s->key, k)
            && (!key_is_long(k) || !memcmp(c->bytes + s->at, piece, key_long_size(k))))
            break;
    }
    return &c->slots[at];
}

static void double_slots(struct piece_counts *c)
{
    struct piece_count *old = c->slots;
    const size_t n = c->mask + 1;

    c->mask = 2 * n - 1;
    c->shift--;
    c->slots = new_slots(2 * n);
    for (size_t i = 0; i < n; i++) {
        if (!old[i].count)
            continue;
        size_t at = key_hash(old[i].key) >> c->shift;
        while (c->slots[at].count)
            at = (at + 1) & c->mask;
        c->slots[at] = old[i];
    }
    free(old);
}

static void keep_bytes(struct piece_counts *c, struct piece_count *s, const unsigned char *piece,
                       size_t n)
{
    if (c->n + n > c->room) {
        c->room = 2 * (c->n + n);
        c->bytes = realloc(c->bytes, c->room);
        if (!c->bytes)
            die("out of memory (%zu bytes)", c->room);
    }
    memcpy(c->bytes + c->n, piece, n);
    s->at = c->n;
    c->n += n;
}

static void add(struct piece_counts *c, struct key k, uint64_t hash, const unsigned char *piece,
                uint64_t count)
{
    struct piece_count *s = find(c, k, hash >> c->shift, piece);
    if (!s->count) {
        if (2 * c->used > c->mask) {
            double_slots(c);
            s = find(c, k, hash >> c->shift, piece);
        }
        c->used++;
        s->key = k;
        if (key_is_long(k))
            keep_bytes(c, s, piece, key_long_size(k));
    }
    s->count += count;
}

void counts_add(struct piece_counts *c, const unsigned char *text, const uint32_t *starts,
                size_t pieces)
{
    struct key keys[BATCH];
    uint64_t hashes[BATCH];

    for (size_t n; pieces; pieces -= n, starts += n) {
        n = pieces < BATCH ? pieces : BATCH;
        for (size_t i = 0; i < n; i++) {
            const size_t size = starts[i + 1] - starts[i];
            keys[i] = size <= KEY_MAX ? key_of(text + starts[i], size)
                                      : key_of_long(text + starts[i], size);
            hashes[i] = key_hash(keys[i]);
            __builtin_prefetch(&c->slots[hashes[i] >> c->shift]);
        }
        for (size_t i = 0; i < n; i++)
            add(c, keys[i], hashes[i], text + starts[i], 1);
    }
}

void counts_merge(struct piece_counts *c, const struct piece_counts *other)
{
    for (size_t i = 0; i <= other->mask; i++) {
        const struct piece_count *s = &other->slots[i];
        size_t n;
        if (s->count)
            add(c, s->key, key_hash(s->key), counts_piece(other, s, &n), s->count);
    }
}
