#include "text/encoder.h"
#include "base/base.h"
#include "text/key.h"
#include "text/split.h"
#include "text/vocab_inside.h"
#include <stdlib.h>
#include <sys/mman.h>

enum {
    STRETCH = 1 << 15,      /* bytes of text at a time, to stay in the first-level cache */
    BATCH = 32,             /* pieces whose entries are fetched ahead */
    INLINE = 3,             /* ids in an entry; more are in the pool */
};

/* A piece and its ids; n is 0 in an empty entry. */
struct entry {
    struct key key;
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

static inline int same(struct key a, struct key b)
{
    return a.low == b.low && a.high == b.high;
}

static size_t slot_of(const struct encoder *e, struct key k)
{
    return (size_t)(key_hash(k) >> e->shift);
}

/* The entry of a key, or the empty one where it belongs. */
static struct entry *find(const struct encoder *e, struct key k, size_t at)
{
    while (e->entries[at].n && !same(e->entries[at].key, k))
        at = (at + 1) & (e->slots - 1);
    return &e->entries[at];
}

/* Remember a piece while there is room: the table stays half empty. */
static void remember(struct encoder *e, struct entry *at, struct key k, const int *ids, size_t n)
{
    if (2 * e->used >= e->slots)
        return;
    e->used++;
    at->key = k;
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
        unsigned char piece[sizeof(struct key)] = {0};
        size_t n;
        const char *bytes = vocab_bytes(e->v, id, &n);
        if (!n || n > KEY_MAX)
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
    if (n > KEY_MAX)
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
        if (same(at->key, keys[i]) && at->n <= INLINE) {
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
