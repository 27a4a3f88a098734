/* batch.c - batches of windows, filled ahead of use by one thread.
 *
 * Window k of the run (batch k / size, row k % size) is a function of the seed and k;
 * the thread only decides when it is read. */
#include "data/batch.h"
#include "base/base.h"
#include "base/random.h"
#include "data/permute.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { AHEAD = 3 /* batches ready or in use */, SITE_WINDOW = 0x77696e64 /* "wind" */ };

struct batches {
    struct shards *shards;
    int size, time;
    enum window_order order;
    struct masking mask;
    uint64_t seed, windows;
    struct batch ring[AHEAD];
    int *window;                        /* [time + 1] */
    uint64_t first, filled, given;      /* numbers of batches: the next to fill, to give */
    int stop;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t change;
};

/* The first token of window k of the run. */
static uint64_t window_start(const struct batches *b, uint64_t k)
{
    const uint64_t n = b->windows, time = (uint64_t)b->time;
    switch (b->order) {
    case WINDOWS_RANDOM:
        return random_below(b->seed, SITE_WINDOW, 0, k, shards_tokens(b->shards) - time);
    case WINDOWS_PERMUTED:
        return time * permute(k % n, n, b->seed, (uint32_t)(k / n));
    default:
        return time * k;
    }
}

static void fill(struct batches *b, struct batch *out, uint64_t number)
{
    const size_t time = (size_t)b->time;
    out->windows = 0;
    for (int r = 0; r < b->size; r++) {
        const uint64_t k = number * (uint64_t)b->size + (uint64_t)r;
        const int real = b->order != WINDOWS_IN_ORDER || k < b->windows;
        int *ids = out->ids + (size_t)r * time, *targets = out->targets + (size_t)r * time;
        if (real) {
            shards_read(b->shards, window_start(b, k), time + 1, b->window);
            out->windows++;
        }
        memcpy(ids, b->window, time * sizeof *ids);
        if (real && b->mask.share > 0)
            mask_window(&b->mask, b->seed, k, ids, targets, b->time);
        else if (real)
            memcpy(targets, b->window + 1, time * sizeof *targets);
        else
            memset(targets, -1, time * sizeof *targets);
    }
}

static int is_last(const struct batches *b, uint64_t number)
{
    return b->order == WINDOWS_IN_ORDER
           && number >= (b->windows + (uint64_t)b->size - 1) / (uint64_t)b->size;
}

/* Fill the ring; the batch given last is still in use. */
static void *fill_ahead(void *arg)
{
    struct batches *b = arg;
    pthread_mutex_lock(&b->lock);
    while (!is_last(b, b->filled)) {
        while (!b->stop && b->filled + (b->given > b->first) >= b->given + AHEAD)
            pthread_cond_wait(&b->change, &b->lock);
        if (b->stop)
            break;
        pthread_mutex_unlock(&b->lock);
        fill(b, &b->ring[b->filled % AHEAD], b->filled);
        pthread_mutex_lock(&b->lock);
        b->filled++;
        pthread_cond_signal(&b->change);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

struct batches *batches_open(struct shards *s, int size, int time, enum window_order order,
                             const struct masking *mask, uint64_t seed, uint64_t first)
{
    struct batches *b = zalloc(1, sizeof *b);
    const uint64_t tokens = shards_tokens(s);
    const size_t cells = (size_t)size * (size_t)time;

    if (tokens <= (uint64_t)time)
        die("the split has %llu tokens, and one window of %d needs %llu",
            (unsigned long long)tokens, time, (unsigned long long)time + 1);
    *b = (struct batches){.shards = s, .size = size, .time = time, .order = order, .seed = seed,
                          .windows = (tokens - 1) / (uint64_t)time,
                          .first = first, .filled = first, .given = first};
    if (mask)
        b->mask = *mask;
    b->window = zalloc((size_t)time + 1, sizeof *b->window);
    for (int i = 0; i < AHEAD; i++) {
        b->ring[i].ids = zalloc(cells, sizeof *b->ring[i].ids);
        b->ring[i].targets = zalloc(cells, sizeof *b->ring[i].targets);
    }
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->change, NULL);
    if (pthread_create(&b->thread, NULL, fill_ahead, b))
        die("cannot start a thread");
    return b;
}

const struct batch *batches_next(struct batches *b)
{
    if (is_last(b, b->given))
        return NULL;
    pthread_mutex_lock(&b->lock);
    const struct batch *next = &b->ring[b->given++ % AHEAD];
    pthread_cond_signal(&b->change);        /* the one before may be filled again */
    while (b->filled < b->given)
        pthread_cond_wait(&b->change, &b->lock);
    pthread_mutex_unlock(&b->lock);
    return next;
}

uint64_t batches_windows(const struct batches *b)
{
    return b->windows;
}

void batches_close(struct batches *b)
{
    pthread_mutex_lock(&b->lock);
    b->stop = 1;
    pthread_cond_signal(&b->change);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    for (int i = 0; i < AHEAD; i++) {
        free(b->ring[i].ids);
        free(b->ring[i].targets);
    }
    pthread_mutex_destroy(&b->lock);
    pthread_cond_destroy(&b->change);
    free(b->window);
    free(b);
}
