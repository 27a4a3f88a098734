#include "text/bleu_words.h"
#include "base/base.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY_WORDS = 1 << 18 };

/* Two buffers, passes go from one to the other. */
struct bleu_words {
    enum bleu_tokenizer kind;
    int lower, compounds, unknown;
    struct words *words;
    char *now, *next;
    size_t n, room;
};

struct bleu_words *bleu_words_new(enum bleu_tokenizer kind, int lower, int compounds)
{
    struct bleu_words *b = zalloc(1, sizeof *b);
    *b = (struct bleu_words){.kind = kind, .lower = lower, .compounds = compounds,
                             .words = words_new()};
    return b;
}

void bleu_words_free(struct bleu_words *b)
{
    if (!b)
        return;
    words_free(b->words);
    free(b->now);
    free(b->next);
    free(b);
}

void bleu_words_rest(struct bleu_words *b)
{
    if (words_count(b->words) > MANY_WORDS)
        words_clear(b->words);
}

/* The pass that wrote n bytes to `next` is done. */
static void swap(struct bleu_words *b, size_t n)
{
    char *old = b->now;
    b->now = b->next;
    b->next = old;
    b->n = n;
}

/* Copy the text in; no pass makes it longer than 32 times. */
static void take(struct bleu_words *b, struct span text)
{
    const size_t need = 32 * text.n + 64;
    if (need > b->room) {
        b->room = need;
        free(b->now);
        free(b->next);
        b->now = zalloc(need, 1);
        b->next = zalloc(need, 1);
    }
    memcpy(b->now, text.at, text.n);
    b->n = text.n;
}

static void lower_ascii(struct bleu_words *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->now[i] >= 'A' && b->now[i] <= 'Z')
            b->now[i] = (char)(b->now[i] + 32);
}

/* Cut white space off the end. */
static void trim(struct bleu_words *b)
{
    while (b->n) {
        size_t at = b->n - 1;
        uint32_t c = 0;
        int bad;
        while (at && ((unsigned char)b->now[at] & 0xc0) == 0x80)
            at--;
        if (!utf8_decode(b->now + at, b->n - at, &c, &bad) || !unicode_space(c))
            return;
        b->n = at;
    }
}

/* Replace every `from` by `to`, which is not longer, in place. */
static void replace(struct bleu_words *b, const char *from, const char *to)
{
    const size_t size = strlen(from), with = strlen(to);
    size_t out = 0;
    if (!memchr(b->now, *from, b->n) || !memmem(b->now, b->n, from, size))
        return;
    for (size_t i = 0; i < b->n;)
        if (i + size <= b->n && !memcmp(b->now + i, from, size)) {
            memcpy(b->now + out, to, with);
            out += with;
            i += size;
        } else {
            b->now[out++] = b->now[i++];
        }
    b->n = out;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_dot(char c)
{
    return c == '.' || c == ',';
}

/* ([^0-9])([.,]) -> "\1 \2 " */
static int dot_after_other(const char *at)
{
    return !is_digit(at[0]) && is_dot(at[1]);
}

/* ([.,])([^0-9]) -> " \1 \2" */
static int dot_before_other(const char *at)
{
    return is_dot(at[0]) && !is_digit(at[1]);
}

/* ([0-9])(-) -> "\1 \2 " */
static int dash_after_digit(const char *at)
{
    return is_digit(at[0]) && at[1] == '-';
}

/* Set off two bytes that fit, left to right: "x y " or " x y". */
__attribute__((always_inline))
static inline void set_off(struct bleu_words *b, int (*fits)(const char *), int blank_first)
{
    char *to = b->next;
    size_t i = 0;
    while (i < b->n) {
        if (i + 1 >= b->n || !fits(b->now + i)) {
            *to++ = b->now[i++];
            continue;
        }
        if (blank_first)
            *to++ = ' ';
        *to++ = b->now[i];
        *to++ = ' ';
        *to++ = b->now[i + 1];
        if (!blank_first)
            *to++ = ' ';
        i += 2;
    }
    swap(b, (size_t)(to - b->next));
}

static void pass_13a(struct bleu_words *b)
{
    static const char alone[] = "{|}~[\\]^_` !\"#$%&()*+:;<=>?@/";
    static char is_alone[256];
    if (!is_alone[' '])
        for (const char *c = alone; *c; c++)
            is_alone[(unsigned char)*c] = 1;

    replace(b, "<skipped>", "");
    if (memchr(b->now, '\n', b->n)) {
        replace(b, "-\n", "");
        replace(b, "\n", " ");
    }
    if (memchr(b->now, '&', b->n)) {
        replace(b, "&quot;", "\"");
        replace(b, "&amp;", "&");
        replace(b, "&lt;", "<");
        replace(b, "&gt;", ">");
    }
    char *to = b->next;
    *to++ = ' ';
    for (size_t i = 0; i < b->n; i++) {
        const int set = is_alone[(unsigned char)b->now[i]];
        *to = ' ';
        to += set;
        *to++ = b->now[i];
        *to = ' ';
        to += set;
    }
    *to++ = ' ';
    swap(b, (size_t)(to - b->next));
    set_off(b, dot_after_other, 0);
    set_off(b, dot_before_other, 1);
    if (memchr(b->now, '-', b->n))
        set_off(b, dash_after_digit, 0);
}

/* The code point at byte i of a checked text, and its size. */
static inline int point_at(const struct bleu_words *b, size_t i, uint32_t *c)
{
    int bad;
    *c = (unsigned char)b->now[i];
    return *c < 0x80 ? 1 : utf8_decode(b->now + i, b->n - i, c, &bad);
}

static inline char *copy(char *to, const char *from, int size)
{
    for (int i = 0; i < size; i++)
        to[i] = from[i];
    return to + size;
}

/* Set off two code points, the one of `place` punctuation and the other no number. */
static void set_off_points(struct bleu_words *b, int place)
{
    char *to = b->next;
    uint32_t c[2];
    int size[2] = {b->n ? point_at(b, 0, &c[0]) : 0, 0};
    enum unicode_class class[2] = {b->n ? unicode_class(c[0]) : UNICODE_OTHER, UNICODE_OTHER};
    for (size_t i = 0; i < b->n;) {
        size_t next = i + (size_t)size[0];
        size[1] = next < b->n ? point_at(b, next, &c[1]) : 0;
        class[1] = size[1] ? unicode_class(c[1]) : UNICODE_OTHER;
        const int fits = size[1] && class[place] == UNICODE_PUNCTUATION
                      && class[!place] != UNICODE_NUMBER;
        if (fits && !place)
            *to++ = ' ';
        to = copy(to, b->now + i, size[0]);
        if (fits) {
            *to++ = ' ';
            to = copy(to, b->now + next, size[1]);
            if (place)
                *to++ = ' ';
            next += (size_t)size[1];
            size[1] = next < b->n ? point_at(b, next, &c[1]) : 0;
            class[1] = size[1] ? unicode_class(c[1]) : UNICODE_OTHER;
        }
        i = next;
        size[0] = size[1];
        class[0] = class[1];
    }
    swap(b, (size_t)(to - b->next));
}

/* The same two rules for ASCII, which is faster. */
static int point_after_other(const char *at)
{
    return unicode_ascii_class[(int)at[1]] == UNICODE_PUNCTUATION
        && unicode_ascii_class[(int)at[0]] != UNICODE_NUMBER;
}

static int point_before_other(const char *at)
{
    return unicode_ascii_class[(int)at[0]] == UNICODE_PUNCTUATION
        && unicode_ascii_class[(int)at[1]] != UNICODE_NUMBER;
}

static void pass_intl(struct bleu_words *b)
{
    if (utf8_ascii(b->now, b->n) == b->n) {
        set_off(b, point_after_other, 0);
        set_off(b, point_before_other, 1);
    } else {
        set_off_points(b, 1);
        set_off_points(b, 0);
    }
    char *to = b->next;
    for (size_t i = 0; i < b->n;) {
        uint32_t c;
        const int size = point_at(b, i, &c), symbol = unicode_class(c) == UNICODE_SYMBOL;
        if (symbol)
            *to++ = ' ';
        to = copy(to, b->now + i, size);
        if (symbol)
            *to++ = ' ';
        i += (size_t)size;
    }
    swap(b, (size_t)(to - b->next));
}

/* (\S)-(\S) -> "\1 ##AT##-##AT## \2", left to right without overlap. */
static void split_compounds(struct bleu_words *b)
{
    static const char mark[] = " ##AT##-##AT## ";
    char *to = b->next;
    for (size_t i = 0; i < b->n;) {
        uint32_t c, after;
        int bad;
        const int size = utf8_decode(b->now + i, b->n - i, &c, &bad);
        const size_t dash = i + (size_t)size;
        to = mempcpy(to, b->now + i, (size_t)size);
        i = dash;
        if (unicode_space(c) || dash + 1 >= b->n || b->now[dash] != '-')
            continue;
        const int next = utf8_decode(b->now + dash + 1, b->n - dash - 1, &after, &bad);
        if (unicode_space(after))
            continue;
        to = mempcpy(to, mark, sizeof mark - 1);
        to = mempcpy(to, b->now + dash + 1, (size_t)next);
        i = dash + 1 + (size_t)next;
    }
    swap(b, (size_t)(to - b->next));
}

static void add(struct bleu_words *b, const char *at, size_t n, int is_reference, struct ids *ids)
{
    /* A reference's unknown word is equal to nothing: give each a number of its own. */
    if (b->kind == BLEU_FAIRSEQ && is_reference && n == 5 && !memcmp(at, "<unk>", 5))
        ids_add(ids, --b->unknown);
    else
        ids_add(ids, words_id(b->words, at, n));
}

/* ASCII that is certainly no white space. */
static inline int plain(char c)
{
    return (unsigned char)(c - 0x21) < 0x7f - 0x21;
}

/* Cut at white space. */
static void cut(struct bleu_words *b, int is_reference, struct ids *ids)
{
    const int whole = b->kind != BLEU_CHAR;
    size_t from = 0, i = 0;
    while (i < b->n) {
        uint32_t c;
        while (whole && i < b->n && plain(b->now[i]))
            i++;
        if (i == b->n)
            break;
        const int size = point_at(b, i, &c);
        const int space = b->kind == BLEU_MULTI ? c == ' ' || (c >= 9 && c <= 13)
                                                : unicode_space(c);
        if (space || (b->kind == BLEU_CHAR && i > from)) {
            if (i > from)
                add(b, b->now + from, i - from, is_reference, ids);
            from = space ? i + (size_t)size : i;
        }
        i += (size_t)size;
    }
    if (i > from)
        add(b, b->now + from, i - from, is_reference, ids);
}

void bleu_words(struct bleu_words *b, struct span text, int is_reference, struct ids *ids)
{
    ids->n = 0;
    take(b, text);
    if (b->lower && b->kind == BLEU_MULTI)
        lower_ascii(b);
    else if (b->lower)
        swap(b, unicode_lower(b->now, b->n, b->next));
    trim(b);
    if (b->compounds)
        split_compounds(b);
    if (b->kind == BLEU_13A)
        pass_13a(b);
    else if (b->kind == BLEU_INTL)
        pass_intl(b);
    cut(b, is_reference, ids);
    if (b->kind == BLEU_FAIRSEQ && !ids->n)
        ids_add(ids, words_id(b->words, "</s>", 4));
}

char *bleu_words_joined(struct bleu_words *b, struct span text)
{
    struct ids ids = {0};
    char *joined;
    size_t size;
    FILE *f = open_memstream(&joined, &size);
    if (!f)
        die("out of memory");
    bleu_words(b, text, 0, &ids);
    for (size_t i = 0; i < ids.n; i++) {
        const struct span w = words_text(b->words, ids.at[i]);
        fprintf(f, "%s%.*s", i ? " " : "", (int)w.n, w.at);
    }
    free(ids.at);
    if (fclose(f))
        die("out of memory");
    return joined;
}
