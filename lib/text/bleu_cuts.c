/* The peers' tokenisers are regular expressions that put blanks between characters, one after
 * the other over the whole text.  Here a place of the text is a word's begin or not by what stands
 * around it, so one pass finds all of them.
 *
 * 13a and intl share a rule for what is called a point here (13a: full stop and comma; intl:
 * punctuation), with numbers beside it:
 *
 *     (not a number)(point) -> "\1 \2 "      then      (point)(not a number) -> " \1 \2"
 *
 * Matches do not overlap.  So within a run of k points each becomes a word of its own, but for
 * the ends: the first stays with what precedes it if k is 1 and numbers stand on both sides, and
 * the last with a number behind it if the first rule, which takes the run two by two, did not
 * reach past it: after a number when k is odd, after anything else when k is even.  At the ends
 * of the text 13a sees blanks, intl nothing, which matches as little as a number does. */
#include "text/bleu_cuts.h"
#include "base/base.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include <stdlib.h>

/* Classes of bytes: all of a character's have its class. */
enum { BLANK, ALONE, POINT, NUMBER, DASH, RARE };
#define BIT(class) (1 << (class))

/* Of a block of 64 bytes: the later bytes of characters; where a point's rule begins a word. */
struct marks {
    uint64_t inner, begins;
};

static const unsigned char blanks[128] = {
    ['\t'] = 1, ['\n'] = 1, ['\v'] = 1, ['\f'] = 1, ['\r'] = 1, [0x1c] = 1, 1, 1, 1, [' '] = 1,
};

static const unsigned char ascii_blanks[128] = {
    ['\t'] = 1, ['\n'] = 1, ['\v'] = 1, ['\f'] = 1, ['\r'] = 1, [' '] = 1,
};

#define A BIT(ALONE)
#define P BIT(POINT)
#define N BIT(NUMBER)
static const unsigned char classes_13a[128] = {
    ['\t'] = 1, ['\n'] = 1 | BIT(RARE), ['\v'] = 1, ['\f'] = 1, ['\r'] = 1, [0x1c] = 1, 1, 1, 1,
    [' '] = 1, ['!'] = A, A, A, A, A, A | BIT(RARE), ['('] = A, A, A, A, [','] = P, BIT(DASH), P, A,
    ['0'] = N, N, N, N, N, N, N, N, N, N, [':'] = A, A, A | BIT(RARE), A, A, A, A,
    ['['] = A, A, A, A, A, A, ['{'] = A, A, A, A,
};

static const unsigned char classes_intl[128] = {
    ['\t'] = 1, ['\n'] = 1, ['\v'] = 1, ['\f'] = 1, ['\r'] = 1, [0x1c] = 1, 1, 1, 1, [' '] = 1,
    ['!'] = P, P, P, A, P, P, P, P, P, P, A, P, P, P, P, ['0'] = N, N, N, N, N, N, N, N, N, N,
    [':'] = P, P, A, A, A, P, P, ['['] = P, P, P, A, P, A, ['{'] = P, A, P, A,
};
#undef A
#undef P
#undef N

static const unsigned char *classes_of(enum bleu_tokenizer kind)
{
    return kind == BLEU_13A ? classes_13a : kind == BLEU_INTL ? classes_intl
         : kind == BLEU_MULTI ? ascii_blanks : blanks;
}

void bleu_cuts_free(struct bleu_cuts *c)
{
    free(c->from);
    free(c->to);
    free(c->blocks);
    free(c->marks);
}

static void make_room(struct bleu_cuts *c, size_t n)
{
    if (n < c->room)
        return;
    bleu_cuts_free(c);
    c->room = 2 * n + 64;
    c->from = zalloc(c->room, sizeof *c->from);
    c->to = zalloc(c->room, sizeof *c->to);
    c->blocks = zalloc(c->room / 64 + 1, sizeof *c->blocks);
    c->marks = zalloc(c->room / 64 + 1, sizeof *c->marks);
}

/* The class of a character beyond ASCII; -1: none that matters. */
static int far_class(enum bleu_tokenizer kind, uint32_t c)
{
    static const signed char by_class[] = {
        [UNICODE_OTHER] = -1, [UNICODE_PUNCTUATION] = POINT, [UNICODE_SYMBOL] = ALONE,
        [UNICODE_NUMBER] = NUMBER,
    };
    if (kind == BLEU_MULTI)
        return -1;
    if (unicode_space(c))
        return BLANK;
    return kind == BLEU_INTL ? by_class[unicode_class(c)] : -1;
}

/* Enter characters beyond ASCII. */
static void mark_wide(struct bleu_cuts *c, enum bleu_tokenizer kind, const char *text, size_t n)
{
    for (size_t block = 0; block <= n / 64; block++)
        for (uint64_t wide = c->blocks[block].wide; wide; wide &= wide - 1) {
            const size_t i = 64 * block + (size_t)__builtin_ctzll(wide);
            uint32_t point;
            int bad;
            if (((unsigned char)text[i] & 0xc0) == 0x80) {
                c->marks[block].inner |= wide & -wide;
                continue;
            }
            const int size = utf8_decode(text + i, n - i, &point, &bad);
            const int class = size ? far_class(kind, point) : -1;
            for (size_t k = i; class >= 0 && k < i + (size_t)size; k++)
                masks_set(c->blocks, class, k);
        }
}

static void begin_at(struct bleu_cuts *c, size_t i)
{
    c->marks[i / 64].begins |= UINT64_C(1) << i % 64;
}

/* The two ends of a run of k points, bytes [at, end) of a text of n. */
static void end_run(struct bleu_cuts *c, size_t at, size_t end, size_t n, int k, int edge)
{
    const int before = at ? masks_has(c->blocks, NUMBER, at - 1) : edge;
    const int after = end < n ? masks_has(c->blocks, NUMBER, end) : edge;
    if (k > 1 || !before || !after)
        begin_at(c, at);
    if (end < n && (!after || (k & 1) != before))
        begin_at(c, end);
}

/* edge: does an end of the text count as a number? */
static void mark_points(struct bleu_cuts *c, size_t n, int edge)
{
    size_t at = 0, end = 0;
    int k = 0;
    for (size_t block = 0; block <= n / 64; block++) {
        uint64_t points = c->blocks[block].of[POINT] & ~c->marks[block].inner;
        for (; points; points &= points - 1) {
            const size_t i = 64 * block + (size_t)__builtin_ctzll(points);
            if (k && i == end) {
                begin_at(c, i);
                k++;
            } else {
                if (k)
                    end_run(c, at, end, n, k, edge);
                at = i;
                k = 1;
            }
            for (end = i + 1; c->marks[end / 64].inner >> end % 64 & 1; end++)
                ;
        }
    }
    if (k)
        end_run(c, at, end, n, k, edge);
}

/* What begins words besides white space: a lone character, what follows one, and the points. */
static uint64_t begins(const struct byte_masks *b, const struct marks *m, enum bleu_tokenizer kind,
                       int number_before, uint64_t *alone_before)
{
    if (kind == BLEU_CHAR)
        return ~m->inner;
    if (kind != BLEU_13A && kind != BLEU_INTL)
        return 0;
    /* ([0-9])(-) -> "\1 \2 " */
    const uint64_t dashes = b->of[DASH] & (b->of[NUMBER] << 1 | (uint64_t)number_before);
    const uint64_t alone = b->of[ALONE] | dashes, after = alone << 1 | *alone_before;
    *alone_before = alone >> 63;
    return ((alone | after) & ~m->inner) | m->begins;
}

/* The masks as lists of places. */
static void list_words(struct bleu_cuts *c, enum bleu_tokenizer kind, size_t n)
{
    uint32_t *from = c->from, *to = c->to;
    uint64_t blank_before = 1, alone_before = 0;
    int number_before = 0;

    for (size_t block = 0; block <= n / 64; block++) {
        const struct byte_masks *b = &c->blocks[block];
        const uint64_t real = block < n / 64 ? ~UINT64_C(0) : (UINT64_C(1) << n % 64) - 1;
        const uint64_t blank = b->of[BLANK] | ~real, after = blank << 1 | blank_before;
        const uint64_t begin = begins(b, &c->marks[block], kind, number_before, &alone_before);
        from = mask_places(~blank & (begin | after), (uint32_t)(64 * block), from);
        to = mask_places(~after & (begin | blank), (uint32_t)(64 * block), to);
        blank_before = blank >> 63;
        number_before = (int)(b->of[NUMBER] >> 63);
    }
    c->n = (size_t)(from - c->from);
}

int bleu_cut(struct bleu_cuts *c, enum bleu_tokenizer kind, const char *text, size_t n)
{
    uint64_t wide = 0, points = 0, rare = 0;

    make_room(c, n);
    byte_masks(classes_of(kind), text, n, c->blocks);
    for (size_t block = 0; block <= n / 64; block++) {
        wide |= c->blocks[block].wide;
        rare |= c->blocks[block].of[RARE];
        points |= c->blocks[block].of[POINT];
        c->marks[block] = (struct marks){0};
    }
    if (wide)
        mark_wide(c, kind, text, n);
    if (points | (kind == BLEU_INTL ? wide : 0))
        mark_points(c, n, kind == BLEU_INTL);
    list_words(c, kind, n);
    return rare != 0;
}
