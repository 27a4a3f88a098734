#include "text/utf8.h"
#include "base/base.h"
#include <string.h>

int utf8_decode(const char *at, size_t n, uint32_t *point, int *bad)
{
    const unsigned char *b = (const unsigned char *)at, first = *b;
    if (first < 0x80) {
        *point = first;
        return 1;
    }
    /* What the second byte may be depends on the first; the others are 80..BF. */
    const int size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    *bad = 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    uint32_t c = first & (0xffu >> (size + 1));
    for (int i = 1; i < size; i++) {
        if ((size_t)i >= n || b[i] < (i == 1 ? low : 0x80) || b[i] > (i == 1 ? high : 0xbf))
            return 0;
        c = c << 6 | (b[i] & 0x3f);
        *bad = i + 1;
    }
    *point = c;
    return size;
}

int utf8_encode(uint32_t c, char *at)
{
    unsigned char *b = (unsigned char *)at;
    if (c < 0x80) {
        b[0] = (unsigned char)c;
        return 1;
    }
    const int size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (int i = size - 1; i > 0; i--, c >>= 6)
        b[i] = (unsigned char)(0x80 | (c & 0x3f));
    b[0] = (unsigned char)(0xf00u >> size | c);
    return size;
}

size_t utf8_ascii(const char *at, size_t n)
{
    size_t i = 0;
    for (uint64_t eight; i + 8 <= n; i += 8) {
        memcpy(&eight, at + i, 8);
        if (eight & UINT64_C(0x8080808080808080))
            break;
    }
    while (i < n && !(at[i] & 0x80))
        i++;
    return i;
}

void utf8_ascii_lower(const char *at, size_t n, char *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (char)(at[i] + ((unsigned char)(at[i] - 'A') < 26 ? 32 : 0));
}

size_t utf8_invalid(const char *at, size_t n)
{
    size_t i = 0;
    while ((i += utf8_ascii(at + i, n - i)) < n) {
        uint32_t point;
        int bad;
        const int size = utf8_decode(at + i, n - i, &point, &bad);
        if (!size)
            return i;
        i += (size_t)size;
    }
    return n;
}

char *utf8_repaired(const char *at, size_t n, size_t *size)
{
    char *copy = zalloc(3 * n + 1, 1), *to = copy;
    for (size_t i = 0; i < n;) {
        uint32_t point;
        int bad, good = utf8_decode(at + i, n - i, &point, &bad);
        memcpy(to, good ? at + i : "\xef\xbf\xbd", good ? (size_t)good : 3);
        to += good ? good : 3;
        i += (size_t)(good ? good : bad);
    }
    *size = (size_t)(to - copy);
    return copy;
}
