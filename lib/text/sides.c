#include "text/sides.h"
#include "base/base.h"
#include "base/stream.h"
#include <stdlib.h>
#include <string.h>

enum { BUFFER = 1 << 16, BATCH = 1 << 18 };

/* One file, a line at a time. */
struct lines {
    struct stream *stream;
    char *buffer;
    size_t at, n, room;
    int ended;
};

struct sides {
    struct lines file[2];
    size_t line, bytes;
};

struct sides *sides_open(const char *source, const char *target)
{
    struct sides *s = zalloc(1, sizeof *s);
    s->file[0].stream = stream_open(source);
    s->file[1].stream = stream_open(target);
    return s;
}

void sides_close(struct sides *s)
{
    for (int i = 0; i < 2; i++) {
        stream_close(s->file[i].stream);
        free(s->file[i].buffer);
    }
    free(s);
}

size_t sides_bytes(const struct sides *s)
{
    return s->bytes;
}

static void read_more(struct lines *l)
{
    if (l->at) {
        memmove(l->buffer, l->buffer + l->at, l->n - l->at);
        l->n -= l->at;
        l->at = 0;
    }
    if (l->n + BUFFER > l->room) {
        l->room = 2 * l->room + BUFFER;
        l->buffer = realloc(l->buffer, l->room);
        if (!l->buffer)
            die("out of memory (%zu bytes)", l->room);
    }
    const size_t got = stream_read(l->stream, l->buffer + l->n, BUFFER);
    l->n += got;
    l->ended = got < BUFFER;
}

/* The next line without its end, valid until the next call; NULL at the end. */
static const char *next_line(struct lines *l, size_t *n)
{
    for (size_t seen = 0;;) {
        const size_t have = l->n - l->at;
        const char *begin = l->buffer + l->at, *end = NULL;
        if (have > seen)
            end = memchr(begin + seen, '\n', have - seen);
        if (end || (l->ended && have)) {
            *n = end ? (size_t)(end - begin) : have;
            l->at += *n + (end != NULL);
            return begin;
        }
        if (l->ended)
            return NULL;
        seen = have;
        read_more(l);
    }
}

static void append(struct text_batch *b, const char *line, size_t n, enum span_end ends)
{
    if (b->n + n > b->room)
        batch_room(b, 2 * (b->n + n));
    memcpy(b->text + b->n, line, n);
    batch_span(b, b->n, b->n + n, ends);
    b->n += n;
}

int sides_next(struct sides *s, struct text_batch *b)
{
    b->n = b->n_spans = 0;
    b->continues = 0;
    batch_room(b, BATCH);
    while (b->n < BATCH && b->n_spans < BATCH) {
        size_t n[2];
        const char *source = next_line(&s->file[0], &n[0]);
        const char *target = next_line(&s->file[1], &n[1]);
        if (!source != !target)
            die("%s: ends after %zu lines, but %s goes on; both need as many",
                stream_name(s->file[source != NULL].stream), s->line,
                stream_name(s->file[source == NULL].stream));
        if (!source)
            break;
        append(b, source, n[0], ENDS_SIDE);
        append(b, target, n[1], ENDS_DOCUMENT);
        s->line++;
        s->bytes += n[0] + n[1] + 2;
    }
    return b->n_spans > 0;
}
