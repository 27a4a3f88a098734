/* batches.c - windows from a set whose id at each place is a known function of the
 * place, over many shards and frames, through a cache of a few frames. */
#include "base/base.h"
#include "base/file.h"
#include "data/batch.h"
#include "data/permute.h"
#include "data/set_write.h"
#include "tests/tap.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 100003, SIZE = 50000, TIME = 64, BATCH = 7 };

static char folder[64];

static int id_at(uint64_t i)
{
    return (int)((i * 2654435761u >> 7) % SIZE);
}

static void make_set(int tokens, const char *path)
{
    struct manifest m = {.kind = {"gpt2", SIZE, SIZE - 1}, .command = copy_text("test"),
                         .version = copy_text("test"), .split = copy_text("none")};
    make_folder(path);
    struct set_writer *w = set_begin(path, path, &m, 30000, 1, 2);
    for (int i = 0; i < tokens; i++) {
        const int id = id_at((uint64_t)i);
        set_add(w, SPLIT_TRAIN, &id, 1);
    }
    set_finish(w);
    manifest_free(&m);
}

static struct shards *open_small_cache(void)
{
    struct shards *s = shards_open(folder, "train");
    shards_cache(s, 100000);        /* three frames of 16,384 u16 ids */
    return s;
}

/* The place where a row's window starts, found by its ids; -1 if they stand nowhere. */
static long place_of(const int *ids, const int *targets, long guess)
{
    for (long at = guess < 0 ? 0 : guess; at + TIME < TOKENS; at++) {
        int i = 0;
        while (i < TIME && ids[i] == id_at((uint64_t)(at + i))
               && targets[i] == id_at((uint64_t)(at + i + 1)))
            i++;
        if (i == TIME)
            return at;
        if (guess >= 0)
            break;
    }
    return -1;
}

static void test_in_order(void)
{
    struct shards *s = open_small_cache();
    struct batches *b = batches_open(s, BATCH, TIME, WINDOWS_IN_ORDER, NULL, 1, 0);
    const uint64_t windows = (TOKENS - 1) / TIME;
    uint64_t seen = 0;
    int good = 1, padded = 1;
    for (const struct batch *x; (x = batches_next(b));)
        for (int r = 0; r < BATCH; r++) {
            const int *ids = x->ids + r * TIME, *targets = x->targets + r * TIME;
            if (r < x->windows) {
                good &= place_of(ids, targets, (long)(TIME * seen++)) >= 0;
                continue;
            }
            for (uint64_t i = 0; i < TIME; i++)
                padded &= targets[i] == -1 && ids[i] == id_at(TIME * (windows - 1) + i);
        }
    ok(batches_windows(b) == windows && seen == windows, "in order: every window, %llu",
       (unsigned long long)seen);
    ok(good, "in order: the ids and targets are the set's");
    ok(padded && windows % BATCH, "in order: rows past the end repeat the last window, targets -1");
    ok(!batches_next(b), "in order: NULL after the last");
    batches_close(b);
    shards_close(s);
}

/* One epoch's places, in the order of the batches from `first` on. */
static long *epoch(uint64_t seed, uint64_t first, int n)
{
    struct shards *s = open_small_cache();
    struct batches *b = batches_open(s, 1, TIME, WINDOWS_PERMUTED, NULL, seed, first);
    long *places = zalloc((size_t)n, sizeof *places);
    for (int i = 0; i < n; i++) {
        const struct batch *x = batches_next(b);
        places[i] = place_of(x->ids, x->targets, -1);
    }
    batches_close(b);
    shards_close(s);
    return places;
}

static void test_permutation(void)
{
    int good = 1;
    for (uint64_t n = 1; n < 300; n++) {
        char seen[300] = {0};
        for (uint64_t i = 0; i < n; i++) {
            const uint64_t k = permute(i, n, 5, 0);
            good &= k < n && !seen[k]++;
        }
    }
    ok(good, "permute: each number once, for every n below 300");
}

static void test_permuted(void)
{
    const int n = (TOKENS - 1) / TIME;
    char *seen = zalloc((size_t)n, 1);
    long *a = epoch(1, 0, n), *c = epoch(2, 0, 50), *next = epoch(1, (uint64_t)n, 50);
    int once = 1, in_place = 0, same_seed = 0, same_epoch = 0;
    for (int i = 0; i < n; i++) {
        once &= a[i] >= 0 && a[i] % TIME == 0 && !seen[a[i] / TIME]++;
        in_place += a[i] == (long)TIME * i;
    }
    for (int i = 0; i < 50; i++) {
        same_seed += a[i] == c[i];
        same_epoch += a[i] == next[i];
    }
    ok(once, "permuted: each of %d windows once an epoch", n);
    /* A random permutation has one fixed point on average; 20 has probability below 1e-17. */
    ok(in_place < 20 && same_seed < 20, "permuted: in an order that the seed chooses");
    ok(same_epoch < 20, "permuted: the next epoch has another order");
    free(seen);
    free(a);
    free(c);
    free(next);
}

static void test_random(void)
{
    enum { N = 400 };
    struct shards *s = open_small_cache();
    struct batches *b = batches_open(s, BATCH, TIME, WINDOWS_RANDOM, NULL, 3, 0);
    int *kept = zalloc((size_t)N * BATCH * TIME, sizeof *kept);
    double sum = 0;
    int good = 1;
    for (int i = 0; i < N; i++) {
        const struct batch *x = batches_next(b);
        memcpy(kept + (size_t)i * BATCH * TIME, x->ids, BATCH * TIME * sizeof *kept);
        if (i % 10 == 0) {
            const long at = place_of(x->ids, x->targets, -1);
            good &= at >= 0;
            sum += (double)at / (TOKENS - TIME) / (N / 10);
        }
    }
    ok(good, "random: windows of the set");
    /* 40 uniform draws: the mean's standard deviation is 0.046. */
    ok(sum > 0.5 - 5 * 0.046 && sum < 0.5 + 5 * 0.046, "random: starts spread over it (%.3f)", sum);
    batches_close(b);

    int same = 1;
    for (int first = 1; first < N; first += 57) {
        b = batches_open(s, BATCH, TIME, WINDOWS_RANDOM, NULL, 3, (uint64_t)first);
        for (int i = first; i < first + 4 && i < N; i++)
            same &= !memcmp(kept + (size_t)i * BATCH * TIME, batches_next(b)->ids,
                            BATCH * TIME * sizeof *kept);
        batches_close(b);
    }
    ok(same, "random: resumed at any batch, the same windows come");
    shards_close(s);
    free(kept);
}

static void *read_anywhere(void *arg)
{
    static int bad;
    struct shards *s = arg;
    int ids[5000];
    uint64_t at = (uint64_t)(uintptr_t)&ids / 64;
    for (int k = 0; k < 300; k++) {
        at = (at * 6364136223846793005u + 1442695040888963407u);
        const uint64_t from = (at >> 20) % (TOKENS - 5000);
        shards_read(s, from, 5000, ids);
        for (uint64_t i = 0; i < 5000; i++)
            if (ids[i] != id_at(from + i))
                return &bad;
    }
    return NULL;
}

static void test_threads(void)
{
    struct shards *s = open_small_cache();
    pthread_t threads[8];
    int good = 1;
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, read_anywhere, s);
    for (int i = 0; i < 8; i++) {
        void *bad;
        pthread_join(threads[i], &bad);
        good &= !bad;
    }
    ok(good, "eight threads read through a cache of three frames");
    shards_close(s);
}

static void open_too_short(void *path)
{
    batches_open(shards_open(path, "train"), 1, TIME, WINDOWS_RANDOM, NULL, 1, 0);
}

static void test_short(void)
{
    char *path = text_of("%s/short", folder), *one = text_of("%s/one", folder), text[500];
    make_set(TIME, path);
    ok(exit_status(open_too_short, path, text, sizeof text) == EXIT_FAILED
       && strstr(text, "64 tokens") && strstr(text, "needs 65"),
       "a split shorter than a window is refused with both numbers");
    make_set(TIME + 1, one);
    struct shards *s = shards_open(one, "train");
    for (int order = 0; order < 3; order++) {
        struct batches *b = batches_open(s, 2, TIME, (enum window_order)order, NULL, 1, 0);
        const struct batch *x = batches_next(b);
        ok(x && place_of(x->ids, x->targets, 0) == 0, "one window is enough, order %d", order);
        batches_close(b);
    }
    shards_close(s);
    free(path);
    free(one);
}

/* Eight of ten hidden tokens are the mask, one is any other, one is as it was. */
static void test_masked(void)
{
    enum { N = 300 };
    const struct masking mask = masking_for(&(struct token_kind){"gpt2", SIZE, SIZE - 1}, 0.15);
    const struct masking few = {1e-9, SIZE, SIZE};
    struct shards *s = open_small_cache();
    struct batches *plain = batches_open(s, BATCH, TIME, WINDOWS_RANDOM, NULL, 3, 0);
    struct batches *hiding = batches_open(s, BATCH, TIME, WINDOWS_RANDOM, &mask, 3, 0);
    struct batches *again = batches_open(s, BATCH, TIME, WINDOWS_RANDOM, &mask, 3, 5);
    double hidden = 0, masked = 0, kept = 0;
    int wrong = 0, same = 0;
    for (int b = 0; b < N; b++) {
        const struct batch *x = batches_next(plain), *y = batches_next(hiding);
        for (int i = 0; i < BATCH * TIME; i++) {
            const int scored = y->targets[i] >= 0;
            wrong += scored ? y->targets[i] != x->ids[i] : y->ids[i] != x->ids[i];
            wrong += y->ids[i] > SIZE;
            hidden += scored;
            masked += scored && y->ids[i] == SIZE;
            kept += scored && y->ids[i] == x->ids[i];
        }
        if (b == 5) {
            const struct batch *z = batches_next(again);
            same = !memcmp(y->ids, z->ids, BATCH * TIME * sizeof *z->ids)
                && !memcmp(y->targets, z->targets, BATCH * TIME * sizeof *z->targets);
        }
    }
    const double all = N * BATCH * TIME;
    ok(!wrong && masking_ids(&mask) == SIZE + 1, "hidden tokens are the targets, no others change");
    ok(hidden / all > 0.147 && hidden / all < 0.153, "share that is hidden: %.4f", hidden / all);
    ok(masked / hidden > 0.79 && masked / hidden < 0.81 && kept / hidden > 0.09
       && kept / hidden < 0.11, "of it the mask: %.3f, as before: %.3f", masked / hidden,
       kept / hidden);
    ok(same, "a batch's hidden tokens depend on its number, not on the batches before");
    int ids[TIME] = {0}, targets[TIME], least = TIME;
    for (uint64_t k = 0; k < 1000; k++) {
        int n = 0;
        mask_window(&few, 1, k, ids, targets, TIME);
        for (int i = 0; i < TIME; i++)
            n += targets[i] >= 0;
        least = n < least ? n : least;
    }
    ok(least == 1, "every window has a hidden token");
    batches_close(plain);
    batches_close(hiding);
    batches_close(again);
    shards_close(s);
}

int main(void)
{
    strcpy(folder, "/tmp/keel-batches-XXXXXX");
    if (!mkdtemp(folder))
        die("%s:", folder);
    make_set(TOKENS, folder);
    test_in_order();
    test_permutation();
    test_permuted();
    test_masked();
    test_random();
    test_threads();
    test_short();
    remove_folder(folder);
    return tap_end();
}
