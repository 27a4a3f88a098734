/* report.c - --info, --verify and -c: what stands in a set. */
#include "shard/shard.h"
#include "base/base.h"
#include "base/opt.h"
#include "base/progress.h"
#include "data/manifest.h"
#include "data/shard_file.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum { CHUNK = 1 << 15, MAX_THREADS = 256 };

static void show_split(const struct manifest *m, int i)
{
    const struct manifest_split *s = &m->splits[i];
    const char *name = split_names[i];
    uint64_t size = 0;
    for (size_t k = 0; k < s->n; k++)
        size += s->shards[k].size;
    printf("%s-documents\t%llu\n", name, (unsigned long long)s->documents);
    printf("%s-tokens\t%llu\n", name, (unsigned long long)s->tokens);
    if (s->bytes)
        printf("%s-bytes\t%llu\n", name, (unsigned long long)s->bytes);
    printf("%s-shards\t%zu\n", name, s->n);
    printf("%s-size\t%llu\n", name, (unsigned long long)size);
    if (s->bytes)
        printf("%s-bytes-per-token\t%.4g\n", name, (double)s->bytes / (double)s->tokens);
    if (size)
        printf("%s-compression\t%.4g\n", name,
               (double)s->tokens * (m->kind.size > 65536 ? 4 : 2) / (double)size);
}

void show_info(const char *data)
{
    struct manifest m;
    manifest_read(data, &m);
    printf("vocab\t%s\nsize\t%d\neot\t%d\nkind\t%s\n", m.kind.vocab, m.kind.size, m.kind.eot,
           m.pairs ? "pairs" : "documents");
    printf("split\t%s\nfraction\t%g\nseed\t%llu\nshuffled\t%s\n", m.split, m.fraction,
           (unsigned long long)m.seed, m.shuffled ? "yes" : "no");
    for (int i = 0; i < SPLITS; i++)
        show_split(&m, i);
    printf("command\t%s\nversion\t%s\n", m.command, m.version);
    manifest_free(&m);
}

/* The frames of both splits, checked by threads that take the next one each. */
struct check {
    struct shards *splits[SPLITS];
    int split;                      /* the next frame */
    size_t file, frame;
    uint64_t tokens, total;
    unsigned long long damaged;
    pthread_mutex_t lock;
    struct progress progress;
};

/* The next frame to check, or 0.  Under the lock. */
static int next_frame(struct check *c, int *split, size_t *file, size_t *frame)
{
    for (; c->split < SPLITS; c->split++, c->file = 0)
        for (; c->file < shards_files(c->splits[c->split]); c->file++, c->frame = 0)
            if (c->frame < shards_index(c->splits[c->split], c->file)->n) {
                *split = c->split;
                *file = c->file;
                *frame = c->frame++;
                return 1;
            }
    return 0;
}

static void *check_frames(void *arg)
{
    struct check *c = arg;
    ZSTD_DCtx *z = ZSTD_createDCtx();
    void *raw = zalloc(FRAME_MAX, 4);
    char why[200];
    int split;
    size_t file, frame;

    pthread_mutex_lock(&c->lock);
    while (next_frame(c, &split, &file, &frame)) {
        const struct shard_index *x = shards_index(c->splits[split], file);
        pthread_mutex_unlock(&c->lock);
        const char *bad = shard_decode(z, x, shards_data(c->splits[split], file), frame, raw, why);
        pthread_mutex_lock(&c->lock);
        if (bad) {
            warn("%s: %s", shards_path(c->splits[split], file), why);
            c->damaged++;
        }
        c->tokens += x->frames[frame].ids;
        progress_show(&c->progress, (double)c->tokens, NULL);
    }
    pthread_mutex_unlock(&c->lock);
    free(raw);
    ZSTD_freeDCtx(z);
    return NULL;
}

void verify(const char *data)
{
    struct check c = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[MAX_THREADS];
    int n = opt_threads ? opt_threads : (int)sysconf(_SC_NPROCESSORS_ONLN);
    n = n > MAX_THREADS ? MAX_THREADS : n;
    for (int i = 0; i < SPLITS; i++) {
        c.splits[i] = shards_open(data, split_names[i]);
        c.total += shards_tokens(c.splits[i]);
    }
    c.progress = progress_begin("tokens", 0, (double)c.total);
    for (int i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, check_frames, &c))
            die("cannot start a thread");
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    progress_end(&c.progress);
    for (int i = 0; i < SPLITS; i++)
        shards_close(c.splits[i]);
    if (c.damaged)
        die("%s: %llu frames are damaged", data, c.damaged);
}

/* One split as documents; what stands behind the last end of text is one, too. */
static void stream_split(const char *data, const char *split, struct token_writer **w)
{
    static int ids[CHUNK];
    struct shards *s = shards_open(data, split);
    const int eot = shards_kind(s)->eot, pairs = shards_pairs(s);
    const uint64_t total = shards_tokens(s);
    int side = 0, open = 0;
    size_t n;

    shards_cache(s, SEQUENTIAL_CACHE);

    if (!*w)
        *w = tokens_begin(stdout, shards_kind(s));
    for (uint64_t at = 0; at < total; at += n) {
        n = total - at < CHUNK ? (size_t)(total - at) : CHUNK;
        shards_read(s, at, n, ids);
        for (size_t i = 0, begin = 0; i <= n; i++) {
            if (i < n && ids[i] != eot)
                continue;
            tokens_side(*w, ids + begin, i - begin, side);
            open = open || i > begin;
            begin = i + 1;
            if (i == n)
                break;
            if (pairs && !side) {
                side = open = 1;
                continue;
            }
            tokens_end_document(*w);
            side = open = 0;
        }
    }
    if (open)
        tokens_end_document(*w);
    shards_close(s);
}

void stream(const char *data, const char *split)
{
    struct token_writer *w = NULL;
    for (int i = 0; i < SPLITS; i++)
        if (!split || !strcmp(split, split_names[i]))
            stream_split(data, split_names[i], &w);
    tokens_end(w);
}
