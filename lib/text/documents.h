/* documents.h - text in, whatever its form: batches of spans of bytes, each a part of a
 * document.  A document may be of any size: a long one comes in parts, cut where the
 * pre-tokeniser allows it, so that only one unbroken run of characters must fit in memory.
 * A line of JSON or of a pair must, too. */
#pragma once
#include <stddef.h>

enum document_form {
    FORM_FILE,          /* a file is a document */
    FORM_LINES,         /* a line is, without its '\n' */
    FORM_NUL,           /* what a NUL ends is */
    FORM_JSONL,         /* a line is a JSON object with the text in one field */
    FORM_PAIRS,         /* a line is two sides with a TAB between */
    FORM_TWO_FILES,     /* a line of one file and the same line of another are the sides */
};

struct document_source {
    enum document_form form;
    const char *field;              /* FORM_JSONL: its name */
    char *const *operands;          /* files and folders; FORM_TWO_FILES: two files */
    int n;
    enum document_cut { CUT_PIECES, CUT_ANYWHERE, CUT_BLANKS } cut;     /* where parts may end:
                                       as the pre-tokeniser has it, at any byte, before blanks */
};

struct span {
    size_t begin, end;
    enum span_end { ENDS_PART, ENDS_SIDE, ENDS_DOCUMENT } ends;
};

enum { BATCH_PAD = 16 };

struct text_batch {
    unsigned char *text;            /* BATCH_PAD readable bytes behind it */
    size_t n, room;
    struct span *spans;
    size_t n_spans;
    int continues;                  /* the first span goes on with a side begun before */
    const struct document_source *from;
    char *file;                     /* of the first span, and its line there */
    size_t line;
};

struct documents;
/* `from` must stay as it is. */
struct documents *documents_open(const struct document_source *from);
void documents_close(struct documents *d);
/* Fill a batch (all zero at first) with some hundred kB; 0 after the last. */
int documents_next(struct documents *d, struct text_batch *b);
/* Bytes read so far, unpacked. */
size_t documents_bytes(const struct documents *d);

/* Then make its spans text, from any thread: take fields out of JSON, sides out of
 * pairs.  Dies on a line that is not what it should be. */
void batch_unpack(struct text_batch *b);
void batch_free(struct text_batch *b);

/* The string in a field of a JSON object, decoded into the line's own place:
 * NULL, or what is wrong (valid until the next call). */
const char *json_field(char *line, size_t n, const char *field, size_t *size);

/* For those who fill batches: room for n bytes in all, one more span. */
void batch_room(struct text_batch *b, size_t n);
void batch_span(struct text_batch *b, size_t begin, size_t end, enum span_end ends);
