/* shard.h - what the parts of the program share. */
#pragma once
#include "data/bin_file.h"
#include "data/set_write.h"
#include "data/shards.h"

/* How a set is made: the options. */
struct making {
    const char *output;
    const char *split;          /* "document", "nanogpt" or "none" */
    double fraction;            /* of the documents, for val; < 0: not given */
    double tail;                /* of the tokens, for val; 0: not asked for */
    long long seed;             /* < 0: not given */
    int shuffle, partial, level;
    long long shard_tokens;
};

/* deal.c: documents dealt to the splits of a set that is published when it is whole. */
struct deal;
struct deal *deal_begin(const struct making *how, const struct token_kind *kind);
/* Ids of the document at hand, without ends of text; side 1 is a pair's second. */
void deal_ids(struct deal *d, const int *ids, size_t n, int side);
void deal_end_document(struct deal *d);
/* The stream was cut in the document at hand: what came of it is kept, a pair is not. */
void deal_cut(struct deal *d);
/* The document at hand stays without an end of text, as the end of an import may. */
void deal_break_off(struct deal *d);
/* Every document from here on goes to this split. */
void deal_to(struct deal *d, int split);
void deal_finish(struct deal *d);

/* spool.c: documents set aside on disk, to be read in another order. */
struct spool;
struct spool *spool_begin(const char *folder, const char *shown);
void spool_ids(struct spool *s, const int *ids, size_t n);
void spool_end_document(struct spool *s);
uint64_t spool_documents(const struct spool *s);
/* Document i in parts: give(arg, ids, n) for each. */
void spool_read(struct spool *s, uint64_t i, void (*give)(void *arg, const int *ids, size_t n),
                void *arg);
void spool_end(struct spool *s);

/* recut.c: the set in `folder`, all of it in one split, again with its last fraction of tokens
 * as val.  m is that set's manifest, and then the new one's. */
void recut(const char *folder, const char *shown, struct manifest *m, const struct making *how,
           double fraction, const unsigned char *lengths);

/* numpy.c: numpy.random.default_rng(seed).permutation(n), n < 2^32; the caller frees it. */
uint32_t *numpy_permutation(uint64_t seed, uint32_t n);

/* vocabulary.c: bytes of text for each id (0..255), or NULL where they are not known; and the
 * copy of a learned vocabulary in a set's folder, whose name then stands in kind->vocab. */
unsigned char *id_lengths(const struct token_kind *kind);
uint64_t bytes_of(const unsigned char *lengths, const int *ids, size_t n);
void copy_vocabulary(struct token_kind *kind, const char *folder);

/* bins.c: the files of nanoGPT and llm.c. */
extern const char *const bin_names[];
void bins_import(enum bin_form form, char **paths, int n, const struct making *how,
                 const char *vocab);
void bins_export(enum bin_form form, const char *data, const struct making *how);

/* report.c */
enum { SEQUENTIAL_CACHE = 1 << 20 };    /* bytes: who reads a split once needs no more */
void show_info(const char *data);
void verify(const char *data);
void stream(const char *data, const char *split);
