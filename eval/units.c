#include "eval/units.h"
#include "base/base.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "text/vocab.h"
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 16 };

struct counter {
    double words;
    int in_space;           /* the last code point was white space */
    char left[4];           /* bytes of a code point that is not whole yet */
    size_t n_left;
};

static void count_point(struct counter *c, uint32_t point)
{
    const int space = unicode_space(point);
    c->words += space && !c->in_space;
    c->in_space = space;
}

static void count_byte(struct counter *c, char byte)
{
    uint32_t point;
    int bad;
    c->left[c->n_left++] = byte;
    const int size = utf8_decode(c->left, c->n_left, &point, &bad);
    if (size) {
        count_point(c, point);
        c->n_left = 0;
    } else if ((size_t)bad < c->n_left) {   /* no UTF-8, so no white space; begin anew */
        count_point(c, 0xfffd);
        c->n_left = 0;
        count_byte(c, byte);
    }
}

struct units units_count(struct stream *s)
{
    struct units u = {0};
    struct counter c = {0};
    int *ids;
    int open = 0;           /* inside a document */

    if (!*s->kind.vocab || !strcmp(s->kind.vocab, "?"))
        return u;
    struct vocab *v = vocab_open(s->kind.vocab);
    /* White space parts words, but each has its blank in sub-words and word pieces. */
    const double last = vocab_kind(v) == VOCAB_BYTES || vocab_kind(v) == VOCAB_BPE;
    ids = zalloc(CHUNK, sizeof *ids);
    for (uint64_t at = 0; at < s->n; at += CHUNK) {
        const size_t n = s->n - at < CHUNK ? (size_t)(s->n - at) : CHUNK;
        stream_read(s, at, n, ids);
        for (size_t i = 0; i < n; i++) {
            open = ids[i] != s->kind.eot;
            if (!open) {
                u.words += c.words + last;
                c = (struct counter){0};
                continue;
            }
            size_t size;
            const char *bytes = vocab_bytes(v, ids[i], &size);
            for (size_t k = 0; k < size; k++)
                count_byte(&c, bytes[k]);
            u.bytes += (double)size;
        }
    }
    if (open)
        u.words += c.words + last;
    free(ids);
    vocab_free(v);
    return u;
}
