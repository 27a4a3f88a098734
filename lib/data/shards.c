/* shards.c - a split, open for reading: the files are mapped, and the frames last
 * used stay decoded in a cache of bounded size.
 *
 * A frame that is read is pinned, so that it can be copied outside the lock. */
#include "data/shards.h"
#include "base/base.h"
#include "base/file.h"
#include "data/manifest.h"
#include "data/shard_file.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { CACHE_BYTES = 64 << 20 };

struct file {
    char *path;
    struct mapped map;
    struct shard_index index;
    uint64_t first;             /* number of its first token in the split */
    size_t first_frame;
};

struct slot {
    void *raw;
    size_t frame;               /* of the split; NONE: empty */
    int pins, recent, loading;
};

#define NONE SIZE_MAX

struct shards {
    struct token_kind kind;
    struct manifest manifest;
    const struct manifest_split *split;
    struct file *files;
    size_t n, frames;
    int width;
    size_t frame_ids;           /* of the largest */
    struct slot *slots;
    size_t n_slots, hand, cache_bytes;
    int *slot_of;               /* by frame; -1: not decoded */
    ZSTD_DCtx **decoders;       /* that wait for use */
    size_t n_decoders;
    pthread_mutex_t lock;
    pthread_cond_t change;
};

static void open_file(struct shards *s, const char *folder, const struct manifest_shard *h,
                      struct file *f)
{
    f->path = text_of("%s/%s", folder, h->file);
    if (file_map(f->path, &f->map))
        die("%s:", f->path);
    if (f->map.size != h->size)
        die("%s: %zu bytes, and the manifest says %llu", f->path, f->map.size,
            (unsigned long long)h->size);
    const char *why = shard_parse(f->map.data, f->map.size, &f->index);
    if (why)
        die("%s: %s", f->path, why);
    const struct shard_index *x = &f->index;
    if (x->crc != h->crc)
        die("%s: its head, check sums or seek table are damaged (check sum %08x, not %08x)",
            f->path, x->crc, h->crc);
    if (x->kind.size != s->kind.size || x->kind.eot != s->kind.eot || x->tokens != h->tokens
        || x->documents != h->documents || x->pairs != s->manifest.pairs)
        die("%s: it is not the shard that the manifest describes", f->path);
    s->width = x->width;
    for (size_t i = 0; i < x->n; i++)
        if (x->frames[i].ids > s->frame_ids)
            s->frame_ids = x->frames[i].ids;
}

struct shards *shards_open(const char *path, const char *split)
{
    struct shards *s = zalloc(1, sizeof *s);
    uint64_t first = 0;
    int which = 0;
    while (split_names[which] && strcmp(split_names[which], split))
        which++;
    if (!split_names[which])
        die("%s: a shard set has no split '%s', but train and val", path, split);

    manifest_read(path, &s->manifest);
    s->kind = s->manifest.kind;
    s->split = &s->manifest.splits[which];
    if (strcmp(s->kind.vocab, "bytes") && strcmp(s->kind.vocab, "gpt2")
        && (size_t)snprintf(s->kind.vocab, sizeof s->kind.vocab, "%s/%s", path,
                            s->manifest.kind.vocab) >= sizeof s->kind.vocab)
        die("%s: the path is too long", path);
    s->n = s->split->n;
    s->files = zalloc(s->n, sizeof *s->files);
    for (size_t i = 0; i < s->n; i++) {
        struct file *f = &s->files[i];
        open_file(s, path, &s->split->shards[i], f);
        f->first = first;
        f->first_frame = s->frames;
        first += f->index.tokens;
        s->frames += f->index.n;
    }
    s->cache_bytes = CACHE_BYTES;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->change, NULL);
    return s;
}

void shards_close(struct shards *s)
{
    for (size_t i = 0; i < s->n; i++) {
        file_unmap(&s->files[i].map);
        shard_index_free(&s->files[i].index);
        free(s->files[i].path);
    }
    for (size_t i = 0; i < s->n_slots; i++)
        free(s->slots[i].raw);
    while (s->n_decoders)
        ZSTD_freeDCtx(s->decoders[--s->n_decoders]);
    free(s->decoders);
    free(s->slots);
    free(s->slot_of);
    free(s->files);
    manifest_free(&s->manifest);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->change);
    free(s);
}

void shards_cache(struct shards *s, size_t bytes)
{
    s->cache_bytes = bytes;
}

/* The cache, made at the first read. */
static void make_cache(struct shards *s)
{
    const size_t bytes = s->frame_ids * (size_t)s->width;
    s->n_slots = s->cache_bytes > bytes ? s->cache_bytes / bytes : 1;
    if (s->n_slots > s->frames)
        s->n_slots = s->frames;
    s->slots = zalloc(s->n_slots, sizeof *s->slots);
    for (size_t i = 0; i < s->n_slots; i++)
        s->slots[i].frame = NONE;
    s->slot_of = zalloc(s->frames, sizeof *s->slot_of);
    memset(s->slot_of, -1, s->frames * sizeof *s->slot_of);
}

/* A slot that nobody reads and that was not used lately (the clock algorithm); NULL
 * when every one is being read.  Under the lock. */
static struct slot *free_slot(struct shards *s)
{
    for (size_t turn = 0; turn < 2 * s->n_slots; turn++) {
        struct slot *t = &s->slots[s->hand];
        s->hand = (s->hand + 1) % s->n_slots;
        if (t->pins)
            continue;
        if (!t->recent)
            return t;
        t->recent = 0;
    }
    return NULL;
}

static ZSTD_DCtx *take_decoder(struct shards *s)
{
    ZSTD_DCtx *z = s->n_decoders ? s->decoders[--s->n_decoders] : ZSTD_createDCtx();
    if (!z)
        die("out of memory");
    return z;
}

static void give_decoder(struct shards *s, ZSTD_DCtx *z)
{
    s->decoders = reallocarray(s->decoders, s->n_decoders + 1, sizeof *s->decoders);
    if (!s->decoders)
        die("out of memory");
    s->decoders[s->n_decoders++] = z;
}

/* Decode a frame into a slot; the lock is held before and after, not during. */
static void load(struct shards *s, struct slot *t, const struct file *f, size_t frame)
{
    char why[200];
    if (t->frame != NONE)
        s->slot_of[t->frame] = -1;
    t->frame = f->first_frame + frame;
    t->loading = t->pins = 1;
    s->slot_of[t->frame] = (int)(t - s->slots);
    ZSTD_DCtx *z = take_decoder(s);
    pthread_mutex_unlock(&s->lock);
    if (!t->raw)
        t->raw = zalloc(s->frame_ids, (size_t)s->width);
    if (shard_decode(z, &f->index, f->map.data, frame, t->raw, why))
        die("%s: %s", f->path, why);
    if (s->cache_bytes < CACHE_BYTES)   /* it is read once */
        file_forget(&f->map, f->index.frames[frame].at, f->index.frames[frame].size);
    pthread_mutex_lock(&s->lock);
    give_decoder(s, z);
    t->loading = 0;
    pthread_cond_broadcast(&s->change);
}

/* The slot that holds a frame, pinned. */
static struct slot *pin(struct shards *s, const struct file *f, size_t frame)
{
    struct slot *t;
    pthread_mutex_lock(&s->lock);
    if (!s->slots)
        make_cache(s);
    for (;;) {
        const int have = s->slot_of[f->first_frame + frame];
        if (have >= 0) {
            t = &s->slots[have];
            t->pins++;
            while (t->loading)
                pthread_cond_wait(&s->change, &s->lock);
            break;
        }
        if ((t = free_slot(s))) {
            load(s, t, f, frame);
            break;
        }
        pthread_cond_wait(&s->change, &s->lock);
    }
    t->recent = 1;
    pthread_mutex_unlock(&s->lock);
    return t;
}

static void unpin(struct shards *s, struct slot *t)
{
    pthread_mutex_lock(&s->lock);
    if (!--t->pins)
        pthread_cond_broadcast(&s->change);
    pthread_mutex_unlock(&s->lock);
}

static const struct file *file_of(const struct shards *s, uint64_t at)
{
    size_t low = 0, high = s->n;
    while (high - low > 1) {
        const size_t mid = low + (high - low) / 2;
        if (s->files[mid].first <= at)
            low = mid;
        else
            high = mid;
    }
    return &s->files[low];
}

void shards_read(struct shards *s, uint64_t at, size_t n, int *ids)
{
    if (n > s->split->tokens || at > s->split->tokens - n)
        die("tokens %llu to %llu of a split of %llu", (unsigned long long)at,
            (unsigned long long)at + n, (unsigned long long)s->split->tokens);
    while (n) {
        const struct file *f = file_of(s, at);
        const size_t k = shard_frame_of(&f->index, at - f->first);
        const struct shard_frame *frame = &f->index.frames[k];
        const size_t skip = (size_t)(at - f->first - frame->first);
        const size_t take = frame->ids - skip < n ? frame->ids - skip : n;
        struct slot *t = pin(s, f, k);
        ids_from_raw(ids, (const char *)t->raw + skip * (size_t)s->width, take, s->width);
        unpin(s, t);
        ids += take;
        at += take;
        n -= take;
    }
}

const struct token_kind *shards_kind(const struct shards *s) { return &s->kind; }
int shards_pairs(const struct shards *s) { return s->manifest.pairs; }
uint64_t shards_tokens(const struct shards *s) { return s->split->tokens; }
uint64_t shards_documents(const struct shards *s) { return s->split->documents; }
uint64_t shards_bytes(const struct shards *s) { return s->split->bytes; }
size_t shards_files(const struct shards *s) { return s->n; }
const char *shards_path(const struct shards *s, size_t i) { return s->files[i].path; }
const unsigned char *shards_data(const struct shards *s, size_t i) { return s->files[i].map.data; }

const struct shard_index *shards_index(const struct shards *s, size_t i)
{
    return &s->files[i].index;
}
