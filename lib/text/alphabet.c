/* alphabet.c - GPT-2's printable names of the 256 bytes: the printable ones of
 * Latin-1 stand for themselves, the other 68 for U+0100, U+0101, ... */
#include "text/utf8.h"
#include "text/vocab_inside.h"

static int printable(int byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

/* Printable bytes come first, in order; then the others, in order. */
unsigned char alphabet_byte(int i)
{
    for (int pass = 0; pass < 2; pass++)
        for (int b = 0; b < 256; b++)
            if (printable(b) == !pass && i-- == 0)
                return (unsigned char)b;
    return 0;
}

static uint32_t code_of(int byte)
{
    uint32_t code = 256;
    if (printable(byte))
        return (uint32_t)byte;
    for (int b = 0; b < byte; b++)
        code += !printable(b);
    return code;
}

size_t alphabet_encode(const char *bytes, size_t n, char *out)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        at += (size_t)utf8_encode(code_of((unsigned char)bytes[i]), out + at);
    return at;
}

/* The byte of a code point, or -1. */
static int byte_of(uint32_t code)
{
    if (code < 256)
        return printable((int)code) ? (int)code : -1;
    code -= 256;
    for (int b = 0; b < 256; b++)
        if (!printable(b) && code-- == 0)
            return b;
    return -1;
}

long alphabet_decode(const char *text, size_t n, char *out)
{
    long written = 0;
    for (size_t at = 0; at < n;) {
        uint32_t code;
        int bad;
        const int k = utf8_decode(text + at, n - at, &code, &bad);
        const int byte = k && code < 324 ? byte_of(code) : -1;
        if (byte < 0)
            return -1;
        out[written++] = (char)byte;
        at += (size_t)k;
    }
    return written;
}
