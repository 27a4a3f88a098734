#include "text/encoder.h"
#include "base/base.h"
#include "text/encoder_units.h"
#include "text/key.h"
#include "text/split.h"
#include "text/vocab_inside.h"
#include <stdlib.h>
#include <sys/mman.h>

enum {
    STRETCH = 1 << 15,      /* bytes of text at a time, to stay in the first-level cache */
    BATCH = 32,             /* pieces whose entries are fetched ahead */
    LONGEST = 128,          /* piece that has an entry */
    POOL = 1 << 22,         /* ids and bytes that entries may have elsewhere */
    INLINE = 3,             /* ids in an entry; more, and those of long pieces, are in the pool */
};

#define MANY 0x80000000u
#define NO_KEY ((struct key){0, ~(uint64_t)0})     /* of a piece that has no entry */

/* A piece and its ids; n is 0 in an empty entry. */
struct entry {
    struct key key;
    uint32_t ids[INLINE];   /* or where they are in the pool, and a long piece's bytes */
    uint32_t n;             /* with MANY: not in the entry */
};

struct encoder {
    const struct vocab *v;
    struct unit_encoder *units;     /* in the place of all the rest */
    struct splitter *splitter;
    struct entry *entries;
    size_t used, slots, most;   /* entries: in use, there, and as many as there may be */
    int shift;              /* 64 - bits */
    int *pool;
    unsigned char *pieces;  /* long ones */
    size_t pool_used, pieces_used, pieces_room;
};

static size_t slot_of(const struct encoder *e, struct key k)
{
    return (size_t)(key_hash(k) >> e->shift);
}

static int is_piece(const struct encoder *e, const struct entry *at, struct key k,
                    const unsigned char *piece)
{
    return key_same(at->key, k)
           && (!key_is_long(k) || !memcmp(e->pieces + at->ids[1], piece, key_long_size(k)));
}

/* The entry of a piece, or the empty one where it belongs. */
static struct entry *find(const struct encoder *e, struct key k, size_t at,
                          const unsigned char *piece)
{
    while (e->entries[at].n && !is_piece(e, &e->entries[at], k, piece))
        at = (at + 1) & (e->slots - 1);
    return &e->entries[at];
}

static void keep_bytes(struct encoder *e, struct entry *at, const unsigned char *piece, size_t n)
{
    if (e->pieces_used + n > e->pieces_room) {
        e->pieces_room = 2 * (e->pieces_used + n);
        e->pieces = realloc(e->pieces, e->pieces_room);
        if (!e->pieces)
            die("out of memory (%zu bytes)", e->pieces_room);
    }
    memcpy(e->pieces + e->pieces_used, piece, n);
    at->ids[1] = (uint32_t)e->pieces_used;
    e->pieces_used += n;
}

/* Remember a piece in its empty entry; in a table that is half full and may not grow, in
 * the place of another. */
static void remember(struct encoder *e, struct entry *at, struct key k, const unsigned char *piece,
                     const int *ids, size_t n)
{
    const int many = key_is_long(k) || n > INLINE;
    if (many && e->pool_used + e->pieces_used > POOL)
        return;
    if (2 * e->used < e->slots)
        e->used++;
    else if (!(at = &e->entries[slot_of(e, k)])->n)
        return;                 /* the empty half must stay so */
    at->key = k;
    if (!many) {
        memcpy(at->ids, ids, n * sizeof *ids);
        at->n = (uint32_t)n;
        return;
    }
    at->n = MANY | (uint32_t)n;
    at->ids[0] = (uint32_t)e->pool_used;
    for (size_t i = 0; i < n; i++) {
        e->pool = grow(e->pool, e->pool_used, sizeof *e->pool);
        e->pool[e->pool_used++] = ids[i];
    }
    if (key_is_long(k))
        keep_bytes(e, at, piece, key_long_size(k));
}

/* Every token is a piece that needs no merging. */
static void remember_tokens(struct encoder *e)
{
    for (int id = 0; id < e->v->size; id++) {
        unsigned char piece[KEY_MAX + 1] = {0};
        size_t n;
        const char *bytes = vocab_bytes(e->v, id, &n);
        if (!n || n > KEY_MAX)
            continue;
        memcpy(piece, bytes, n);
        const struct key k = key_of(piece, n);
        remember(e, find(e, k, slot_of(e, k), piece), k, piece, &id, 1);
    }
}

static void empty_entries(struct encoder *e, int bits)
{
    e->slots = (size_t)1 << bits;
    e->shift = 64 - bits;
    const size_t size = e->slots * sizeof *e->entries, huge = (size_t)2 << 20;
    e->entries = aligned_alloc(size < huge ? 64 : huge, size);
    if (!e->entries)
        die("out of memory (%zu bytes)", size);
    if (size >= huge)
        madvise(e->entries, size, MADV_HUGEPAGE);   /* a hint: it may fail */
    memset(e->entries, 0, size);
}

static void double_entries(struct encoder *e)
{
    struct entry *old = e->entries;
    const size_t n = e->slots;
    empty_entries(e, 64 - e->shift + 1);
    for (size_t i = 0; i < n; i++) {
        size_t at = slot_of(e, old[i].key);
        while (old[i].n && e->entries[at].n)
            at = (at + 1) & (e->slots - 1);
        if (old[i].n)
            e->entries[at] = old[i];
    }
    free(old);
}

struct encoder *encoder_new(const struct vocab *v, int bits)
{
    struct encoder *e = zalloc(1, sizeof *e);
    e->v = v;
    e->splitter = splitter_new();
    e->units = unit_encoder_new(v);
    if (vocab_kind(v) != VOCAB_BPE)
        return e;
    empty_entries(e, bits);
    e->most = 2 * e->slots;
    if (v->closed && e->slots > 4 * (size_t)v->size)
        remember_tokens(e);
    return e;
}

void encoder_free(struct encoder *e)
{
    unit_encoder_free(e->units);
    splitter_free(e->splitter);
    free(e->entries);
    free(e->pool);
    free(e->pieces);
    free(e);
}

/* A piece whose ids are not in the entry where they were looked for first. */
static int *look_further(struct encoder *e, const unsigned char *piece, size_t n, struct key k,
                         size_t slot, int *out)
{
    if (n > LONGEST)
        return out + bpe_encode(&e->v->bpe, piece, n, out);
    struct entry *at = find(e, k, slot, piece);
    if (!at->n) {
        const size_t ids = bpe_encode(&e->v->bpe, piece, n, out);
        if (2 * e->used == e->slots && e->slots < e->most) {
            double_entries(e);
            at = find(e, k, slot_of(e, k), piece);
        }
        remember(e, at, k, piece, out, ids);
        return out + ids;
    }
    const size_t ids = at->n & ~MANY;
    memcpy(out, at->n & MANY ? e->pool + at->ids[0] : (const int *)at->ids, ids * sizeof *out);
    return out + ids;
}

static int *encode_pieces(struct encoder *e, const unsigned char *text, const uint32_t *starts,
                          size_t n, int *out)
{
    struct key keys[BATCH];
    size_t slots[BATCH];

    for (size_t i = 0; i < n; i++) {
        const size_t size = starts[i + 1] - starts[i];
        keys[i] = size <= KEY_MAX ? key_of(text + starts[i], size)
                  : size <= LONGEST ? key_of_long(text + starts[i], size) : NO_KEY;
        slots[i] = slot_of(e, keys[i]);
        __builtin_prefetch(&e->entries[slots[i]]);
    }
    for (size_t i = 0; i < n; i++) {
        const struct entry *at = &e->entries[slots[i]];
        if (key_same(at->key, keys[i]) && at->n <= INLINE) {
            memcpy(out, at->ids, 16);      /* one store, with n for a fourth */
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

    if (e->units)
        return unit_encoder_run(e->units, text, n, ids);
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
    if (e->units)
        return subword_cut(text, n);
    return e->entries ? split_cut(e->splitter, text, n) : n;
}
