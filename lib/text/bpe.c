#include "text/bpe.h"
#include "base/base.h"
#include <stdlib.h>
#include <string.h>

enum { SHORT = 64, NO_RANK = 0xFFFFFFFF };

static size_t slot_of(uint64_t pair, size_t mask)
{
    return (size_t)(pair * 0x9E3779B97F4A7C15u >> 32 ^ pair * 0x9E3779B97F4A7C15u >> 20) & mask;
}

void bpe_begin(struct bpe *b, size_t merges)
{
    size_t slots = 1024;
    while (slots < 2 * merges)
        slots *= 2;
    b->table = zalloc(slots, sizeof *b->table);
    memset(b->table, 0xFF, slots * sizeof *b->table);
    b->mask = slots - 1;
    b->n = 0;
}

void bpe_end(struct bpe *b)
{
    free(b->table);
}

static struct merge *find(const struct bpe *b, uint64_t pair)
{
    size_t i = slot_of(pair, b->mask);
    while (b->table[i].pair != pair && b->table[i].pair != NO_PAIR)
        i = (i + 1) & b->mask;
    return &b->table[i];
}

static uint64_t pair_of(int left, int right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

void bpe_add(struct bpe *b, int left, int right, int id)
{
    struct merge *m = find(b, pair_of(left, right));
    if (m->pair == NO_PAIR)
        *m = (struct merge){pair_of(left, right), (uint32_t)b->n, (uint32_t)id};
    b->n++;
}

/* The merge of two neighbours: its rank, or NO_RANK. */
static uint32_t rank_of(const struct bpe *b, int left, int right, int *id)
{
    const struct merge *m = find(b, pair_of(left, right));
    *id = (int)m->id;
    return m->rank;         /* an empty slot is all ones: NO_RANK */
}

static size_t encode_short(const struct bpe *b, const unsigned char *piece, size_t n, int *ids)
{
    uint32_t rank[SHORT];
    int merged[SHORT];      /* what ids[i] and ids[i + 1] would become */

    for (size_t i = 0; i < n; i++)
        ids[i] = b->byte_id[piece[i]];
    for (size_t i = 0; i + 1 < n; i++)
        rank[i] = rank_of(b, ids[i], ids[i + 1], &merged[i]);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (rank[i] < rank[best])
                best = i;
        if (rank[best] == NO_RANK)
            break;
        ids[best] = merged[best];
        n--;
        for (size_t i = best + 1; i < n; i++) {
            ids[i] = ids[i + 1];
            rank[i] = rank[i + 1];
            merged[i] = merged[i + 1];
        }
        if (best + 1 < n)
            rank[best] = rank_of(b, ids[best], ids[best + 1], &merged[best]);
        if (best)
            rank[best - 1] = rank_of(b, ids[best - 1], ids[best], &merged[best - 1]);
    }
    return n;
}

/* A long piece is a linked list of parts with a heap of the merges that may be
 * done; one that came to be out of date is seen by its rank and dropped. */
struct part { size_t left, right; int id; };
struct candidate { uint32_t rank; int id; size_t at; };
struct long_piece {
    struct part *parts;
    struct candidate *heap;
    size_t heap_size;
};

static int sooner(struct candidate a, struct candidate b)
{
    return a.rank < b.rank || (a.rank == b.rank && a.at < b.at);
}

static void heap_push(struct long_piece *p, struct candidate c)
{
    size_t i = p->heap_size++;
    for (; i && sooner(c, p->heap[(i - 1) / 2]); i = (i - 1) / 2)
        p->heap[i] = p->heap[(i - 1) / 2];
    p->heap[i] = c;
}

static struct candidate heap_pop(struct long_piece *p)
{
    const struct candidate top = p->heap[0], c = p->heap[--p->heap_size];
    size_t i = 0;
    for (size_t k; (k = 2 * i + 1) < p->heap_size; i = k) {
        if (k + 1 < p->heap_size && sooner(p->heap[k + 1], p->heap[k]))
            k++;
        if (!sooner(p->heap[k], c))
            break;
        p->heap[i] = p->heap[k];
    }
    p->heap[i] = c;
    return top;
}

static void consider(const struct bpe *b, struct long_piece *p, size_t at, size_t end)
{
    struct candidate c = {.at = at};
    const size_t right = p->parts[at].right;
    if (right == end)
        return;
    c.rank = rank_of(b, p->parts[at].id, p->parts[right].id, &c.id);
    if (c.rank != NO_RANK)
        heap_push(p, c);
}

static size_t encode_long(const struct bpe *b, const unsigned char *piece, size_t n, int *ids)
{
    struct long_piece p = {zalloc(n, sizeof *p.parts), zalloc(3 * n, sizeof *p.heap), 0};
    size_t out = 0;

    for (size_t i = 0; i < n; i++)
        p.parts[i] = (struct part){i - 1, i + 1, b->byte_id[piece[i]]};
    for (size_t i = 0; i < n; i++)
        consider(b, &p, i, n);
    while (p.heap_size) {
        const struct candidate c = heap_pop(&p);
        struct part *left = &p.parts[c.at];
        int id;
        if (left->id < 0 || left->right == n)
            continue;
        struct part *right = &p.parts[left->right];
        if (rank_of(b, left->id, right->id, &id) != c.rank)
            continue;
        left->id = id;
        right->id = -1;
        left->right = right->right;
        if (left->right < n)
            p.parts[left->right].left = c.at;
        if (c.at)
            consider(b, &p, left->left, n);
        consider(b, &p, c.at, n);
    }
    for (size_t i = 0; i < n; i = p.parts[i].right)
        ids[out++] = p.parts[i].id;
    free(p.parts);
    free(p.heap);
    return out;
}

size_t bpe_encode(const struct bpe *b, const unsigned char *piece, size_t n, int *ids)
{
    return (n <= SHORT ? encode_short : encode_long)(b, piece, n, ids);
}

/* The merge of the neighbours of lowest rank, or one of NO_RANK. */
static struct merge lowest(const struct bpe *b, const int *ids, size_t n)
{
    struct merge best = {.pair = NO_PAIR, .rank = NO_RANK};
    for (size_t i = 0; i + 1 < n; i++) {
        const struct merge *m = find(b, pair_of(ids[i], ids[i + 1]));
        if (m->rank < best.rank)
            best = *m;
    }
    return best;
}

size_t bpe_merge(const struct bpe *b, int *ids, uint32_t *ends, size_t n)
{
    for (;;) {
        const struct merge best = lowest(b, ids, n);
        size_t kept = 0;
        if (best.rank == NO_RANK)
            return n;
        for (size_t i = 0; i < n; i++, kept++) {
            const int here = i + 1 < n && pair_of(ids[i], ids[i + 1]) == best.pair;
            ids[kept] = here ? (int)best.id : ids[i];
            i += (size_t)here;
            ends[kept] = ends[i];
        }
        n = kept;
    }
}
