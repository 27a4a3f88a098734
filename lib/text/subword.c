#include "text/subword.h"
#include "base/base.h"
#include "base/fault.h"
#include "text/bpe.h"
#include "text/utf8.h"
#include "text/words.h"
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1 << 16 };     /* bytes of a line of codes */

struct subword {
    struct words *symbols;      /* of the codes, by their text */
    struct bpe bpe;
};

struct subword *subword_new(void)
{
    struct subword *s = zalloc(1, sizeof *s);
    s->symbols = words_new();
    return s;
}

void subword_free(struct subword *s)
{
    if (!s)
        return;
    words_free(s->symbols);
    bpe_end(&s->bpe);
    free(s);
}

/* One line, "left right". */
static const char *add_code(struct subword *s, const char *line, size_t n)
{
    const char *blank = memchr(line, ' ', n);
    char whole[LONGEST];

    if (n > LONGEST)
        return "is too long";
    if (s->bpe.n == BPE_MOST)
        return "is one merge too many";
    if (!blank || blank == line || blank + 1 == line + n
        || memchr(blank + 1, ' ', (size_t)(line + n - blank - 1)))
        return "is not two units with a blank between";
    const size_t left = (size_t)(blank - line), right = n - left - 1;
    memcpy(whole, line, left);
    memcpy(whole + left, blank + 1, right);
    const int a = words_id(s->symbols, line, left), b = words_id(s->symbols, blank + 1, right);
    bpe_add(&s->bpe, a, b, words_id(s->symbols, whole, left + right));
    return NULL;
}

const char *subword_parse(struct subword *s, const char *text, size_t n)
{
    const char *at = text, *end = text + n;
    size_t lines = 1, number = 1;

    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    bpe_begin(&s->bpe, lines);
    while (end > at && end[-1] == '\n')
        end--;
    for (; at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const char *line = at, *last = stop ? stop : end;
        at = stop ? stop + 1 : end;
        while (last > line && strchr("\r ", last[-1]) && last[-1])
            last--;
        while (last > line && strchr("\r ", *line) && *line)
            line++;
        const size_t size = (size_t)(last - line);
        const char *why = NULL;
        if (number > 1 || size < 9 || memcmp(line, SUBWORD_VERSION, 9))
            why = add_code(s, line, size);
        else if (size < strlen(SUBWORD_VERSION) || memcmp(line, SUBWORD_VERSION, 13))
            why = "is another version than 0.2";
        else
            continue;
        if (number == 1 && !why)
            why = "is not '" SUBWORD_VERSION "'; subword-nmt's older codes are not read";
        if (why)
            return fault("%zu: '%.*s' %s", number, size < 60 ? (int)size : 60, line, why);
    }
    return NULL;
}

size_t subword_character(const char *at, size_t n)
{
    uint32_t point;
    int bad;
    const int size = utf8_decode(at, n, &point, &bad);
    return size ? (size_t)size : 1;
}

/* The symbol of a word's last character. */
static int last_symbol(const struct subword *s, const char *at, size_t n)
{
    char marked[4 + sizeof SUBWORD_END];
    memcpy(marked, at, n);
    memcpy(marked + n, SUBWORD_END, strlen(SUBWORD_END));
    return words_find(s->symbols, marked, n + strlen(SUBWORD_END));
}

size_t subword_units(const struct subword *s, const char *word, size_t n, uint32_t *ends)
{
    int few[64], *ids = n <= 64 ? few : zalloc(n, sizeof *ids);
    size_t units = 0;

    if (n > UINT32_MAX)
        die("a word of %zu bytes", n);
    for (size_t at = 0; at < n;) {
        const size_t size = subword_character(word + at, n - at);
        ids[units] = at + size < n ? words_find(s->symbols, word + at, size)
                                   : last_symbol(s, word + at, size);
        at += size;
        ends[units++] = (uint32_t)at;
    }
    units = bpe_merge(&s->bpe, ids, ends, units);
    if (ids != few)
        free(ids);
    return units;
}

static int is_blank(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r';
}

/* Bytes of the line end, but for "\n" and "\r", that a text begins with; 0: none. */
static size_t line_end(const unsigned char *at, size_t n)
{
    if ((*at >= 0x0b && *at <= 0x0c) || (*at >= 0x1c && *at <= 0x1e))
        return 1;
    if (*at == 0xc2 && n > 1 && at[1] == 0x85)
        return 2;
    return *at == 0xe2 && n > 2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9) ? 3 : 0;
}

size_t subword_word(const unsigned char *text, size_t n, size_t *begin)
{
    size_t at = *begin, size;
    while (at < n && is_blank(text[at]))
        at++;
    *begin = at;
    for (; at < n && !is_blank(text[at]); at++)
        if ((size = line_end(text + at, n - at)))
            return at + size;
    return at;
}

int subword_ends_line(const unsigned char *word, size_t n)
{
    for (size_t size = 1; size <= 3 && size <= n; size++)
        if (line_end(word + n - size, size) == size)
            return 1;
    return 0;
}

size_t subword_cut(const unsigned char *text, size_t n)
{
    for (size_t i = n; i-- > 1;)
        if (is_blank(text[i]) && !is_blank(text[i - 1]))
            return i;
    return 0;
}
