/* shards.h - a shard set: a folder of Zstandard seekable files of token ids, with
 * a manifest written last (shard(5)).  Each document is followed by the end of
 * text; a pair is its source, the end of text, its target, the end of text.  A set
 * has the splits "train" and "val". */
#pragma once
#include "data/tokens.h"
#include <stdint.h>

struct shards;          /* one split of a set, open for reading; safe from many threads */

/* Open a split; dies with the reason.  Any folder that `shard -o` published. */
struct shards *shards_open(const char *path, const char *split);
void shards_close(struct shards *s);
const struct token_kind *shards_kind(const struct shards *s);
int shards_pairs(const struct shards *s);               /* are its documents pairs? */
uint64_t shards_tokens(const struct shards *s);         /* ends of text included */
uint64_t shards_documents(const struct shards *s);
uint64_t shards_bytes(const struct shards *s);          /* of the text; 0: not known */
/* Ids [at, at + n) into ids; frames are decoded as needed and checked; dies on a damaged one. */
void shards_read(struct shards *s, uint64_t at, size_t n, int *ids);

/* Before the first read: keep at most this many bytes of decoded frames, and at least one
 * frame (64 MiB unless told). */
void shards_cache(struct shards *s, size_t bytes);

/* The parts of a split, for programs that check or copy files. */
size_t shards_files(const struct shards *s);
const struct shard_index *shards_index(const struct shards *s, size_t file);
/* Its path, and its bytes. */
const char *shards_path(const struct shards *s, size_t file);
const unsigned char *shards_data(const struct shards *s, size_t file);
