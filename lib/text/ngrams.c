/* Short references go by masks of places.  Of longer ones each order numbers its n-grams through
 * an exact table keyed by the number of the first n - 1 words and the last word, so no text is
 * hashed or compared twice. */
#include "text/ngrams.h"
#include "base/base.h"
#include "text/places.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    uint64_t key;
    uint32_t epoch;         /* this pass's, or the slot is free */
    int id;                 /* of the n-gram, in this pass */
    int reference;          /* the one being counted */
    int count, most;        /* in it; in any so far */
};

struct ngrams {
    struct places places;
    uint16_t *found;        /* of each word of a candidate: orders whose n-gram there has matched */
    size_t found_room;
    struct slot *slots;
    size_t mask;
    uint32_t epoch;
    int n_ids;
    int *grams;             /* the number of the n-gram at each place of each text; -1: none */
    size_t room;
};

struct ngrams *ngrams_new(void)
{
    return zalloc(1, sizeof(struct ngrams));
}

void ngrams_free(struct ngrams *g)
{
    if (!g)
        return;
    free(g->places.of);
    free(g->found);
    free(g->slots);
    free(g->grams);
    free(g);
}

static void make_room(struct ngrams *g, size_t words)
{
    if (words + 1 > g->room) {
        g->room = 2 * words + 64;
        free(g->grams);
        g->grams = zalloc(g->room, sizeof *g->grams);
    }
    if (2 * words > g->mask) {
        for (g->mask = 255; 2 * words > g->mask;)
            g->mask = 2 * g->mask + 1;
        free(g->slots);
        g->slots = zalloc(g->mask + 1, sizeof *g->slots);
        g->epoch = 0;
    }
}

static void begin_pass(struct ngrams *g)
{
    g->n_ids = 0;
    if (!++g->epoch) {
        memset(g->slots, 0, (g->mask + 1) * sizeof *g->slots);
        g->epoch = 1;
    }
}

/* The slot where a key is or would be. */
static struct slot *slot_of(const struct ngrams *g, uint64_t key)
{
    uint64_t h = key * UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 32;
    size_t s = h & g->mask;
    while (g->slots[s].epoch == g->epoch && g->slots[s].key != key)
        s = (s + 1) & g->mask;
    return &g->slots[s];
}

static uint64_t key_of(const struct ids *text, const int *grams, size_t i, int order)
{
    return order == 1 ? (uint64_t)(uint32_t)text->at[i]
         : (uint64_t)(uint32_t)grams[i] << 32 | (uint32_t)text->at[i + (size_t)order - 1];
}

static void count_reference(struct ngrams *g, const struct ids *text, int *grams, int order,
                            int reference)
{
    for (size_t i = 0; i + (size_t)order <= text->n; i++) {
        const uint64_t key = key_of(text, grams, i, order);
        struct slot *s = slot_of(g, key);
        if (s->epoch != g->epoch)
            *s = (struct slot){.key = key, .epoch = g->epoch, .id = g->n_ids++,
                               .reference = reference};
        if (s->reference != reference) {
            s->reference = reference;
            s->count = 0;
        }
        if (++s->count > s->most)
            s->most = s->count;
        grams[i] = s->id;
    }
}

static size_t match_candidate(struct ngrams *g, const struct ids *text, int *grams, int order)
{
    size_t hits = 0;
    for (size_t i = 0; i + (size_t)order <= text->n; i++) {
        if (order > 1 && grams[i] < 0)
            continue;
        struct slot *s = slot_of(g, key_of(text, grams, i, order));
        const int known = s->epoch == g->epoch;
        grams[i] = known ? s->id : -1;
        if (known && s->most > 0) {
            s->most--;
            hits++;
        }
    }
    return hits;
}

/* `ends` of a word and an order: the reference's words at which the n-gram that ends here also
 * ends.  An n-gram has places of its own, so each may be spent once on a match: `free`.  Inlined
 * below for the numbers of orders that are usual. */
__attribute__((always_inline))
static inline void match_orders(struct ngrams *g, const struct ids *candidate,
                                const struct ids *reference, int orders, size_t *hits)
{
    uint64_t ends[MAX_ORDER] = {0}, free[MAX_ORDER];

    for (int n = 0; n < orders; n++)
        free[n] = ~UINT64_C(0);
    places_put(&g->places, reference->at, reference->n);
    for (size_t i = 0; i < candidate->n; i++) {
        const uint64_t here = places_of(&g->places, candidate->at[i]);
        for (int n = orders - 1; n > 0; n--)
            ends[n] = ends[n - 1] << 1 & here;
        ends[0] = here;
        unsigned now = 0;
        for (int n = 0; n < orders; n++) {
            const uint64_t left = ends[n] & free[n];
            now |= (unsigned)(left != 0) << n;
            free[n] &= ~(left & -left);
        }
        const unsigned new = now & ~(unsigned)g->found[i];
        g->found[i] |= (uint16_t)new;
        for (int n = 0; n < orders; n++)
            hits[n] += new >> n & 1;
    }
    places_take(&g->places, reference->at, reference->n);
}

static void match_short(struct ngrams *g, const struct ids *candidate,
                        const struct ids *reference, int orders, size_t *hits)
{
    if (orders == 2)
        match_orders(g, candidate, reference, 2, hits);
    else if (orders == 4)
        match_orders(g, candidate, reference, 4, hits);
    else
        match_orders(g, candidate, reference, orders, hits);
}

/* The k-th time that an n-gram stands in the candidate is a match if some reference has it k
 * times; each reference matches the first of them. */
static void match_all_short(struct ngrams *g, const struct ids *candidate,
                            const struct ids *references, int n_references, int orders,
                            size_t *hits)
{
    if (candidate->n >= g->found_room) {
        free(g->found);
        g->found_room = 2 * candidate->n + 64;
        g->found = zalloc(g->found_room, sizeof *g->found);
    }
    memset(g->found, 0, candidate->n * sizeof *g->found);
    memset(hits, 0, (size_t)orders * sizeof *hits);
    for (int r = 0; r < n_references; r++)
        match_short(g, candidate, &references[r], orders, hits);
}

void ngrams_match(struct ngrams *g, const struct ids *candidate, const struct ids *references,
                  int n_references, int orders, size_t *hits)
{
    size_t words = candidate->n, longest = 0;
    for (int r = 0; r < n_references; r++) {
        words += references[r].n;
        longest = references[r].n > longest ? references[r].n : longest;
    }
    if (longest <= MOST_PLACES) {
        match_all_short(g, candidate, references, n_references, orders, hits);
        return;
    }
    make_room(g, words);
    for (int order = 1; order <= orders; order++) {
        int *grams = g->grams;
        begin_pass(g);
        for (int r = 0; r < n_references; r++) {
            count_reference(g, &references[r], grams, order, r);
            grams += references[r].n;
        }
        hits[order - 1] = match_candidate(g, candidate, grams, order);
    }
}
