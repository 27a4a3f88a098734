/* deal.c - documents dealt to train and val.
 *
 * Each document's split depends on the seed and its number alone, so a stream is dealt
 * as it comes; only another order (--shuffle, --split nanogpt) sets it aside first. */
#include "shard/shard.h"
#include "base/base.h"
#include "base/file.h"
#include "base/opt.h"
#include "base/random.h"
#include "data/permute.h"
#include "data/shard_file.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { UNKNOWN = -1, SITE_SPLIT = 0x73706c74 /* "splt" */, SITE_ORDER = 1 };
#define FALLBACK_TAIL 0.1

struct deal {
    const struct making *how;
    struct manifest m;
    struct token_kind kind;         /* vocab as it can be opened now */
    char *temp;
    unsigned char *lengths;
    struct set_writer *set;
    struct spool *spool;            /* NULL: documents go straight to the set */
    int given;                      /* the split of all that comes; UNKNOWN: it is drawn */
    int pairs;                      /* UNKNOWN until the first document shows */
    int *held;                      /* the document at hand, while it must be kept whole */
    size_t n_held, room;
    int two_sided, split;           /* of the document at hand; split UNKNOWN: not begun */
    uint64_t documents, tokens;     /* tokens: without ends of text */
};

struct deal *deal_begin(const struct making *how, const struct token_kind *kind)
{
    struct deal *d = zalloc(1, sizeof *d);
    *d = (struct deal){.how = how, .kind = *kind, .given = UNKNOWN, .pairs = UNKNOWN,
                       .split = UNKNOWN};
    const int nanogpt = !strcmp(how->split, "nanogpt");
    d->m = (struct manifest){.kind = *kind, .command = copy_text(opt_command),
                             .version = copy_text(KEEL_VERSION),
                             .split = copy_text(how->tail > 0 ? "tail" : how->split),
                             .fraction = how->tail > 0 ? how->tail : how->fraction,
                             .seed = (uint64_t)how->seed, .shuffled = how->shuffle};
    d->temp = outdir_begin(how->output);
    d->lengths = id_lengths(kind);
    copy_vocabulary(&d->m.kind, d->temp);
    if (how->shuffle || nanogpt)
        d->spool = spool_begin(d->temp, how->output);
    if (!strcmp(how->split, "none") || how->tail > 0)
        d->given = SPLIT_TRAIN;
    return d;
}

void deal_to(struct deal *d, int split)
{
    d->given = split;
    if (strcmp(d->m.split, "given")) {
        free(d->m.split);
        d->m.split = copy_text("given");
        d->m.fraction = 0;
    }
}

static int draw_split(const struct deal *d, uint64_t document)
{
    if (d->given != UNKNOWN)
        return d->given;
    const struct random4 r = random_at((uint64_t)d->how->seed, SITE_SPLIT, 0, document);
    const double u = (double)((uint64_t)r.v[0] << 21 ^ r.v[1] >> 11) * 0x1p-53;
    return u < d->how->fraction ? SPLIT_VAL : SPLIT_TRAIN;
}

static void open_set(struct deal *d)
{
    if (d->set)
        return;
    d->m.pairs = d->pairs == 1;
    d->set = set_begin(d->temp, d->how->output, &d->m, (uint64_t)d->how->shard_tokens,
                       d->how->level, opt_threads);
}

/* Ids as they are stored, of the document at hand, to where they go. */
static void put(struct deal *d, const int *ids, size_t n)
{
    if (d->spool) {
        spool_ids(d->spool, ids, n);
        return;
    }
    open_set(d);
    if (d->split == UNKNOWN)
        d->split = draw_split(d, d->documents);
    set_add(d->set, d->split, ids, n);
    if (d->lengths)
        set_bytes(d->set, d->split, bytes_of(d->lengths, ids, n));
}

static void hold(struct deal *d, const int *ids, size_t n)
{
    if (!n)
        return;
    if (d->n_held + n > d->room) {
        d->room = 2 * (d->n_held + n);
        d->held = reallocarray(d->held, d->room, sizeof *d->held);
        if (!d->held)
            die("out of memory");
    }
    memcpy(d->held + d->n_held, ids, n * sizeof *ids);
    d->n_held += n;
}

static void put_held(struct deal *d)
{
    if (d->n_held)
        put(d, d->held, d->n_held);
    d->n_held = 0;
}

void deal_ids(struct deal *d, const int *ids, size_t n, int side)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] == d->kind.eot)
            die("document %llu holds id %d, the end of text, which shard adds itself",
                (unsigned long long)d->documents + 1, d->kind.eot);
    if (side && d->pairs == 0)
        die("document %llu is a pair, and those before are not",
            (unsigned long long)d->documents + 1);
    if (side && !d->two_sided) {
        d->two_sided = d->pairs = 1;
        hold(d, &d->kind.eot, 1);
    }
    d->tokens += n;
    if (d->pairs == 0) {
        put(d, ids, n);
        return;
    }
    hold(d, ids, n);
    if (d->pairs == UNKNOWN && d->n_held > FRAME_IDS) {     /* too long for a pair */
        d->pairs = 0;
        put_held(d);
    }
}

void deal_end_document(struct deal *d)
{
    if (d->pairs == UNKNOWN)
        d->pairs = 0;
    if (d->pairs && !d->two_sided)
        die("document %llu has no TAB, and those before are pairs",
            (unsigned long long)d->documents + 1);
    hold(d, &d->kind.eot, 1);
    put_held(d);
    if (d->spool)
        spool_end_document(d->spool);
    else
        set_end_document(d->set, d->split);
    d->documents++;
    d->split = UNKNOWN;
    d->two_sided = 0;
}

void deal_cut(struct deal *d)
{
    if (d->pairs != 1)
        deal_end_document(d);
    d->n_held = 0;
}

void deal_break_off(struct deal *d)
{
    if (d->spool) {
        deal_end_document(d);
        return;
    }
    if (d->pairs == UNKNOWN)
        d->pairs = 0;
    put_held(d);
    d->split = UNKNOWN;
}

static void give(void *arg, const int *ids, size_t n)
{
    struct deal *d = arg;
    set_add(d->set, d->split, ids, n);
    if (d->lengths)
        set_bytes(d->set, d->split, bytes_of(d->lengths, ids, n));
}

/* nanoGPT's: the first ceil(fraction n) documents of the permutation are val, in its order. */
static void deal_as_nanogpt(struct deal *d)
{
    const uint64_t n = d->documents, n_val = (uint64_t)ceil(d->how->fraction * (double)n);
    if (n > UINT32_MAX || n_val >= n)
        die("nanoGPT's split of %llu documents leaves none to train", (unsigned long long)n);
    uint32_t *order = numpy_permutation((uint64_t)d->how->seed, (uint32_t)n);
    for (uint64_t i = 0; i < n; i++) {
        d->split = i < n_val ? SPLIT_VAL : SPLIT_TRAIN;
        spool_read(d->spool, order[i], give, d);
        set_end_document(d->set, d->split);
    }
    free(order);
}

static void deal_shuffled(struct deal *d)
{
    for (uint64_t i = 0; i < d->documents; i++) {
        const uint64_t k = permute(i, d->documents, (uint64_t)d->how->seed, SITE_ORDER);
        d->split = draw_split(d, k);
        spool_read(d->spool, k, give, d);
        set_end_document(d->set, d->split);
    }
}

/* The set again when a split that was asked for has nothing. */
static void mend_splits(struct deal *d, uint64_t train, uint64_t val)
{
    double tail = d->how->tail;
    if (strcmp(d->how->split, "none") && tail <= 0 && d->how->fraction > 0
        && strcmp(d->m.split, "given") && (!train || !val)) {
        tail = FALLBACK_TAIL;
        warn("a fraction of %g of %llu documents left none for %s, so the last tenth of the tokens "
             "is val; --val-fraction or --val-tail chooses otherwise", d->how->fraction,
             (unsigned long long)d->documents, val ? "train" : "val");
    }
    if (tail > 0)
        recut(d->temp, d->how->output, &d->m, d->how, tail, d->lengths);
}

void deal_finish(struct deal *d)
{
    if (!d->tokens)
        die("the corpus is empty: %llu documents, no tokens", (unsigned long long)d->documents);
    open_set(d);
    if (d->spool && !strcmp(d->how->split, "nanogpt"))
        deal_as_nanogpt(d);
    else if (d->spool)
        deal_shuffled(d);
    if (d->spool)
        spool_end(d->spool);
    const uint64_t train = set_tokens(d->set, SPLIT_TRAIN), val = set_tokens(d->set, SPLIT_VAL);
    set_finish(d->set);
    mend_splits(d, train, val);
    outdir_commit(d->temp, d->how->output);
    manifest_free(&d->m);
    free(d->lengths);
    free(d->held);
    free(d);
}
