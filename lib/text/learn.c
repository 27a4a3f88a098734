#include "text/learn.h"
#include "base/base.h"
#include "base/file.h"
#include "text/joins.h"
#include "text/vocab_inside.h"
#include <stdlib.h>

struct learner {
    struct vocab *v;
    struct joins *joins;
    size_t pool_size;
};

static int lower_ids_first(const void *context, uint64_t a, uint64_t b)
{
    (void)context;
    return a < b;
}

static void add_token(struct learner *l, const char *bytes, size_t n)
{
    struct vocab *v = l->v;
    v->tokens[v->size].at = (uint32_t)l->pool_size;
    v->tokens[v->size].n = (uint32_t)n;
    memcpy(v->pool + l->pool_size, bytes, n);
    l->pool_size += n;
    v->size++;
}

/* Each piece is a word of its bytes' symbols. */
static void begin(struct learner *l, const struct piece_counts *counts)
{
    uint32_t *ids = NULL;
    size_t n, room = 0;

    l->joins = joins_new(lower_ids_first, NULL);
    for (size_t i = 0; i <= counts->mask; i++) {
        const struct piece_count *s = &counts->slots[i];
        if (!s->count)
            continue;
        const unsigned char *bytes = counts_piece(counts, s, &n);
        if (n > room) {
            room = 2 * n;
            free(ids);
            ids = zalloc(room, sizeof *ids);
        }
        for (size_t k = 0; k < n; k++)
            ids[k] = (uint32_t)l->v->bpe.byte_id[bytes[k]];
        joins_word(l->joins, ids, (uint32_t)n, (int64_t)s->count);
    }
    free(ids);
}

static int merge_best(struct learner *l)
{
    struct vocab *v = l->v;
    uint32_t left, right;
    if (!joins_best(l->joins, 1, &left, &right))
        return 0;
    const uint32_t id = (uint32_t)v->size, left_size = v->tokens[left].n;
    const size_t size = (size_t)left_size + v->tokens[right].n;
    char *bytes = zalloc(size, 1);

    memcpy(bytes, v->pool + v->tokens[left].at, left_size);
    memcpy(bytes + left_size, v->pool + v->tokens[right].at, size - left_size);
    v->pool = realloc(v->pool, l->pool_size + size);
    if (!v->pool)
        die("out of memory");
    add_token(l, bytes, size);
    free(bytes);
    bpe_add(&v->bpe, (int)left, (int)right, (int)id);
    joins_merge(l->joins, id);
    return 1;
}

struct vocab *learn_vocab(const struct piece_counts *counts, int size)
{
    struct learner l = {.v = zalloc(1, sizeof *l.v)};
    struct vocab *v = l.v;

    v->tokens = zalloc((size_t)size, sizeof *v->tokens);
    v->pool = zalloc(256, 1);
    bpe_begin(&v->bpe, (size_t)size);
    for (int i = 0; i < 256; i++) {
        const char byte = (char)alphabet_byte(i);
        v->bpe.byte_id[(unsigned char)byte] = i;
        add_token(&l, &byte, 1);
    }
    begin(&l, counts);
    while (v->size < size - 1 && merge_best(&l))
        ;
    v->eot = v->size++;
    bpe_seal(&v->bpe);
    joins_free(l.joins);
    return v;
}

void learn_save(const struct vocab *v, const char *path)
{
    char *temp = outdir_begin(path);
    vocab_save(v, temp);
    outdir_commit(temp, path);
}
