#include "text/decoder.h"
#include "base/base.h"
#include <stdlib.h>
#include <string.h>

enum { SHORT = 15, LONG = 255 };

struct token {
    char bytes[SHORT];
    unsigned char n;            /* LONG: see vocab_bytes() */
};

struct decoder {
    const struct vocab *v;
    struct token *tokens;
};

struct decoder *decoder_new(const struct vocab *v)
{
    struct decoder *d = zalloc(1, sizeof *d);
    const int size = vocab_size(v);
    d->v = v;
    d->tokens = zalloc((size_t)size, sizeof *d->tokens);
    for (int id = 0; id < size; id++) {
        size_t n;
        const char *bytes = vocab_bytes(v, id, &n);
        d->tokens[id].n = (unsigned char)(n <= SHORT ? n : LONG);
        memcpy(d->tokens[id].bytes, bytes, n <= SHORT ? n : SHORT);
    }
    return d;
}

void decoder_free(struct decoder *d)
{
    free(d->tokens);
    free(d);
}

size_t decoder_room(const struct decoder *d, const int *ids, size_t n)
{
    size_t room = sizeof(struct token);     /* the last store reaches that far */
    for (size_t i = 0; i < n; i++) {
        size_t size = d->tokens[ids[i]].n;
        if (size == LONG)
            vocab_bytes(d->v, ids[i], &size);
        room += size;
    }
    return room;
}

size_t decoder_run(const struct decoder *d, const int *ids, size_t n, char *out)
{
    char *const begin = out;
    for (size_t i = 0; i < n; i++) {
        const struct token *t = &d->tokens[ids[i]];
        if (t->n != LONG) {
            memcpy(out, t, sizeof *t);
            out += t->n;
            continue;
        }
        size_t size;
        const char *bytes = vocab_bytes(d->v, ids[i], &size);
        memcpy(out, bytes, size);
        out += size;
    }
    return (size_t)(out - begin);
}
