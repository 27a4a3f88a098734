#include "text/documents.h"
#include "base/base.h"
#include "base/stream.h"
#include "base/walk.h"
#include "text/sides.h"
#include "text/split.h"
#include "text/subword.h"
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1 << 18, LONGEST = 1 << 30 };    /* bytes: usual, and of what cannot be cut */

struct documents {
    const struct document_source *from;
    struct walk *walk;
    struct stream *stream;          /* of the file that is open */
    struct splitter *splitter;
    struct sides *sides;            /* FORM_TWO_FILES: instead of the three above */
    unsigned char *carry;           /* read, but not given out yet */
    size_t carried;
    int within;                     /* parts of the document at hand were given out */
    size_t line, bytes;             /* lines of this file given out; bytes of all */
};

struct documents *documents_open(const struct document_source *from)
{
    struct documents *d = zalloc(1, sizeof *d);
    d->from = from;
    if (from->form == FORM_TWO_FILES) {
        d->sides = sides_open(from->operands[0], from->operands[1]);
        return d;
    }
    d->walk = walk_open(from->operands, from->n);
    d->splitter = splitter_new();
    return d;
}

void documents_close(struct documents *d)
{
    if (d->sides) {
        sides_close(d->sides);
    } else {
        walk_close(d->walk);
        splitter_free(d->splitter);
    }
    free(d->carry);
    free(d);
}

size_t documents_bytes(const struct documents *d)
{
    return d->sides ? sides_bytes(d->sides) : d->bytes;
}

/* Give out every document that ends in [begin, n); returns where the rest begins. */
static size_t take_ended(struct documents *d, struct text_batch *b, size_t begin, size_t seen)
{
    const int separator = d->from->form == FORM_NUL ? 0 : '\n';
    if (d->from->form == FORM_FILE)
        return begin;
    for (unsigned char *end; (end = memchr(b->text + seen, separator, b->n - seen));) {
        const size_t at = (size_t)(end - b->text);
        batch_span(b, begin, at, ENDS_DOCUMENT);
        begin = seen = at + 1;
        d->within = 0;
        d->line++;
    }
    return begin;
}

/* The file has ended: so has what is left of it. */
static void end_file(struct documents *d, struct text_batch *b, size_t begin)
{
    if (d->from->form == FORM_FILE || begin < b->n || d->within)
        batch_span(b, begin, b->n, ENDS_DOCUMENT);
    stream_close(d->stream);
    d->stream = NULL;
    d->within = 0;
    d->line = 0;
}

/* Where a text may be cut; 0: nowhere yet. */
static size_t cut_of(const struct documents *d, const unsigned char *text, size_t n)
{
    switch (d->from->cut) {
    case CUT_ANYWHERE:
        return n;
    case CUT_BLANKS:
        return subword_cut(text, n);
    default:
        return split_cut(d->splitter, text, n);
    }
}

/* Give out a part of a long document; returns where the rest begins. */
static size_t take_part(struct documents *d, struct text_batch *b, size_t begin)
{
    const size_t n = b->n - begin;
    if (d->from->form == FORM_JSONL || d->from->form == FORM_PAIRS || n < BATCH / 2)
        return begin;
    const size_t cut = cut_of(d, b->text + begin, n);
    if (!cut)
        return begin;
    batch_span(b, begin, begin + cut, ENDS_PART);
    d->within = 1;
    return begin + cut;
}

static int open_next(struct documents *d, struct text_batch *b)
{
    const char *path = walk_next(d->walk);
    if (!path)
        return 0;
    d->stream = stream_open(path);
    if (!b->file)
        b->file = copy_text(stream_name(d->stream));
    return 1;
}

static void begin_batch(struct documents *d, struct text_batch *b)
{
    b->n_spans = 0;
    b->continues = d->within;
    b->line = d->line + 1;
    free(b->file);
    b->file = d->stream ? copy_text(stream_name(d->stream)) : NULL;
    batch_room(b, d->carried > BATCH ? d->carried : BATCH);
    if (d->carried)
        memcpy(b->text, d->carry, d->carried);
    b->n = d->carried;
    d->carried = 0;
}

static void keep_rest(struct documents *d, const struct text_batch *b, size_t begin)
{
    d->carried = b->n - begin;
    free(d->carry);
    d->carry = zalloc(d->carried, 1);
    memcpy(d->carry, b->text + begin, d->carried);
}

int documents_next(struct documents *d, struct text_batch *b)
{
    b->from = d->from;
    if (d->sides)
        return sides_next(d->sides, b);
    begin_batch(d, b);
    for (size_t begin = 0, want = BATCH; d->stream || open_next(d, b);) {
        if (want <= b->n)
            want = 2 * b->n;        /* what cannot be cut needs more room */
        if (want > LONGEST)
            die("%s: more than %d MB that cannot be cut", b->file, LONGEST >> 20);
        batch_room(b, want);
        const size_t seen = b->n, got = stream_read(d->stream, b->text + seen, want - seen);
        b->n += got;
        d->bytes += got;
        begin = take_ended(d, b, begin, seen);
        if (b->n < want) {
            end_file(d, b, begin);
            begin = b->n;
            if (b->n < BATCH && b->n_spans < BATCH
                && (d->from->form == FORM_FILE || d->from->form == FORM_NUL
                    || d->from->form == FORM_LINES))
                continue;           /* room for another file */
            return 1;
        }
        begin = take_part(d, b, begin);
        if (b->n_spans) {
            keep_rest(d, b, begin);
            return 1;
        }
    }
    return b->n_spans > 0;
}

void batch_room(struct text_batch *b, size_t n)
{
    if (n <= b->room)
        return;
    b->room = n;
    b->text = realloc(b->text, b->room + BATCH_PAD);
    if (!b->text)
        die("out of memory (%zu bytes)", b->room + BATCH_PAD);
    memset(b->text + b->room, 0, BATCH_PAD);
}

void batch_span(struct text_batch *b, size_t begin, size_t end, enum span_end ends)
{
    b->spans = grow(b->spans, b->n_spans, sizeof *b->spans);
    b->spans[b->n_spans++] = (struct span){begin, end, ends};
}

void batch_free(struct text_batch *b)
{
    free(b->text);
    free(b->spans);
    free(b->file);
    *b = (struct text_batch){0};
}
