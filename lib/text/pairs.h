/* pairs.h - texts to be scored: a candidate and its references, from lines
 * "candidate TAB reference [TAB reference ...]" or from parallel files (metrics(5)).
 *
 * A stream whose first line is "# pairs=escaped", as `eval --pairs` writes it, has a header
 * row and holds \n, \t, \r and \\ for what cannot stand in a line; other streams are taken
 * as they are.
 *
 * One thread reads blocks of lines, any thread takes a block's pairs apart. */
#pragma once
#include "text/words.h"
#include <stdio.h>

enum { MAX_REFERENCES = 64 };

struct pair {
    struct span candidate;
    const struct span *references;
    int n_references;
    unsigned long long number;      /* of the pair, from 1 */
};

struct pairs;

/* One stream of pairs (n = 1), or a candidates' stream and n - 1 of references; names are for
 * messages.  The streams stay the caller's, the names too and for as long as a block is used. */
struct pairs *pairs_open(FILE *const *streams, const char *const *names, int n);
void pairs_close(struct pairs *p);

/* Whole lines of each stream, about 64 KiB of the first.  Begins all zero; may be used again. */
struct pair_block;
struct pair_block *pair_block_new(void);
void pair_block_free(struct pair_block *b);
/* Read the next block; 0 when there is none. */
int pairs_read(struct pairs *p, struct pair_block *b);
/* The next pair of a block, valid until the block is read or freed; *more is 0 at its end.  NULL,
 * or an error text that names the place: a line without TAB, files of unequal length, bytes that
 * are not UTF-8. */
const char *pairs_next(struct pair_block *b, struct pair *pair, int *more);

/* A text in its escaped form. */
void pairs_write(FILE *f, const char *text, size_t n);
