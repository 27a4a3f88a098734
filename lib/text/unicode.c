#include "text/unicode.h"
#include "text/utf8.h"
#include <pthread.h>

enum { CAPITAL_SIGMA = 0x3a3, SMALL_SIGMA = 0x3c3, FINAL_SIGMA = 0x3c2, DOTTED_I = 0x130 };

/* Of each code point four bits: its class, and two facts about case. */
enum { CLASS = 3, CASED = 4, IGNORABLE = 8 };

static unsigned char facts[0x110000 / 2];
static size_t lower_rows;

static void note(const struct point_range *r, unsigned fact)
{
    for (; r->last; r++)
        for (uint32_t c = r->first; c <= r->last; c++)
            facts[c / 2] |= (unsigned char)(fact << 4 * (c % 2));
}

static void note_all(void)
{
    note(unicode_punctuation, UNICODE_PUNCTUATION);
    note(unicode_symbols, UNICODE_SYMBOL);
    note(unicode_numbers, UNICODE_NUMBER);
    note(unicode_cased, CASED);
    note(unicode_ignorable, IGNORABLE);
    while (unicode_lower_case[lower_rows].last)
        lower_rows++;
}

/* The tables are spread out at the first question, by whichever thread asks it. */
static void begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, note_all);
}

static unsigned facts_of(uint32_t c)
{
    begin();
    return facts[c / 2] >> 4 * (c % 2) & 15u;
}

enum unicode_class unicode_far_class(uint32_t c)
{
    return (enum unicode_class)(facts_of(c) & CLASS);
}

int unicode_far_space(uint32_t c)
{
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028
        || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

#define P UNICODE_PUNCTUATION
#define S UNICODE_SYMBOL
#define N UNICODE_NUMBER
const unsigned char unicode_ascii_class[128] = {
    ['!'] = P, ['"'] = P, ['#'] = P, ['%'] = P, ['&'] = P, ['\''] = P, ['('] = P, [')'] = P,
    ['*'] = P, [','] = P, ['-'] = P, ['.'] = P, ['/'] = P, [':'] = P, [';'] = P, ['?'] = P,
    ['@'] = P, ['['] = P, ['\\'] = P, [']'] = P, ['_'] = P, ['{'] = P, ['}'] = P,
    ['$'] = S, ['+'] = S, ['<'] = S, ['='] = S, ['>'] = S, ['^'] = S, ['`'] = S, ['|'] = S,
    ['~'] = S,
    ['0'] = N, N, N, N, N, N, N, N, N, N,
};
#undef P
#undef S
#undef N
const unsigned char unicode_ascii_space[128] = {
    ['\t'] = 1, ['\n'] = 1, ['\v'] = 1, ['\f'] = 1, ['\r'] = 1, [0x1c] = 1, 1, 1, 1, [' '] = 1,
};

size_t unicode_trimmed(const char *at, size_t n)
{
    while (n) {
        size_t last = n - 1;
        uint32_t c = 0;
        int bad;
        while (last && ((unsigned char)at[last] & 0xc0) == 0x80)
            last--;
        if (!utf8_decode(at + last, n - last, &c, &bad) || !unicode_space(c))
            break;
        n = last;
    }
    return n;
}

static uint32_t lower_point(uint32_t c)
{
    begin();
    size_t low = 0, high = lower_rows;
    while (low < high) {
        const size_t mid = (low + high) / 2;
        if (unicode_lower_case[mid].last < c)
            low = mid + 1;
        else
            high = mid;
    }
    const struct lower_range *r = &unicode_lower_case[low];
    return low < lower_rows && r->first <= c && (c - r->first) % r->step == 0
         ? c + (uint32_t)r->distance : c;
}

/* Does the capital sigma at bytes [i, i + 2) end a word: a letter with case before it and none
 * after, looking through what is ignorable? */
static int ends_word(const char *at, size_t n, size_t i)
{
    uint32_t c = 0;
    int bad, before = 0;
    for (size_t j = i; j > 0 && !before;) {
        do
            j--;
        while (j > 0 && ((unsigned char)at[j] & 0xc0) == 0x80);
        utf8_decode(at + j, n - j, &c, &bad);
        if (!(facts_of(c) & IGNORABLE)) {
            before = (facts_of(c) & CASED) != 0;
            break;
        }
    }
    if (!before)
        return 0;
    for (size_t j = i + 2; j < n;) {
        j += (size_t)utf8_decode(at + j, n - j, &c, &bad);
        if (!(facts_of(c) & IGNORABLE))
            return !(facts_of(c) & CASED);
    }
    return 1;
}

size_t unicode_lower(const char *at, size_t n, char *to)
{
    char *begin = to;
    const size_t ascii = utf8_ascii(at, n);
    utf8_ascii_lower(at, ascii, to);
    to += ascii;
    for (size_t i = ascii; i < n;) {
        uint32_t c = (unsigned char)at[i];
        int bad;
        if (c < 0x80) {
            *to++ = (char)(c - 'A' < 26 ? c + 32 : c);
            i++;
            continue;
        }
        const int size = utf8_decode(at + i, n - i, &c, &bad);
        if (!size) {                        /* the caller checked; keep the byte all the same */
            *to++ = at[i++];
            continue;
        }
        if (c == CAPITAL_SIGMA)
            to += utf8_encode(ends_word(at, n, i) ? FINAL_SIGMA : SMALL_SIGMA, to);
        else if (c == DOTTED_I)
            to += utf8_encode(0x307, to + utf8_encode('i', to)) + 1;
        else
            to += utf8_encode(lower_point(c), to);
        i += (size_t)size;
    }
    return (size_t)(to - begin);
}
