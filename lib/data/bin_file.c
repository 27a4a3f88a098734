#include "data/bin_file.h"
#include "data/shard_file.h"
#include <string.h>

enum { MAGIC_16 = 20240520, VERSION_16 = 1, MAGIC_32 = 20240801, VERSION_32 = 7 };

const char *bin_parse(enum bin_form form, const unsigned char *data, size_t size, struct bin *b)
{
    *b = (struct bin){data, size / 2, 2};
    if (form == BIN_NANOGPT)
        return !size ? "it is empty" : size % 2 ? "an odd number of bytes, and ids have two" : NULL;
    if (size < BIN_HEAD)
        return "shorter than llm.c's head of 1024 bytes";
    const uint32_t magic = get32(data), version = get32(data + 4);
    if (!(magic == MAGIC_16 && version == VERSION_16)
        && !(magic == MAGIC_32 && version == VERSION_32))
        return "not a token file of llm.c (magic number and version)";
    b->width = magic == MAGIC_16 ? 2 : 4;
    b->n = get32(data + 8);
    b->ids = data + BIN_HEAD;
    return size == BIN_HEAD + b->n * (uint64_t)b->width ? NULL
           : "its length is not the 1024 bytes and the tokens that its head counts";
}

void bin_head(unsigned char head[BIN_HEAD], int width, uint32_t n)
{
    memset(head, 0, BIN_HEAD);
    put32(head, width == 2 ? MAGIC_16 : MAGIC_32);
    put32(head + 4, width == 2 ? VERSION_16 : VERSION_32);
    put32(head + 8, n);
}
