/* stream.h - the tokens that a model is judged on: a split of a shard set, or token text. */
#pragma once
#include "data/tokens.h"
#include <stdint.h>

struct stream {
    struct token_kind kind;
    uint64_t n;             /* ids; each document is followed by the end of text */
    uint64_t bytes;         /* of the text; 0: not known */
    struct shards *shards;  /* or NULL: then all ids are here */
    int *ids;
};

/* A shard set's folder, a file of token text, or "-" for stdin. */
struct stream *stream_open(const char *path, const char *split);
void stream_close(struct stream *s);
/* Ids [at, at + n). */
void stream_read(struct stream *s, uint64_t at, size_t n, int *ids);
