#include "text/joins.h"
#include "base/base.h"
#include <stdlib.h>
#include <string.h>

/* A word as the symbols it is made of by now. */
struct word {
    size_t at;                  /* in j->symbols */
    uint32_t n;
    int64_t count;
};

struct joins {
    struct pair_table *pairs;
    struct word *words;
    size_t n_words;
    uint32_t *symbols;          /* of all words */
    size_t used, room;
    struct pair best;
};

struct joins *joins_new(pair_before *before, const void *context)
{
    struct joins *j = zalloc(1, sizeof *j);
    j->pairs = pairs_new(before, context);
    return j;
}

void joins_free(struct joins *j)
{
    pairs_free(j->pairs);
    free(j->best.words);
    free(j->words);
    free(j->symbols);
    free(j);
}

void joins_word(struct joins *j, const uint32_t *symbols, uint32_t n, int64_t count)
{
    if (j->n_words == UINT32_MAX)
        die("more than 2^32 distinct words");
    if (j->used + n > j->room) {
        j->room = 2 * (j->used + n);
        j->symbols = reallocarray(j->symbols, j->room, sizeof *j->symbols);
        if (!j->symbols)
            die("out of memory (%zu symbols)", j->room);
    }
    memcpy(j->symbols + j->used, symbols, n * sizeof *symbols);
    j->words = grow(j->words, j->n_words, sizeof *j->words);
    j->words[j->n_words] = (struct word){j->used, n, count};
    j->used += n;
    for (uint32_t i = 0; i + 1 < n; i++)
        pairs_change(j->pairs, pair_key(symbols[i], symbols[i + 1]), count, (uint32_t)j->n_words);
    j->n_words++;
}

int joins_best(struct joins *j, int64_t least, uint32_t *left, uint32_t *right)
{
    pairs_settle(j->pairs);
    if (!pairs_take(j->pairs, least, &j->best))
        return 0;
    *left = (uint32_t)(j->best.key >> 32);
    *right = (uint32_t)j->best.key;
    return 1;
}

/* Merge in one word, left to right, and count what its neighbours become. */
static void merge_in(struct joins *j, uint32_t word, uint32_t left, uint32_t right, uint32_t id)
{
    struct word *w = &j->words[word];
    struct pair_table *t = j->pairs;
    uint32_t *ids = j->symbols + w->at, n = 0;

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

void joins_merge(struct joins *j, uint32_t symbol)
{
    const uint32_t left = (uint32_t)(j->best.key >> 32), right = (uint32_t)j->best.key;
    for (uint32_t i = 0; i < j->best.n; i++)
        merge_in(j, j->best.words[i], left, right, symbol);
    free(j->best.words);
    j->best.words = NULL;
}
