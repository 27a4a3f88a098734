/* alphabet.c - GPT-2's printable names of the 256 bytes: the printable ones of
 * Latin-1 stand for themselves, the other 68 for U+0100, U+0101, ... */
#include "text/utf8.h"
#include "text/vocab_inside.h"

enum { OTHERS = 256, LOW = 33, MIDDLE = 34 };    /* 0-32, 127-160, 173: in this order */

static uint32_t code_of(int byte)
{
    if (byte < LOW)
        return (uint32_t)(OTHERS + byte);
    if (byte >= 127 && byte < 127 + MIDDLE)
        return (uint32_t)(OTHERS + LOW + byte - 127);
    return byte == 173 ? OTHERS + LOW + MIDDLE : (uint32_t)byte;
}

/* The byte of a code point, or -1. */
static int byte_of(uint32_t code)
{
    int byte = (int)code;
    if (code >= OTHERS + LOW + MIDDLE)
        byte = code == OTHERS + LOW + MIDDLE ? 173 : -1;
    else if (code >= OTHERS + LOW)
        byte = (int)code - OTHERS - LOW + 127;
    else if (code >= OTHERS)
        byte = (int)code - OTHERS;
    return byte >= 0 && code_of(byte) == code ? byte : -1;
}

/* Printable bytes come first, in order; then the others, in order. */
unsigned char alphabet_byte(int i)
{
    const int printable = 256 - LOW - MIDDLE - 1;
    int byte = LOW + i;                     /* 33-126, 161-172, 174-255 */
    if (i >= printable)
        return (unsigned char)byte_of((uint32_t)(OTHERS + i - printable));
    byte += byte >= 127 ? MIDDLE : 0;
    return (unsigned char)(byte + (byte >= 173));
}

size_t alphabet_encode(const char *bytes, size_t n, char *out)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        at += (size_t)utf8_encode(code_of((unsigned char)bytes[i]), out + at);
    return at;
}

long alphabet_decode(const char *text, size_t n, char *out)
{
    long written = 0;
    for (size_t at = 0; at < n;) {
        uint32_t code;
        int bad;
        const int k = utf8_decode(text + at, n - at, &code, &bad);
        const int byte = k ? byte_of(code) : -1;
        if (byte < 0)
            return -1;
        out[written++] = (char)byte;
        at += (size_t)k;
    }
    return written;
}
