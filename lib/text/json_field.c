/* json_field.c - one string out of a line of JSON (RFC 8259): all of the line is checked, nothing
 * but that string is kept. */
#include "base/fault.h"
#include "text/documents.h"
#include "text/utf8.h"
#include <emmintrin.h>
#include <stdint.h>
#include <string.h>

enum { DEEPEST = 2048 };        /* of what stands inside of each other */

struct reader {
    char *at, *end;
    int depth;
    const char *why;
};

/* A string, decoded in its own place; at is NULL for none. */
struct string { char *at; size_t n; };

static int wrong(struct reader *r, const char *why)
{
    r->why = why;
    return 0;
}

/* The next byte that is not a blank, or 0 at the end. */
static char next(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
    return r->at < r->end ? *r->at : 0;
}

/* How many bytes of a string stand for themselves: all but quotes, backslashes and controls. */
static size_t plain_bytes(const char *at, size_t n)
{
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(at + i));
        const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1F)), x);
        const __m128i mark = _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')),
                                          _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
        const int ends = _mm_movemask_epi8(_mm_or_si128(low, mark));
        if (ends)
            return i + (size_t)__builtin_ctz((unsigned)ends);
    }
    while (i < n && (unsigned char)at[i] >= ' ' && at[i] != '"' && at[i] != '\\')
        i++;
    return i;
}

/* The number that four hexadecimal digits behind "\u" make, or -1. */
static int32_t unit_at(const char *at, const char *end)
{
    int32_t unit = 0;
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        const char c = at[i], letter = (char)(c | 0x20);
        const int digit = c >= '0' && c <= '9' ? c - '0'
                          : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* What a backslash begins, written to *to. */
static int escape(struct reader *r, char **to)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const char c = r->end - r->at < 2 ? 0 : r->at[1];
    const char *letter = c ? strchr(letters, c) : NULL;
    if (letter) {
        *(*to)++ = bytes[letter - letters];
        r->at += 2;
        return 1;
    }
    int32_t code = unit_at(r->at, r->end);
    if (code < 0)
        return wrong(r, "a backslash before what it does not change");
    if (code >> 10 == 0xD800 >> 10) {
        const int32_t low = unit_at(r->at + 6, r->end);
        if (low < 0 || low >> 10 != 0xDC00 >> 10)
            return wrong(r, "the first half of a surrogate pair alone");
        code = 0x10000 + ((code & 0x3FF) << 10 | (low & 0x3FF));
        r->at += 6;
    } else if (code >> 10 == 0xDC00 >> 10) {
        return wrong(r, "the second half of a surrogate pair alone");
    }
    r->at += 6;
    *to += utf8_encode((uint32_t)code, *to);
    return 1;
}

/* A string whose first quote is at r->at. */
static int string(struct reader *r, struct string *s)
{
    char *to = s->at = ++r->at;
    for (;;) {
        const size_t n = plain_bytes(r->at, (size_t)(r->end - r->at));
        if (utf8_invalid(r->at, n) < n)
            return wrong(r, "a string that is not UTF-8");
        if (to != r->at)
            memmove(to, r->at, n);
        to += n;
        r->at += n;
        if (r->at == r->end)
            return wrong(r, "a string without an end");
        if (*r->at == '"')
            break;
        if (*r->at != '\\')
            return wrong(r, "a control character in a string");
        if (!escape(r, &to))
            return 0;
    }
    s->n = (size_t)(to - s->at);
    r->at++;
    return 1;
}

static int digits(struct reader *r)
{
    const char *const begin = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > begin;
}

static int is_one_of(const struct reader *r, const char *letters)
{
    return r->at < r->end && *r->at && strchr(letters, *r->at);
}

static int number(struct reader *r)
{
    r->at += *r->at == '-';
    const int zero = is_one_of(r, "0");
    r->at += zero;
    int good = zero || digits(r);
    if (good && is_one_of(r, ".")) {
        r->at++;
        good = digits(r);
    }
    if (good && is_one_of(r, "eE")) {
        r->at++;
        r->at += is_one_of(r, "+-");
        good = digits(r);
    }
    return good ? 1 : wrong(r, "a number that breaks off");
}

static int literal(struct reader *r)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t n = strlen(words[i]);
        if ((size_t)(r->end - r->at) >= n && !memcmp(r->at, words[i], n)) {
            r->at += n;
            return 1;
        }
    }
    return wrong(r, "no value");
}

static int value(struct reader *r);

static int array(struct reader *r)
{
    r->at++;
    if (next(r) == ']') {
        r->at++;
        return 1;
    }
    for (char c = ','; c == ','; r->at++) {
        if (!value(r))
            return 0;
        c = next(r);
        if (c != ',' && c != ']')
            return wrong(r, "no ',' or ']' behind a value");
    }
    return 1;
}

/* With a field's name, its string goes to *text; the last of several counts. */
static int object(struct reader *r, const char *field, struct string *text)
{
    r->at++;
    if (next(r) == '}') {
        r->at++;
        return 1;
    }
    for (char c = ','; c == ','; r->at++) {
        struct string key, got = {0};
        if (next(r) != '"')
            return wrong(r, "no key in quotes");
        if (!string(r, &key))
            return 0;
        if (next(r) != ':')
            return wrong(r, "no ':' behind a key");
        r->at++;
        if (!(next(r) == '"' ? string(r, &got) : value(r)))
            return 0;
        if (field && key.n == strlen(field) && !memcmp(key.at, field, key.n))
            *text = got;
        c = next(r);
        if (c != ',' && c != '}')
            return wrong(r, "no ',' or '}' behind a value");
    }
    return 1;
}

static int value(struct reader *r)
{
    struct string unused;
    const char c = next(r);
    if (c == '"')
        return string(r, &unused);
    if (c == '-' || (c >= '0' && c <= '9'))
        return number(r);
    if (c != '{' && c != '[')
        return literal(r);
    if (r->depth == DEEPEST)
        return wrong(r, "values too deep inside of each other");
    r->depth++;
    const int good = c == '{' ? object(r, NULL, NULL) : array(r);
    r->depth--;
    return good;
}

const char *json_field(char *line, size_t n, const char *field, size_t *size)
{
    struct reader r = {.at = line, .end = line + n, .depth = 1};
    struct string text = {0};
    int good = next(&r) == '{' ? object(&r, field, &text) : value(&r);
    if (good && (next(&r), r.at < r.end))
        good = wrong(&r, "more behind its end");
    if (!good)
        return fault("column %zu: not JSON: %s", (size_t)(r.at - line) + 1, r.why);
    if (!text.at)
        return fault("no text in a field '%.100s'", field);
    memmove(line, text.at, text.n);
    *size = text.n;
    return NULL;
}
