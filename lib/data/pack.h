/* pack.h - frames compressed by threads and written in the order they came. */
#pragma once
#include "data/tokens.h"

struct pack_file;       /* one file being written, shard_file.h's format */
struct packer;          /* the threads */

struct pack_frame {     /* to be filled by the caller: at most FRAME_IDS ids of its width */
    void *raw;
    uint32_t ids, ends;
};

/* threads: 1 compresses in the caller's. */
struct packer *packer_begin(int threads, int level, int width);
/* Queue a frame and give back an empty one in its place; the bytes are the same at any
 * number of threads. */
void packer_add(struct packer *p, struct pack_file *f, struct pack_frame *frame);
/* Wait until every frame is written. */
void packer_drain(struct packer *p);
void packer_end(struct packer *p);
void pack_frame_init(struct pack_frame *frame, int width);

/* Begin a file; head(arg, tokens, documents) gives the JSON of its head, at most 40 bytes
 * longer for other counts than for 0 and 0.  `shown` names the file in messages. */
typedef char *pack_head(void *arg, uint64_t tokens, uint64_t documents);
struct pack_file *pack_open(const char *path, const char *shown, pack_head *head, void *arg);
struct pack_counts { uint64_t tokens, documents, size; uint32_t crc; };
/* Its frames must have been drained. */
struct pack_counts pack_close(struct pack_file *f);
