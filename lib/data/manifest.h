/* manifest.h - DATA/manifest.json: what a shard set holds, written last (shard(5)). */
#pragma once
#include "data/tokens.h"

enum { SPLIT_TRAIN, SPLIT_VAL, SPLITS };
extern const char *const split_names[SPLITS + 1];      /* "train", "val", NULL */

struct manifest_shard {
    char *file;                     /* its name in the folder */
    uint64_t documents, tokens, size;
    uint32_t crc;                   /* as shard_index has it */
};

struct manifest_split {
    uint64_t documents, tokens, bytes;      /* bytes of text before tokenising; 0: not known */
    size_t n;
    struct manifest_shard *shards;
};

struct manifest {
    struct token_kind kind;         /* vocab is "bytes", "gpt2" or a folder's name in the set's */
    int pairs;
    char *command, *version;        /* that made it */
    char *split;                    /* how: "document", "tail", "nanogpt", "given" or "none" */
    double fraction;
    uint64_t seed;
    int shuffled;
    struct manifest_split splits[SPLITS];
};

/* NULL or an error text in why; manifest_free in both cases. */
const char *manifest_parse(const char *text, size_t n, struct manifest *m, char why[200]);
/* The file's text; the caller frees it. */
char *manifest_text(const struct manifest *m);
void manifest_free(struct manifest *m);

/* Read DATA/manifest.json; dies with the reason. */
void manifest_read(const char *folder, struct manifest *m);
/* One more shard of a split; takes over file. */
void manifest_add(struct manifest_split *s, const struct manifest_shard *shard);
