#include "text/split.h"
#include "base/base.h"
#include "text/classify.h"
#include "text/utf8.h"
#include <stdlib.h>

struct splitter {
    struct class_masks *blocks;
    uint32_t *starts;
    size_t room;            /* bytes of text that both hold */
};

struct splitter *splitter_new(void)
{
    classify_begin();
    return zalloc(1, sizeof(struct splitter));
}

void splitter_free(struct splitter *s)
{
    free(s->blocks);
    free(s->starts);
    free(s);
}

static void make_room(struct splitter *s, size_t n)
{
    if (s->starts && n <= s->room)
        return;
    free(s->blocks);
    free(s->starts);
    s->room = n + n / 2;
    s->blocks = zalloc(s->room / 64 + 1, sizeof *s->blocks);
    s->starts = zalloc(s->room + 1, sizeof *s->starts);
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

const uint32_t *split(struct splitter *s, const unsigned char *text, size_t n, size_t *pieces)
{
    struct state state = {0};
    uint64_t held = 0;      /* starts of the previous block: the next may add one */
    size_t held_at = 0;
    uint32_t *out;

    make_room(s, n);
    out = s->starts;
    classify(text, n, s->blocks);
    for (size_t at = 0; at < n; at += 64) {
        const struct class_masks *m = &s->blocks[at / 64];
        const uint64_t valid = n - at < 64 ? ((uint64_t)1 << (n - at)) - 1 : ~(uint64_t)0;
        int before;
        uint64_t starts = starts_of(m, &state, valid, &before);
        starts = contract(starts, m->quote & valid, text + at, text + n, &state) & valid;
        if (before) {   /* where the character that holds the byte at - 1 begins */
            size_t first = at - 1;
            while ((text[first] & 0xC0) == 0x80)
                first--;
            held |= (uint64_t)1 << (first - held_at);
        }
        for (; held; held &= held - 1)
            *out++ = (uint32_t)(held_at + (size_t)__builtin_ctzll(held));
        held = starts;
        held_at = at;
    }
    for (; held; held &= held - 1)
        *out++ = (uint32_t)(held_at + (size_t)__builtin_ctzll(held));
    *pieces = (size_t)(out - s->starts);
    *out = (uint32_t)n;
    return s->starts;
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
