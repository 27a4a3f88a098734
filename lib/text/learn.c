#include "text/learn.h"
#include "base/base.h"
#include "base/file.h"
#include "text/pair_table.h"
#include "text/vocab_inside.h"
#include <stdlib.h>

/* A distinct piece as the symbols it is made of by now. */
struct word {
    uint32_t *ids, n;
    int64_t count;
};

struct learner {
    struct vocab *v;
    struct word *words;
    size_t n_words;
    uint32_t *ids;              /* of all words */
    struct pair_table *pairs;
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

/* Symbols of every piece, pairs of every word. */
static void begin(struct learner *l, const struct piece_counts *counts)
{
    size_t total = 0, n;
    for (size_t i = 0; i <= counts->mask; i++)
        if (counts->slots[i].count) {
            counts_piece(counts, &counts->slots[i], &n);
            total += n;
        }
    if (counts->used > UINT32_MAX || total > UINT32_MAX)
        die("more than 2^32 distinct pieces, or bytes of them");
    l->words = zalloc(counts->used, sizeof *l->words);
    l->ids = zalloc(total, sizeof *l->ids);
    l->pairs = pairs_new(lower_ids_first, NULL);

    uint32_t *next = l->ids;
    for (size_t i = 0; i <= counts->mask; i++) {
        const struct piece_count *s = &counts->slots[i];
        if (!s->count)
            continue;
        const unsigned char *bytes = counts_piece(counts, s, &n);
        struct word *w = &l->words[l->n_words];
        *w = (struct word){next, (uint32_t)n, (int64_t)s->count};
        for (size_t k = 0; k < n; k++)
            *next++ = (uint32_t)l->v->bpe.byte_id[bytes[k]];
        for (size_t k = 0; k + 1 < n; k++)
            pairs_change(l->pairs, pair_key(w->ids[k], w->ids[k + 1]), w->count,
                         (uint32_t)l->n_words);
        l->n_words++;
    }
    pairs_settle(l->pairs);
}

/* Merge a pair in one word, left to right, and count what its neighbours become. */
static void merge_in(struct learner *l, uint32_t word, uint32_t left, uint32_t right, uint32_t id)
{
    struct word *w = &l->words[word];
    struct pair_table *t = l->pairs;
    uint32_t *ids = w->ids, n = 0;

    for (uint32_t i = 0; i < w->n;) {
        if (i + 1 == w->n || ids[i] != left || ids[i + 1] != right) {
            ids[n++] = ids[i++];
            continue;
        }
        if (n) {
            pairs_change(t, pair_key(ids[n - 1], left), -w->count, word);
            pairs_change(t, pair_key(ids[n - 1], id), w->count, word);
        }
        if (i + 2 < w->n) {
            pairs_change(t, pair_key(right, ids[i + 2]), -w->count, word);
            pairs_change(t, pair_key(id, ids[i + 2]), w->count, word);
        }
        ids[n++] = id;
        i += 2;
    }
    w->n = n;
}

static int merge_best(struct learner *l)
{
    struct vocab *v = l->v;
    struct pair best;
    if (!pairs_take(l->pairs, 1, &best))
        return 0;
    const uint32_t left = (uint32_t)(best.key >> 32), right = (uint32_t)best.key;
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
    for (uint32_t i = 0; i < best.n; i++)
        merge_in(l, best.words[i], left, right, id);
    free(best.words);
    pairs_settle(l->pairs);
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
    pairs_free(l.pairs);
    free(l.words);
    free(l.ids);
    return v;
}

void learn_save(const struct vocab *v, const char *path)
{
    char *temp = outdir_begin(path);
    vocab_save(v, temp);
    outdir_commit(temp, path);
}
