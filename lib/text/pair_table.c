#include "text/pair_table.h"
#include "base/base.h"
#include <stdlib.h>
#include <string.h>

#define NONE (~(uint64_t)0)

struct candidate {
    int64_t count;
    uint64_t key;
};

/* The heap is lazy: a count that changed is found out when its pair is taken. */
struct pair_table {
    struct pair *slots;
    size_t used, mask;
    struct candidate *heap;
    size_t n;
    uint64_t *grown;            /* pairs whose count rose since the last settling */
    size_t n_grown;
    pair_before *before;
    const void *context;
};

static void empty_slots(struct pair_table *t, size_t n)
{
    t->slots = zalloc(n, sizeof *t->slots);
    t->mask = n - 1;
    for (size_t i = 0; i < n; i++)
        t->slots[i].key = NONE;
}

struct pair_table *pairs_new(pair_before *before, const void *context)
{
    struct pair_table *t = zalloc(1, sizeof *t);
    t->before = before;
    t->context = context;
    empty_slots(t, (size_t)1 << 16);
    return t;
}

void pairs_free(struct pair_table *t)
{
    for (size_t i = 0; i <= t->mask; i++)
        free(t->slots[i].words);
    free(t->slots);
    free(t->heap);
    free(t->grown);
    free(t);
}

static struct pair *find(const struct pair_table *t, uint64_t key)
{
    size_t i = (size_t)(key * 0x9E3779B97F4A7C15u >> 32) & t->mask;
    while (t->slots[i].key != key && t->slots[i].key != NONE)
        i = (i + 1) & t->mask;
    return &t->slots[i];
}

static struct pair *find_or_add(struct pair_table *t, uint64_t key)
{
    struct pair *p = find(t, key);
    if (p->key != NONE)
        return p;
    if (2 * ++t->used > t->mask) {
        struct pair *old = t->slots;
        const size_t n = t->mask + 1;
        empty_slots(t, 2 * n);
        for (size_t i = 0; i < n; i++)
            if (old[i].key != NONE)
                *find(t, old[i].key) = old[i];
        free(old);
        p = find(t, key);
    }
    p->key = key;
    return p;
}

void pairs_change(struct pair_table *t, uint64_t key, int64_t by, uint32_t word)
{
    struct pair *p = find_or_add(t, key);
    p->count += by;
    if (by < 0)
        return;
    if (!p->grown) {
        p->grown = 1;
        t->grown = grow(t->grown, t->n_grown, sizeof *t->grown);
        t->grown[t->n_grown++] = key;
    }
    if (p->n && p->words[p->n - 1] == word)
        return;
    p->words = grow(p->words, p->n, sizeof *p->words);
    p->words[p->n++] = word;
}

static int better(const struct pair_table *t, struct candidate a, struct candidate b)
{
    return a.count != b.count ? a.count > b.count : t->before(t->context, a.key, b.key);
}

static void push(struct pair_table *t, struct candidate c)
{
    t->heap = grow(t->heap, t->n, sizeof *t->heap);
    size_t i = t->n++;
    for (; i && better(t, c, t->heap[(i - 1) / 2]); i = (i - 1) / 2)
        t->heap[i] = t->heap[(i - 1) / 2];
    t->heap[i] = c;
}

static struct candidate pop(struct pair_table *t)
{
    const struct candidate top = t->heap[0], c = t->heap[--t->n];
    size_t i = 0;
    for (size_t k; (k = 2 * i + 1) < t->n; i = k) {
        if (k + 1 < t->n && better(t, t->heap[k + 1], t->heap[k]))
            k++;
        if (!better(t, t->heap[k], c))
            break;
        t->heap[i] = t->heap[k];
    }
    t->heap[i] = c;
    return top;
}

void pairs_settle(struct pair_table *t)
{
    for (size_t i = 0; i < t->n_grown; i++) {
        struct pair *p = find(t, t->grown[i]);
        p->grown = 0;
        if (p->count > 0)
            push(t, (struct candidate){p->count, p->key});
    }
    t->n_grown = 0;
}

int pairs_take(struct pair_table *t, int64_t least, struct pair *best)
{
    while (t->n) {
        const struct candidate c = pop(t);
        struct pair *p = find(t, c.key);
        if (p->count != c.count) {
            if (p->count > 0 && p->count < c.count)
                push(t, (struct candidate){p->count, c.key});
            continue;
        }
        if (c.count < least)
            return 0;
        *best = *p;
        p->words = NULL;
        p->n = 0;
        p->count = 0;
        return 1;
    }
    return 0;
}
