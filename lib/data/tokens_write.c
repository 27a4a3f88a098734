/* tokens_write.c - token text out.  A table holds " 12345" for each id, so that a
 * token costs one eight-byte store. */
#include "base/base.h"
#include "base/file.h"
#include "data/tokens.h"
#include <stdlib.h>
#include <string.h>

enum {
    BUFFER = 1 << 16, ROOM = 16,    /* ROOM: of the longest token and its separator */
    TABLE = 1000000,                /* ids below have at most six digits: blank, digits, length */
};

struct token_writer {
    FILE *f;
    struct token_kind kind;
    uint64_t *table;        /* low bytes: blank and digits; top byte: how many of both */
    unsigned in_table;      /* ids */
    char *buffer;
    size_t used;
    int side, fresh;        /* the side being written; nothing on it yet */
    uint64_t documents, tokens;
};

static void flush(struct token_writer *w)
{
    if (fwrite(w->buffer, 1, w->used, w->f) != w->used)
        die("token text:");
    w->used = 0;
}

/* The last digit first, so that the first one comes to stand lowest, behind the blank. */
static uint64_t table_entry(int id)
{
    uint64_t digits = 0, n = 1;
    do {
        digits = digits << 8 | (uint64_t)('0' + id % 10);
        n++;
    } while (id /= 10);
    return n << 56 | digits << 8 | ' ';
}

struct token_writer *tokens_begin(FILE *f, const struct token_kind *kind)
{
    struct token_writer *w = zalloc(1, sizeof *w);
    char *name = token_kind_name(kind);
    const int n = kind->size < TABLE ? kind->size : TABLE;

    *w = (struct token_writer){.f = f, .kind = *kind, .in_table = (unsigned)n, .fresh = 1};
    widen_pipe(f);
    w->buffer = zalloc(BUFFER + ROOM, 1);
    w->table = zalloc((size_t)n, sizeof *w->table);
    for (int id = 0; id < n; id++)
        w->table[id] = table_entry(id);
    if (fprintf(f, "# vocab=%s size=%d eot=%d\n", name, kind->size, kind->eot) < 0)
        die("token text:");
    free(name);
    return w;
}

/* An id that is not in the table. */
static char *put_other(const struct token_writer *w, char *s, int id)
{
    if (id < 0 || id >= w->kind.size)
        die("token id %d is beyond the vocabulary (0..%d)", id, w->kind.size - 1);
    return s + sprintf(s, " %d", id);
}

static inline char *put(const struct token_writer *w, char *s, int id)
{
    if ((unsigned)id >= w->in_table)
        return put_other(w, s, id);
    memcpy(s, &w->table[id], 8);
    return s + (w->table[id] >> 56);
}

void tokens_side(struct token_writer *w, const int *ids, size_t n, int side)
{
    for (; w->side < side; w->side++, w->fresh = 1)
        w->buffer[w->used++] = '\t';
    w->tokens += n;
    if (n && w->fresh) {
        char *s = w->buffer + w->used, *end = put(w, s, *ids++);
        memmove(s, s + 1, (size_t)(end - s) - 1);       /* no blank before the first */
        w->used = (size_t)(end - w->buffer) - 1;
        w->fresh = 0;
        n--;
    }
    while (n) {
        const size_t fit = (BUFFER - w->used) / ROOM, take = n < fit ? n : fit;
        char *s = w->buffer + w->used;
        for (size_t i = 0; i < take; i++)
            s = put(w, s, ids[i]);
        w->used = (size_t)(s - w->buffer);
        ids += take;
        n -= take;
        if (BUFFER - w->used < ROOM)
            flush(w);
    }
    if (BUFFER - w->used < ROOM)
        flush(w);
}

void tokens_end_document(struct token_writer *w)
{
    w->buffer[w->used++] = '\n';
    w->side = 0;
    w->fresh = 1;
    w->documents++;
    if (BUFFER - w->used < ROOM)
        flush(w);
}

char *tokens_format(const struct token_writer *w, const int *ids, size_t n, int fresh, char *out)
{
    if (n && fresh) {
        char *end = put(w, out, *ids++);
        memmove(out, out + 1, (size_t)(end - out) - 1);     /* no blank before the first */
        out = end - 1;
        n--;
    }
    for (size_t i = 0; i < n; i++)
        out = put(w, out, ids[i]);
    return out;
}

void tokens_append(struct token_writer *w, const char *text, size_t n, uint64_t documents,
                   uint64_t tokens)
{
    flush(w);
    if (fwrite(text, 1, n, w->f) != n)
        die("token text:");
    w->documents += documents;
    w->tokens += tokens;
}

void tokens_end(struct token_writer *w)
{
    flush(w);
    if (fprintf(w->f, "# end documents=%llu tokens=%llu\n", (unsigned long long)w->documents,
                (unsigned long long)w->tokens) < 0 || fflush(w->f))
        die("token text:");
    free(w->table);
    free(w->buffer);
    free(w);
}
