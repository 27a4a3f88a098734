#include "text/rouge_text.h"
#include "base/base.h"
#include "text/byte_masks.h"
#include "text/porter.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { MANY_WORDS = 1 << 14 };

struct rouge_splitter {
    enum rouge_words kind;
    int stem;
    struct words *words;
    int *stems;                 /* of each word: the id that counts; -1: drop it; -2: not asked */
    size_t n_stems;
    char *lower;                /* a text in lower case */
    struct byte_masks *blocks;  /* of it */
    uint32_t *from, *to;        /* its words */
    size_t room;                /* bytes of a text that these four have room for */
};

struct rouge_splitter *rouge_splitter_new(enum rouge_words kind, int stem)
{
    struct rouge_splitter *r = zalloc(1, sizeof *r);
    *r = (struct rouge_splitter){.kind = kind, .stem = stem, .words = words_new()};
    return r;
}

static void free_room(struct rouge_splitter *r)
{
    free(r->lower);
    free(r->blocks);
    free(r->from);
    free(r->to);
}

void rouge_splitter_free(struct rouge_splitter *r)
{
    if (!r)
        return;
    words_free(r->words);
    free(r->stems);
    free_room(r);
    free(r);
}

void rouge_text_free(struct rouge_text *t)
{
    free(t->words.at);
    free(t->lines.at);
}

int rouge_splitter_ids(const struct rouge_splitter *r)
{
    return words_count(r->words);
}

struct span rouge_splitter_word(const struct rouge_splitter *r, int id)
{
    return words_text(r->words, id);
}

void rouge_splitter_rest(struct rouge_splitter *r)
{
    if (words_count(r->words) > MANY_WORDS) {
        words_clear(r->words);
        r->n_stems = 0;
    }
}

/* The id that a word counts as: its stem's, if it is ASCII and has more than three letters; -1:
 * drop it. */
static int stem_of(struct rouge_splitter *r, int id)
{
    while (r->n_stems <= (size_t)id) {
        r->stems = grow(r->stems, r->n_stems, sizeof *r->stems);
        r->stems[r->n_stems++] = -2;
    }
    if (r->stems[id] == -2) {
        const struct span word = words_text(r->words, id);
        const int has_stem = word.n > 3 && utf8_ascii(word.at, word.n) == word.n;
        char *copy = zalloc(word.n, 1);
        memcpy(copy, word.at, word.n);
        const size_t left = has_stem ? porter_stem(copy, word.n) : word.n;
        const int stem = left ? words_id(r->words, copy, left) : -1;
        r->stems[id] = stem;
        free(copy);
    }
    return r->stems[id];
}

/* Two code points beyond ASCII have lower-case forms that begin in it: the Kelvin sign becomes
 * k, and a dotted capital I an i and a mark, which separates.  Write them so, in place. */
static size_t spell_out(char *text, size_t n)
{
    char *to = text;
    for (size_t i = 0; i < n;)
        if (n - i > 2 && !memcmp(text + i, "\xe2\x84\xaa", 3)) {
            *to++ = 'k';
            i += 3;
        } else if (n - i > 1 && !memcmp(text + i, "\xc4\xb0", 2)) {
            *to++ = 'i';
            *to++ = ' ';
            i += 2;
        } else {
            *to++ = text[i++];
        }
    return (size_t)(to - text);
}

/* The text in lower case into r->lower; returns its length, at most twice the text's. */
static size_t lower_text(struct rouge_splitter *r, struct span s)
{
    if (2 * s.n >= r->room) {
        free_room(r);
        r->room = 4 * s.n + 64;
        r->lower = zalloc(r->room + MASKS_PAD, 1);
        r->blocks = zalloc(r->room / 64 + 1, sizeof *r->blocks);
        r->from = zalloc(r->room, sizeof *r->from);
        r->to = zalloc(r->room, sizeof *r->to);
    }
    if (r->kind == ROUGE_UNICODE)
        return unicode_lower(s.at, s.n, r->lower);
    utf8_ascii_lower(s.at, s.n, r->lower);
    return utf8_ascii(s.at, s.n) < s.n ? spell_out(r->lower, s.n) : s.n;
}

/* Classes of bytes: of words; line ends; those that begin a word inside a run of such bytes. */
enum { WORD, LINE_END, BEGIN };

static int is_part(utf8proc_category_t k)
{
    return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NO;
}

static int is_mark(utf8proc_category_t k)
{
    return k >= UTF8PROC_CATEGORY_MN && k <= UTF8PROC_CATEGORY_ME;
}

/* Is it of a script that is written without blanks? */
static int stands_alone(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        {0xe00, 0xeff}, {0x1000, 0x109f}, {0x1780, 0x17ff}, {0x3005, 0x3007}, {0x3040, 0x30ff},
        {0x31f0, 0x31ff}, {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xf900, 0xfaff}, {0xff66, 0xff9f},
        {0x20000, 0x323af},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return 1;
    return 0;
}

/* Enter characters beyond ASCII. */
static void mark_wide(struct rouge_splitter *r, size_t n)
{
    size_t alone_end = (size_t)-1;      /* of a character that stands alone, and its marks */
    for (size_t block = 0; block <= n / 64; block++)
        for (uint64_t wide = r->blocks[block].wide; wide; wide &= wide - 1) {
            const size_t i = 64 * block + (size_t)__builtin_ctzll(wide);
            uint32_t c;
            int bad;
            const int size = utf8_decode(r->lower + i, n - i, &c, &bad);
            if (!size || !is_part(utf8proc_category((utf8proc_int32_t)c)))
                continue;
            for (size_t k = i; k < i + (size_t)size; k++)
                masks_set(r->blocks, WORD, k);
            const int mark = is_mark(utf8proc_category((utf8proc_int32_t)c));
            if (mark && i == alone_end)
                r->blocks[i / 64].of[BEGIN] &= ~(UINT64_C(1) << i % 64);
            else if (!mark && stands_alone(c))
                masks_set(r->blocks, BEGIN, i);
            else
                continue;
            alone_end = i + (size_t)size;
            masks_set(r->blocks, BEGIN, alone_end);
        }
}

/* The places of words in r->from and r->to; their number. */
static size_t find_words(struct rouge_splitter *r, size_t n)
{
    static const unsigned char classes[128] = {
        ['\n'] = 1 << LINE_END, ['0'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        ['a'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    };
    uint32_t *from = r->from, *to = r->to;
    uint64_t before = 0;
    byte_masks(classes, r->lower, n, r->blocks);
    if (r->kind == ROUGE_UNICODE)
        mark_wide(r, n);
    for (size_t block = 0; block <= n / 64; block++) {
        const struct byte_masks *b = &r->blocks[block];
        const uint64_t word = b->of[WORD], after = word << 1 | before;
        from = mask_places(word & (~after | b->of[BEGIN]), (uint32_t)(64 * block), from);
        to = mask_places(after & (~word | b->of[BEGIN]), (uint32_t)(64 * block), to);
        before = word >> 63;
    }
    return (size_t)(from - r->from);
}

/* Where the lines end that are not empty, in the first `words` words. */
static void find_lines(struct rouge_splitter *r, size_t n, size_t words, struct ids *lines)
{
    size_t begin = 0, word = 0;
    for (size_t block = 0; block <= n / 64; block++)
        for (uint64_t ends = r->blocks[block].of[LINE_END]; ends; ends &= ends - 1) {
            const size_t end = 64 * block + (size_t)__builtin_ctzll(ends);
            while (word < words && r->from[word] < end)
                word++;
            if (end > begin)
                ids_add(lines, (int)word);
            begin = end + 1;
        }
    if (n > begin)
        ids_add(lines, (int)words);
}

/* Let only stems stand; the lines' ends move with them. */
static void stem_words(struct rouge_splitter *r, struct rouge_text *t)
{
    size_t n = 0, line = 0;
    for (size_t i = 0; i < t->words.n; i++) {
        while (line < t->lines.n && (size_t)t->lines.at[line] == i)
            t->lines.at[line++] = (int)n;
        const int stem = stem_of(r, t->words.at[i]);
        t->words.at[n] = stem;
        n += stem >= 0;
    }
    while (line < t->lines.n)
        t->lines.at[line++] = (int)n;
    t->words.n = n;
}

void rouge_split(struct rouge_splitter *r, struct span s, struct rouge_text *t)
{
    const size_t size = lower_text(r, s), n = find_words(r, size);
    t->lines.n = 0;
    find_lines(r, size, n, &t->lines);
    ids_room(&t->words, n);
    words_ids(r->words, r->lower, r->from, r->to, n, t->words.at);
    t->words.n = n;
    if (r->stem)
        stem_words(r, t);
}
