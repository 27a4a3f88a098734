#include "text/encoder.h"
#include "base/base.h"
#include "text/encoder_units.h"
#include "text/key.h"
#include "text/split.h"
#include "text/vocab_inside.h"
#include <emmintrin.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    STRETCH = 1 << 15,      /* bytes of text at a time, to stay in the first-level cache */
    BATCH = 32,             /* pieces whose entries are fetched ahead */
    LONGEST = 128,          /* piece that has an entry */
    POOL = 1 << 22,         /* ids and bytes that entries may have elsewhere */
    INLINE = 4,             /* ids in an entry; more, and those of long pieces, are in the pool */
};

#define ID_BITS 24          /* TOKENS_MAX_SIZE ids */
#define ID_MASK ((1u << ID_BITS) - 1)

/* A piece and its ids; all zero when empty.  An entry with ids in the pool has FAR in its key,
 * so that only look_further() finds it. */
struct entry {
    struct key key;
    uint32_t ids[INLINE];   /* their number is in the last one's highest byte; FAR: where its ids
                               are, their number, where a long piece's bytes are */
};

#define FAR ((uint64_t)1 << 60)

/* Entries that share a line of the cache; the first was used later than the second. */
struct line {
    struct entry entries[2];
};

struct encoder {
    const struct vocab *v;
    struct unit_encoder *units;     /* in the place of all the rest */
    struct splitter *splitter;
    struct line *lines;
    size_t size;            /* bytes of them */
    int shift;              /* 64 - the bits of their number */
    int *pool;
    unsigned char *pieces;  /* long ones */
    size_t pool_used, pieces_used, pieces_room;
};

static struct line *line_of(const struct encoder *e, struct key k)
{
    return &e->lines[key_hash(k) >> e->shift];
}

static struct line *map_lines(size_t size)
{
    struct line *lines = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                              0);
    if (lines == MAP_FAILED)
        die("out of memory (%zu bytes)", size);
    madvise(lines, size, MADV_HUGEPAGE);    /* a hint: it may fail */
    return lines;
}

struct encoder *encoder_new(const struct vocab *v, int bits)
{
    struct encoder *e = zalloc(1, sizeof *e);
    e->v = v;
    e->splitter = splitter_new();
    e->units = unit_encoder_new(v);
    if (vocab_kind(v) != VOCAB_BPE)
        return e;
    e->size = sizeof *e->lines << (bits - 1);
    e->shift = 65 - bits;
    e->lines = map_lines(e->size);
    return e;
}

void encoder_free(struct encoder *e)
{
    unit_encoder_free(e->units);
    splitter_free(e->splitter);
    if (e->lines)
        munmap(e->lines, e->size);
    free(e->pool);
    free(e->pieces);
    free(e);
}

static void forget_all(struct encoder *e)
{
    memset(e->lines, 0, e->size);
    e->pool_used = e->pieces_used = 0;
}

static uint32_t keep_ids(struct encoder *e, const int *ids, size_t n)
{
    const size_t at = e->pool_used;
    for (size_t i = 0; i < n; i++) {
        e->pool = grow(e->pool, e->pool_used, sizeof *e->pool);
        e->pool[e->pool_used++] = ids[i];
    }
    return (uint32_t)at;
}

static uint32_t keep_bytes(struct encoder *e, const unsigned char *piece, size_t n)
{
    const size_t at = e->pieces_used;
    if (at + n > e->pieces_room) {
        e->pieces_room = 2 * (at + n);
        e->pieces = realloc(e->pieces, e->pieces_room);
        if (!e->pieces)
            die("out of memory (%zu bytes)", e->pieces_room);
    }
    memcpy(e->pieces + at, piece, n);
    e->pieces_used += n;
    return (uint32_t)at;
}

/* Remember a piece in the place of the one of its line that was not used for longer. */
static void remember(struct encoder *e, struct key k, const unsigned char *piece, size_t size,
                     const int *ids, size_t n)
{
    struct line *line = line_of(e, k);
    struct entry new = {.key = k};

    if (size <= KEY_MAX && n <= INLINE) {
        memcpy(new.ids, ids, n * sizeof *ids);
        new.ids[INLINE - 1] |= (uint32_t)n << ID_BITS;
    } else {
        if (e->pool_used + e->pieces_used > POOL)
            forget_all(e);
        new.key.high |= FAR;
        new.ids[0] = keep_ids(e, ids, n);
        new.ids[1] = (uint32_t)n;
        new.ids[2] = size > KEY_MAX ? keep_bytes(e, piece, size) : 0;
    }
    line->entries[line->entries[0].key.high != 0] = new;
}

/* The ids of an entry; room for INLINE. */
static inline int *put(const struct entry *at, int *out)
{
    const __m128i ids = _mm_loadu_si128((const __m128i *)at->ids);
    _mm_storeu_si128((__m128i *)out, _mm_and_si128(ids, _mm_set1_epi32(ID_MASK)));
    return out + (at->ids[INLINE - 1] >> ID_BITS);
}

static int *put_far(const struct encoder *e, const struct entry *at, int *out)
{
    memcpy(out, e->pool + at->ids[0], at->ids[1] * sizeof *out);
    return out + at->ids[1];
}

/* A piece that was not found where it was looked for first. */
static int *look_further(struct encoder *e, const unsigned char *piece, size_t n, int *out)
{
    if (n > LONGEST)
        return out + bpe_encode(&e->v->bpe, piece, n, out);
    const struct key k = n > KEY_MAX ? key_of_long(piece, n) : key_of(piece, n);
    const struct key far = {k.low, k.high | FAR};
    struct entry *const at = line_of(e, k)->entries;

    for (int i = 0; i < 2; i++) {
        const int is_far = key_same(at[i].key, far)
                           && (n <= KEY_MAX || !memcmp(e->pieces + at[i].ids[2], piece, n));
        if (!is_far && (n > KEY_MAX || !key_same(at[i].key, k)))
            continue;
        if (i) {
            const struct entry first = at[0];
            at[0] = at[1];
            at[1] = first;
        }
        return is_far ? put_far(e, at, out) : put(at, out);
    }
    const size_t ids = bpe_encode(&e->v->bpe, piece, n, out);
    remember(e, k, piece, n, out, ids);
    return out + ids;
}

static int *encode_pieces(struct encoder *e, const unsigned char *text, const uint32_t *starts,
                          size_t n, int *out)
{
    struct key keys[BATCH];
    const struct entry *firsts[BATCH];

    for (size_t i = 0; i < n; i++) {
        keys[i] = key_of(text + starts[i], starts[i + 1] - starts[i]);
        firsts[i] = line_of(e, keys[i])->entries;
        __builtin_prefetch(firsts[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (__builtin_expect(key_same(firsts[i]->key, keys[i]), 1))
            out = put(firsts[i], out);
        else
            out = look_further(e, text + starts[i], starts[i + 1] - starts[i], out);
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
    if (!e->lines) {
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
    return e->lines ? split_cut(e->splitter, text, n) : n;
}
