#include "text/bpe.h"
#include "base/base.h"
#include <stdlib.h>
#include <string.h>

enum { SHORT = 64, PLACE_BITS = 6, RANK_BITS = 24 };
#define NO_RANK 0xFFFFFFFFu
#define RANK_MASK ((1u << RANK_BITS) - 1)

void bpe_begin(struct bpe *b, size_t merges)
{
    int bits = 10;
    while ((size_t)1 << bits < 2 * merges)
        bits++;
    b->merges = zalloc(merges, sizeof *b->merges);
    b->slots = zalloc((size_t)1 << bits, sizeof *b->slots);
    b->mask = ((size_t)1 << bits) - 1;
    b->shift = 64 - bits;
    b->n = 0;
}

void bpe_end(struct bpe *b)
{
    free(b->merges);
    free(b->slots);
    free(b->byte_pairs);
}

static uint64_t hash(int left, int right)
{
    return ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9E3779B97F4A7C15u;
}

/* The bits of a hash that a slot holds. */
static uint32_t tag_of(uint64_t h)
{
    return (uint32_t)(h >> 8) & ~RANK_MASK;
}

/* The slot of a pair, or the empty one where it belongs.  Most of those asked for are not there:
 * the hash's bits in a slot say so without a look at the merge. */
static uint32_t *slot_of(const struct bpe *b, int left, int right)
{
    const uint64_t h = hash(left, right);
    const uint32_t tag = tag_of(h);
    size_t i = (size_t)(h >> b->shift);

    for (uint32_t slot; (slot = b->slots[i]); i = (i + 1) & b->mask) {
        const struct merge *m = &b->merges[(slot & RANK_MASK) - 1];
        if ((slot & ~RANK_MASK) == tag && m->left == left && m->right == right)
            break;
    }
    return &b->slots[i];
}

void bpe_add(struct bpe *b, int left, int right, int id)
{
    uint32_t *slot = slot_of(b, left, right);
    b->merges[b->n++] = (struct merge){left, right, id};
    if (!*slot)
        *slot = tag_of(hash(left, right)) | (uint32_t)b->n;
}

/* The rank of the merge of two neighbours, or NO_RANK. */
static inline uint32_t rank_of(const struct bpe *b, int left, int right)
{
    return (*slot_of(b, left, right) & RANK_MASK) - 1;
}

void bpe_seal(struct bpe *b)
{
    int most = 0;
    for (int i = 0; i < 256; i++)
        most = b->byte_id[i] > most ? b->byte_id[i] : most;
    short *byte_of = zalloc((size_t)most + 1, sizeof *byte_of);     /* + 1; 0: of none */
    for (int i = 0; i < 256; i++)
        byte_of[b->byte_id[i]] = (short)(i + 1);

    free(b->byte_pairs);
    b->byte_pairs = zalloc(1 << 16, sizeof *b->byte_pairs);
    memset(b->byte_pairs, 0xFF, (1 << 16) * sizeof *b->byte_pairs);
    for (size_t rank = b->n; rank-- > 0;) {
        const int left = b->merges[rank].left, right = b->merges[rank].right;
        if (left <= most && right <= most && byte_of[left] && byte_of[right])
            b->byte_pairs[(byte_of[left] - 1) << 8 | (byte_of[right] - 1)] = (uint32_t)rank;
    }
    free(byte_of);
}

/* A piece whose symbols stay where their first bytes stood.  A merge's order is its rank, then
 * its place, in one number. */
struct short_piece {
    const struct bpe *b;
    uint64_t alive;                     /* a bit for each place that has a symbol */
    uint32_t order[SHORT];              /* of the merge with the next symbol, or NO_RANK */
    int ids[SHORT];
};

static uint32_t order_of(uint32_t rank, size_t place)
{
    return rank == NO_RANK ? NO_RANK : rank << PLACE_BITS | (uint32_t)place;
}

static void expect(struct short_piece *p, int left, int right)
{
    p->order[left] = order_of(rank_of(p->b, p->ids[left], p->ids[right]), (size_t)left);
}

static inline uint32_t lower(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The least of the orders in n places, by eights and without a branch for each. */
static uint32_t first_order(const uint32_t *order, size_t n)
{
    uint32_t best = NO_RANK;
    for (size_t i = 0; i < n; i += 8, order += 8)
        best = lower(best, lower(lower(lower(order[0], order[1]), lower(order[2], order[3])),
                                 lower(lower(order[4], order[5]), lower(order[6], order[7]))));
    return best;
}

static void merge_at(struct short_piece *p, uint32_t rank, int place)
{
    const uint64_t behind = ~(uint64_t)1 << place, before = ((uint64_t)1 << place) - 1;
    const int next = __builtin_ctzll(p->alive & behind);

    p->alive &= ~((uint64_t)1 << next);
    p->order[place] = p->order[next] = NO_RANK;
    p->ids[place] = p->b->merges[rank].id;
    if (p->alive & behind)
        expect(p, place, __builtin_ctzll(p->alive & behind));
    if (p->alive & before)
        expect(p, 63 - __builtin_clzll(p->alive & before), place);
}

static size_t encode_short(const struct bpe *b, const unsigned char *piece, size_t n, int *ids)
{
    struct short_piece p;       /* not zeroed: it is longer than most pieces take */
    const size_t room = (n + 7) / 8 * 8;
    size_t out = 0;

    p.b = b;
    p.alive = ~(uint64_t)0 >> (64 - n);
    for (size_t i = 0; i < n; i++)
        p.ids[i] = b->byte_id[piece[i]];
    for (size_t i = 0; i + 1 < n; i++)
        p.order[i] = order_of(b->byte_pairs[piece[i] << 8 | piece[i + 1]], i);
    for (size_t i = n - 1; i < room; i++)
        p.order[i] = NO_RANK;
    for (uint32_t first; (first = first_order(p.order, room)) != NO_RANK;)
        merge_at(&p, first >> PLACE_BITS, (int)(first % SHORT));
    for (; p.alive; p.alive &= p.alive - 1)
        ids[out++] = p.ids[__builtin_ctzll(p.alive)];
    return out;
}

/* A long piece is a linked list of parts with a heap of the merges that may be
 * done; one that came to be out of date is seen by its rank and dropped. */
struct part { size_t left, right; int id; };
struct candidate { uint32_t rank; size_t at; };
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
    const size_t right = p->parts[at].right;
    if (right == end)
        return;
    const uint32_t rank = rank_of(b, p->parts[at].id, p->parts[right].id);
    if (rank != NO_RANK)
        heap_push(p, (struct candidate){rank, at});
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
        if (left->id < 0 || left->right == n)
            continue;
        struct part *right = &p.parts[left->right];
        if (rank_of(b, left->id, right->id) != c.rank)
            continue;
        left->id = b->merges[c.rank].id;
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

static uint32_t lowest_rank(const struct bpe *b, const int *ids, size_t n)
{
    uint32_t best = NO_RANK;
    for (size_t i = 0; i + 1 < n; i++)
        best = lower(best, rank_of(b, ids[i], ids[i + 1]));
    return best;
}

size_t bpe_merge(const struct bpe *b, int *ids, uint32_t *ends, size_t n)
{
    for (uint32_t rank; (rank = lowest_rank(b, ids, n)) != NO_RANK;) {
        const struct merge *m = &b->merges[rank];
        size_t kept = 0;
        for (size_t i = 0; i < n; i++, kept++) {
            const int here = i + 1 < n && ids[i] == m->left && ids[i + 1] == m->right;
            ids[kept] = here ? m->id : ids[i];
            i += (size_t)here;
            ends[kept] = ends[i];
        }
        n = kept;
    }
    return n;
}
