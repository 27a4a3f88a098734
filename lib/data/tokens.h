/* tokens.h - token text, the form of tokens on a pipe (tokens(5)): a document a
 * line, ids in decimal with one space, TAB between the sides of a pair.
 *
 *     # vocab=gpt2 size=50257 eot=50256
 *     15496 995
 *     # end documents=1 tokens=2
 *
 * A stream without its end line was cut short. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TOKENS_MAX_SIZE = 1 << 24 };     /* ids in a vocabulary */

struct token_kind {
    char vocab[512];    /* as vocab_open() takes it */
    int size, eot;
};

/* Write: begin, documents, end.  `tokens` counts ids, not the ends of documents. */
struct token_writer;
struct token_writer *tokens_begin(FILE *f, const struct token_kind *kind);
/* One side of a document; sides after the first are set off by a TAB.  The same side
 * again goes on where it stopped, so that a long document may come in parts. */
void tokens_side(struct token_writer *w, const int *ids, size_t n, int side);
void tokens_end_document(struct token_writer *w);
/* For those who make the text on many threads: ids as tokens_side() writes them, `fresh` where
 * they are the side's first; returns the end of it.  out has room for TOKEN_ROOM (n + 1). */
enum { TOKEN_ROOM = 12 };
char *tokens_format(const struct token_writer *w, const int *ids, size_t n, int fresh, char *out);
/* Text so made, of whole and parts of documents, and what it adds to the end line's counts. */
void tokens_append(struct token_writer *w, const char *text, size_t n, uint64_t documents,
                   uint64_t tokens);
/* The end line; flushes and frees. */
void tokens_end(struct token_writer *w);

/* Read, from any bytes: every call returns NULL or an error text that names the line. */
struct token_reader;
struct token_document {
    int *ids;           /* valid until the next call */
    size_t n;           /* of both sides */
    size_t second;      /* where the second side begins; n without one */
};
const char *tokens_open(FILE *f, struct token_reader **r, struct token_kind *kind);
/* The next document; *more is 0 at a proper end. */
const char *tokens_next(struct token_reader *r, struct token_document *d, int *more);

/* The same a piece at a time, in bounded memory whatever the document's length; use
 * either this or tokens_next() on one reader. */
struct token_part {
    const int *ids;     /* valid until the next call */
    size_t n;           /* may be 0 */
    int side;           /* 0 or 1: of which side these are */
    int end;            /* the document ends after them */
};
const char *tokens_part(struct token_reader *r, struct token_part *p, int *more);

/* Was the stream cut before its end line?  Asked after an error or a bare end of file. */
int tokens_cut(const struct token_reader *r);
void tokens_close(struct token_reader *r);

/* The lines that begin with '#': 0, or -1 when it is not one of that form.  Further
 * key=value fields are allowed and ignored. */
int token_kind_parse(const char *line, struct token_kind *kind);
int token_end_parse(const char *line, uint64_t *documents, uint64_t *tokens);
/* A vocabulary's name as the first line writes it, blanks, '%' and '#' as %XX; the caller frees
 * it. */
char *token_kind_name(const struct token_kind *kind);
int token_kind_same(const struct token_kind *a, const struct token_kind *b);
