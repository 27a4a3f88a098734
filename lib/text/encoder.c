#include "text/encoder.h"
#include "base/base.h"
#include "text/split.h"
#include "text/vocab_inside.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    STRETCH = 1 << 15,      /* bytes of text at a time, to stay in the first-level cache */
    BATCH = 32,             /* pieces whose entries are fetched ahead */
    KEY = 15,               /* longest piece that has an entry */
    INLINE = 3,             /* ids in an entry; more are in the pool */
};

/* A piece and its ids.  The last byte of the key is the piece's length; 0: empty. */
struct entry {
    uint64_t key[2];
    uint32_t ids[INLINE], n;
};

struct encoder {
    const struct vocab *v;
    struct splitter *splitter;
    struct entry *entries;
    size_t used, slots;
    int shift;              /* 64 - bits */
    int *pool;              /* ids of entries with more than INLINE; ids[0] says where */
    size_t pool_used;
};

struct key { uint64_t low, high; };

static size_t slot_of(const struct encoder *e, struct key k)
{
    uint64_t h = k.low * 0x9E3779B97F4A7C15u ^ (k.high + 0x7F4A7C15u) * 0xC2B2AE3D27D4EB4Fu;
    h ^= h >> 29;
    return h * 0xBF58476D1CE4E5B9u >> e->shift;
}

static struct key key_of(const unsigned char *piece, size_t n)
{
    static const uint64_t mask[9] = {0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF,
                                     0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF, ~(uint64_t)0};
    struct key k;
    memcpy(&k.low, piece, 8);
    memcpy(&k.high, piece + 8, 8);
    k.low &= mask[n < 8 ? n : 8];
    k.high &= mask[n < 8 ? 0 : n < 15 ? n - 8 : 7];
    k.high |= (uint64_t)(n <= KEY ? n : 0xFF) << 56;
    return k;
}

/* The entry of a key, or the empty one where it belongs. */
static struct entry *find(const struct encoder *e, struct key k, size_t at)
{
    while (e->entries[at].n && (e->entries[at].key[0] != k.low || e->entries[at].key[1] != k.high))
        at = (at + 1) & (e->slots - 1);
    return &e->entries[at];
}

/* Remember a piece while there is room: the table stays half empty. */
static void remember(struct encoder *e, struct entry *at, struct key k, const int *ids, size_t n)
{
    if (2 * e->used >= e->slots)
        return;
    e->used++;
    at->key[0] = k.low;
    at->key[1] = k.high;
    at->n = (uint32_t)n;
    if (n <= INLINE) {
        memcpy(at->ids, ids, n * sizeof *ids);
        return;
    }
    at->ids[0] = (uint32_t)e->pool_used;
    for (size_t i = 0; i < n; i++) {
        e->pool = grow(e->pool, e->pool_used, sizeof *e->pool);
        e->pool[e->pool_used++] = ids[i];
    }
}

/* Every token is a piece that needs no merging. */
static void remember_tokens(struct encoder *e)
{
    for (int id = 0; id < e->v->size; id++) {
        unsigned char piece[2 * sizeof(struct key)] = {0};
        size_t n;
        const char *bytes = vocab_bytes(e->v, id, &n);
        if (!n || n > KEY)
            continue;
        memcpy(piece, bytes, n);
        const struct key k = key_of(piece, n);
        remember(e, find(e, k, slot_of(e, k)), k, &id, 1);
    }
}

struct encoder *encoder_new(const struct vocab *v, int bits)
{
    struct encoder *e = zalloc(1, sizeof *e);
    e->v = v;
    e->shift = 64 - bits;
    e->slots = (size_t)1 << bits;
    e->splitter = splitter_new();
    if (!v->bpe.table)
        return e;
    const size_t size = e->slots * sizeof *e->entries, huge = (size_t)2 << 20;
    e->entries = aligned_alloc(size < huge ? 64 : huge, size);
    if (!e->entries)
        die("out of memory (%zu bytes)", size);
    if (size >= huge)
        madvise(e->entries, size, MADV_HUGEPAGE);   /* a hint: it may fail */
    memset(e->entries, 0, size);
    if (v->closed && e->slots > 4 * (size_t)v->size)
        remember_tokens(e);
    return e;
}

void encoder_free(struct encoder *e)
{
    splitter_free(e->splitter);
    free(e->entries);
    free(e->pool);
    free(e);
}

/* A piece whose entry is not where it was looked for first. */
static int *look_further(struct encoder *e, const unsigned char *piece, size_t n, struct key k,
                         size_t slot, int *out)
{
    if (n > KEY)
        return out + bpe_encode(&e->v->bpe, piece, n, out);
    struct entry *at = find(e, k, slot);
    if (!at->n) {
        const size_t ids = bpe_encode(&e->v->bpe, piece, n, out);
        remember(e, at, k, out, ids);
        return out + ids;
    }
    memcpy(out, at->n <= INLINE ? (const int *)at->ids : e->pool + at->ids[0],
           at->n * sizeof *out);
    return out + at->n;
}

static int *encode_pieces(struct encoder *e, const unsigned char *text, const uint32_t *starts,
                          size_t n, int *out)
{
    struct key keys[BATCH];
    size_t slots[BATCH];

    for (size_t i = 0; i < n; i++) {
        keys[i] = key_of(text + starts[i], starts[i + 1] - starts[i]);
        slots[i] = slot_of(e, keys[i]);
        __builtin_prefetch(&e->entries[slots[i]]);
    }
    for (size_t i = 0; i < n; i++) {
        const struct entry *at = &e->entries[slots[i]];
        if (at->key[0] == keys[i].low && at->key[1] == keys[i].high && at->n <= INLINE) {
            memcpy(out, at->ids, sizeof at->ids);
            out += at->n;
        } else {
            out = look_further(e, text + starts[i], starts[i + 1] - starts[i], keys[i], slots[i],
                               out);
        }
    }
    return out;
}

static int *encode_stretch(struct encoder *e, const unsigned char *text, size_t n, int *out)
{
    size_t pieces;
    const uint32_t *starts = split(e->splitter, text, n, &pieces);
    for (size_t i = 0; i < pieces; i += BATCH)
        out = encode_pieces(e, text, starts + i, pieces - i < BATCH ? pieces - i : BATCH, out);
    return out;
}

size_t encoder_run(struct encoder *e, const unsigned char *text, size_t n, int *ids)
{
    int *out = ids;

    if (!e->entries) {
        for (size_t i = 0; i < n; i++)
            ids[i] = e->v->bpe.byte_id[text[i]];
        return n;
    }
    for (size_t at = 0, size = STRETCH; at < n;) {
        size_t take = n - at;
        if (take > size)
            take = split_cut(e->splitter, text + at, size);
        if (!take) {
            size *= 2;
            continue;
        }
        out = encode_stretch(e, text + at, take, out);
        at += take;
        size = STRETCH;
    }
    return (size_t)(out - ids);
}

size_t encoder_cut(struct encoder *e, const unsigned char *text, size_t n)
{
    return e->entries ? split_cut(e->splitter, text, n) : n;
}
