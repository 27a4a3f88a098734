/* set_write.h - a shard set being written into a folder. */
#pragma once
#include "data/manifest.h"

struct set_writer;

/* `folder` is filled, `shown` named in messages.  m holds what is known beforehand (kind,
 * pairs, command, ...); its splits are filled by set_finish.  A shard ends after
 * shard_tokens; threads 0 means one for each core. */
struct set_writer *set_begin(const char *folder, const char *shown, struct manifest *m,
                             uint64_t shard_tokens, int level, int threads);
/* Ids as they are stored, ends of text included.  A pair must come whole. */
void set_add(struct set_writer *w, int split, const int *ids, size_t n);
/* A document ended with the last id added. */
void set_end_document(struct set_writer *w, int split);
/* Bytes of text that a split stands for. */
void set_bytes(struct set_writer *w, int split, uint64_t bytes);
uint64_t set_tokens(const struct set_writer *w, int split);
/* Close every shard, write the manifest; frees the writer. */
void set_finish(struct set_writer *w);
