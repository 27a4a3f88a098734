#include "text/split.h"
#include "base/base.h"
#include "text/classify.h"
#include "text/utf8.h"
#include <stdlib.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { EIGHT = 8, SIXTEEN = 16 };

struct splitter {
    struct class_masks *blocks;
    uint64_t *marks;        /* of a block's 64 bytes, those where pieces start */
    uint32_t *starts;
    size_t room;            /* bytes of text that they hold */
};

struct splitter *splitter_new(void)
{
    classify_begin();
    return zalloc(1, sizeof(struct splitter));
}

void splitter_free(struct splitter *s)
{
    free(s->blocks);
    free(s->marks);
    free(s->starts);
    free(s);
}

static void make_room(struct splitter *s, size_t n)
{
    if (s->starts && n <= s->room)
        return;
    free(s->blocks);
    free(s->marks);
    free(s->starts);
    s->room = n + n / 2;
    s->blocks = zalloc(s->room / 64 + 1, sizeof *s->blocks);
    s->marks = zalloc(s->room / 64 + 1, sizeof *s->marks);
    s->starts = zalloc(s->room + 1 + SIXTEEN, sizeof *s->starts);
}

/* The length of a contraction at an apostrophe, or 0. */
static int contraction(const unsigned char *p, const unsigned char *end)
{
    if (end - p < 2)
        return 0;
    if (p[1] == 's' || p[1] == 't' || p[1] == 'm' || p[1] == 'd')
        return 2;
    if (end - p < 3)
        return 0;
    return (p[1] == 'r' && p[2] == 'e') || (p[1] == 'v' && p[2] == 'e')
           || (p[1] == 'l' && p[2] == 'l') ? 3 : 0;
}

/* What a block must know of the one before it: the top bit of each mask, and
 * where contractions there reach into this one. */
struct state {
    uint64_t letter, number, space, other, blank;
    uint64_t set, clear;    /* starts to add and to remove */
};

/* The starts in one block, as bits.  *before is set where the last character of a
 * white-space run starts a piece and began in the previous block. */
static uint64_t starts_of(const struct class_masks *m, struct state *s, uint64_t valid, int *before)
{
    const uint64_t other = ~(m->letter | m->number | m->space);
    const uint64_t after_space = m->space << 1 | s->space;
    uint64_t starts = (m->letter & ~(m->letter << 1 | s->letter))
                      | (m->number & ~(m->number << 1 | s->number))
                      | (m->space & ~after_space) | (other & ~(other << 1 | s->other));

    starts &= ~((m->blank << 1 | s->blank) & ~m->space);    /* U+0020 joins what follows it */
    const uint64_t ends = ~m->space & after_space & valid;  /* a run's last character starts */
    *before = ends & 1;
    starts |= ends >> 1;
    for (uint64_t inner; (inner = starts & m->inner);) {    /* back to its first byte */
        *before |= inner & 1;
        starts = (starts & ~inner) | inner >> 1;
    }
    *s = (struct state){m->letter >> 63, m->number >> 63, m->space >> 63, other >> 63,
                        m->blank >> 63, s->set, s->clear};
    return starts;
}

/* A contraction's letters start no piece, and what follows it always does. */
static uint64_t contract(uint64_t starts, uint64_t quotes, const unsigned char *block,
                         const unsigned char *end, struct state *s)
{
    starts = (starts | s->set) & ~s->clear;
    s->set = s->clear = 0;
    for (uint64_t q = quotes & starts; q; q &= q - 1) {
        const int i = __builtin_ctzll(q), n = contraction(block + i, end);
        if (!n)
            continue;
        if (i + 1 < 64)
            starts &= ~((uint64_t)2 << i);
        else
            s->clear |= 1;
        if (i + n < 64)
            starts |= (uint64_t)1 << (i + n);
        else
            s->set |= (uint64_t)1 << (i + n - 64);
    }
    return starts;
}

static size_t first_byte(const unsigned char *text, size_t at)
{
    while ((text[at] & 0xC0) == 0x80)
        at--;
    return at;
}

static void mark_starts(struct splitter *s, const unsigned char *text, size_t n)
{
    struct state state = {0};

    for (size_t at = 0; at < n; at += 64) {
        const struct class_masks *m = &s->blocks[at / 64];
        uint64_t *const mark = &s->marks[at / 64];
        const uint64_t valid = n - at < 64 ? ((uint64_t)1 << (n - at)) - 1 : ~(uint64_t)0;
        int before;
        const uint64_t starts = starts_of(m, &state, valid, &before);
        *mark = contract(starts, m->quote & valid, text + at, text + n, &state) & valid;
        if (before) {
            const size_t first = text[at - 1] < 0x80 ? at - 1 : first_byte(text, at - 1);
            mark[-1] |= (uint64_t)1 << first % 64;
        }
    }
}

/* The places of n blocks' marks; returns the end of them.  More may be written behind it, up to
 * a multiple of EIGHT or SIXTEEN. */
typedef uint32_t *places(const uint64_t *marks, size_t n, uint32_t *out);

/* Eight at a time: how many there are is not worth a branch that is guessed wrong. */
static uint32_t *places_plain(const uint64_t *marks, size_t n, uint32_t *out)
{
    const uint64_t top = (uint64_t)1 << 63;
    for (size_t block = 0; block < n; block++) {
        uint64_t bits = marks[block];
        uint32_t *const end = out + __builtin_popcountll(bits);
        for (; bits; out += EIGHT)
            for (int i = 0; i < EIGHT; i++, bits &= bits - 1)
                out[i] = (uint32_t)(64 * block) + (uint32_t)__builtin_ctzll(bits | top);
        out = end;
    }
    return out;
}

#ifdef __x86_64__
__attribute__((target("avx512f,avx512bw,avx512vbmi2")))
static uint32_t *places_avx512(const uint64_t *marks, size_t n, uint32_t *out)
{
    unsigned char all[64], set[64];
    for (int i = 0; i < 64; i++)
        all[i] = (unsigned char)i;
    const __m512i place = _mm512_loadu_si512(all);

    for (size_t block = 0; block < n; block++) {
        const int count = __builtin_popcountll(marks[block]);
        const __m512i base = _mm512_set1_epi32((int)(64 * block));
        const __m512i kept = _mm512_maskz_compress_epi8(marks[block], place);
        __m128i next = _mm512_castsi512_si128(kept);
        _mm512_storeu_si512(out, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(next)));
        if (count > SIXTEEN)
            _mm512_storeu_si512(set, kept);
        for (int i = SIXTEEN; i < count; i += SIXTEEN) {
            next = _mm_loadu_si128((const __m128i *)(set + i));
            _mm512_storeu_si512(out + i, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(next)));
        }
        out += count;
    }
    return out;
}
#endif

static places *best_places(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bw"))
        return places_avx512;
#endif
    return places_plain;
}

static const uint32_t *list(struct splitter *s, places *places_of, const unsigned char *text,
                            size_t n, size_t *pieces)
{
    mark_starts(s, text, n);
    uint32_t *const end = places_of(s->marks, (n + 63) / 64, s->starts);
    *pieces = (size_t)(end - s->starts);
    *end = (uint32_t)n;
    return s->starts;
}

const uint32_t *split(struct splitter *s, const unsigned char *text, size_t n, size_t *pieces)
{
    make_room(s, n);
    classify(text, n, s->blocks);
    return list(s, best_places(), text, n, pieces);
}

const uint32_t *split_plain(struct splitter *s, const unsigned char *text, size_t n,
                            size_t *pieces)
{
    make_room(s, n);
    classify_plain(text, n, s->blocks);
    return list(s, places_plain, text, n, pieces);
}

/* Is the character that ends at text + n white space? */
static int space_before(const unsigned char *text, size_t n)
{
    size_t k = 1;
    uint32_t code;
    int bad;
    while (k < 3 && k < n && (text[n - k] & 0xC0) == 0x80)
        k++;
    return utf8_decode((const char *)text + n - k, k, &code, &bad) == (int)k
           && char_class(code) == SPACE;
}

size_t split_cut(struct splitter *s, const unsigned char *text, size_t n)
{
    for (size_t i = n; i-- > 1;)    /* nearly always: before a blank or the end of a line */
        if ((text[i] == ' ' || text[i] == '\n') && !space_before(text, i))
            return i;

    size_t pieces;
    const uint32_t *starts = split(s, text, n, &pieces);
    while (pieces-- > 1)    /* what starts 4 bytes before the end does so whatever follows */
        if (starts[pieces] + 4 <= n && !space_before(text, starts[pieces]))
            return starts[pieces];
    return 0;
}
