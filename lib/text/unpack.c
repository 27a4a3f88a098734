/* unpack.c - text out of lines of JSON and of pairs. */
#include "base/base.h"
#include "text/documents.h"
#include <stdlib.h>
#include <string.h>

static int blank(const unsigned char *text, size_t n)
{
    while (n && strchr(" \t\r", text[n - 1]) && text[n - 1])
        n--;
    return !n;
}

static void unpack_json(struct text_batch *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->n_spans; i++) {
        struct span s = b->spans[i];
        size_t size;
        if (blank(b->text + s.begin, s.end - s.begin))
            continue;
        const char *why = json_field((char *)b->text + s.begin, s.end - s.begin, b->from->field,
                                     &size);
        if (why)
            die("%s:%zu: %s", b->file, b->line + i, why);
        s.end = s.begin + size;
        b->spans[kept++] = s;
    }
    b->n_spans = kept;
}

static void unpack_pairs(struct text_batch *b)
{
    const size_t n = b->n_spans;
    struct span *lines = b->spans;

    b->spans = NULL;
    b->n_spans = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char *line = b->text + lines[i].begin;
        const unsigned char *tab = memchr(line, '\t', lines[i].end - lines[i].begin);
        if (!tab)
            die("%s:%zu: no TAB between the sides of a pair", b->file, b->line + i);
        const size_t at = (size_t)(tab - b->text);
        if (memchr(tab + 1, '\t', lines[i].end - at - 1))
            die("%s:%zu: more than one TAB in a pair", b->file, b->line + i);
        batch_span(b, lines[i].begin, at, ENDS_SIDE);
        batch_span(b, at + 1, lines[i].end, ENDS_DOCUMENT);
    }
    free(lines);
}

void batch_unpack(struct text_batch *b)
{
    if (b->from->form == FORM_JSONL)
        unpack_json(b);
    if (b->from->form == FORM_PAIRS)
        unpack_pairs(b);
}
