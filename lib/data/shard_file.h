/* shard_file.h - one file of a shard set, in the Zstandard seekable format
 * (shard(5)): a skippable frame of JSON, independent frames of ids, a skippable
 * frame with a check sum of each of those, and the seek table. */
#pragma once
#include "data/tokens.h"

enum {
    FRAME_IDS = 16384,          /* that keel writes */
    FRAME_MAX = 1 << 20,        /* that it reads */
    MAGIC_HEAD = 0x184D2A50, MAGIC_CHECK = 0x184D2A51, MAGIC_SEEK = 0x184D2A5E,
};
#define MAGIC_SEEKABLE 0x8F92EAB1u
#define CHECK_TEXT "KEELCHK1"       /* begins the skippable frame of check sums */

struct shard_frame {
    uint64_t at, first;         /* its byte in the file; its first id's number */
    uint32_t size, ids;         /* compressed bytes; ids */
    uint32_t crc, ends;         /* CRC-32 of those bytes; documents that end in it */
};

struct shard_index {
    struct token_kind kind;
    int width, pairs;           /* bytes of an id; are documents pairs? */
    uint64_t tokens, documents;
    uint32_t crc;               /* CRC-32 of all that is not a frame of ids */
    size_t n;
    struct shard_frame *frames;
    char why[200];
};

/* Read a file's index from its bytes: NULL or an error text (in x->why).  Free it in both cases. */
const char *shard_parse(const unsigned char *data, size_t size, struct shard_index *x);
void shard_index_free(struct shard_index *x);

/* Decode frame i into raw (ids * width bytes), checking every byte of it, and that
 * its ids are in the vocabulary: NULL or an error text in why. */
struct ZSTD_DCtx_s;
const char *shard_decode(struct ZSTD_DCtx_s *z, const struct shard_index *x,
                         const unsigned char *data, size_t i, void *raw, char why[200]);
/* The frame that holds id number `at` (below x->tokens). */
size_t shard_frame_of(const struct shard_index *x, uint64_t at);

/* Widen raw ids. */
void ids_from_raw(int *ids, const void *raw, size_t n, int width);

static inline uint32_t get32(const unsigned char *s)
{
    return (uint32_t)s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16 | (uint32_t)s[3] << 24;
}

static inline void put32(unsigned char *s, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        s[i] = (unsigned char)(v >> 8 * i);
}
