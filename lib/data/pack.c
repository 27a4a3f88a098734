#include "data/pack.h"
#include "base/base.h"
#include "data/shard_file.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { HEAD_SLACK = 40, RING_FACTOR = 4, MAX_THREADS = 64 };

struct pack_file {
    FILE *f;
    char *shown;
    pack_head *head;
    void *arg;
    size_t head_size;           /* of its JSON with the blanks behind it */
    size_t n;
    struct packed { uint32_t size, bytes, crc, ends; } *frames;
    uint64_t tokens, documents, size;
};

struct job {
    struct pack_file *file;
    struct pack_frame frame;
    unsigned char *out;
    uint32_t size;
    int done;
};

struct packer {
    int width, level, n_threads, stop;
    struct job *ring;
    size_t room, added, taken, written;     /* jobs, counted from the start */
    ZSTD_CCtx *own;
    pthread_t threads[MAX_THREADS];
    pthread_mutex_t lock;
    pthread_cond_t change;
};

void pack_frame_init(struct pack_frame *frame, int width)
{
    *frame = (struct pack_frame){.raw = zalloc(FRAME_IDS, (size_t)width)};
}

static void set(ZSTD_CCtx *z, ZSTD_cParameter parameter, int value)
{
    if (ZSTD_isError(ZSTD_CCtx_setParameter(z, parameter, value)))
        die("zstd: out of memory");
}

/* Level 1 searches otherwise in ids of two bytes: matches of two ids are worth having, and a
 * table that fits the first-level cache finds enough of them.  The output is smaller, sooner. */
static ZSTD_CCtx *compressor(int level, int width)
{
    ZSTD_CCtx *z = ZSTD_createCCtx();
    if (!z)
        die("zstd: out of memory");
    set(z, ZSTD_c_compressionLevel, level);
    set(z, ZSTD_c_checksumFlag, 1);
    if (level == 1 && width == 2) {
        set(z, ZSTD_c_minMatch, 4);
        set(z, ZSTD_c_hashLog, 11);
    }
    return z;
}

static size_t out_room(int width)
{
    return ZSTD_compressBound(FRAME_IDS * (size_t)width);
}

static void compress_job(const struct packer *p, ZSTD_CCtx *z, struct job *j)
{
    const size_t n = ZSTD_compress2(z, j->out, out_room(p->width), j->frame.raw,
                                    j->frame.ids * (size_t)p->width);
    if (ZSTD_isError(n))
        die("zstd: %s", ZSTD_getErrorName(n));
    j->size = (uint32_t)n;
}

static void *work(void *arg)
{
    struct packer *p = arg;
    ZSTD_CCtx *z = compressor(p->level, p->width);
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->taken == p->added && !p->stop)
            pthread_cond_wait(&p->change, &p->lock);
        if (p->taken == p->added)
            break;
        struct job *j = &p->ring[p->taken++ % p->room];
        pthread_mutex_unlock(&p->lock);
        compress_job(p, z, j);
        pthread_mutex_lock(&p->lock);
        j->done = 1;
        pthread_cond_broadcast(&p->change);
    }
    pthread_mutex_unlock(&p->lock);
    ZSTD_freeCCtx(z);
    return NULL;
}

struct packer *packer_begin(int threads, int level, int width)
{
    struct packer *p = zalloc(1, sizeof *p);
    p->width = width;
    p->level = level;
    p->n_threads = threads - 1 > MAX_THREADS ? MAX_THREADS : threads - 1;
    p->room = RING_FACTOR * (size_t)threads;
    p->ring = zalloc(p->room, sizeof *p->ring);
    p->own = compressor(level, width);
    for (size_t i = 0; i < p->room; i++) {
        pack_frame_init(&p->ring[i].frame, width);
        p->ring[i].out = zalloc(out_room(width), 1);
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->change, NULL);
    for (int i = 0; i < p->n_threads; i++)
        if (pthread_create(&p->threads[i], NULL, work, p))
            die("cannot start a thread");
    return p;
}

static void put(struct pack_file *f, const void *data, size_t n)
{
    if (fwrite(data, 1, n, f->f) != n)
        die("%s:", f->shown);
    f->size += n;
}

static void write_job(const struct packer *p, struct job *j)
{
    struct pack_file *f = j->file;
    f->frames = grow(f->frames, f->n, sizeof *f->frames);
    f->frames[f->n++] = (struct packed){
        .size = j->size, .bytes = j->frame.ids * (uint32_t)p->width, .ends = j->frame.ends,
        .crc = (uint32_t)crc32_z(crc32(0, NULL, 0), j->out, j->size)};
    f->tokens += j->frame.ids;
    f->documents += j->frame.ends;
    put(f, j->out, j->size);
}

/* Write the oldest job, when a thread has done it. */
static void write_oldest(struct packer *p)
{
    struct job *j = &p->ring[p->written % p->room];
    pthread_mutex_lock(&p->lock);
    while (!j->done)
        pthread_cond_wait(&p->change, &p->lock);
    pthread_mutex_unlock(&p->lock);
    write_job(p, j);
    p->written++;
}

void packer_add(struct packer *p, struct pack_file *f, struct pack_frame *frame)
{
    if (p->added - p->written == p->room)
        write_oldest(p);
    struct job *j = &p->ring[p->added % p->room];
    const struct pack_frame full = *frame;
    *frame = j->frame;
    frame->ids = frame->ends = 0;
    j->frame = full;
    j->file = f;
    j->done = 0;
    if (!p->n_threads) {
        compress_job(p, p->own, j);
        write_job(p, j);
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->added++;
    pthread_cond_broadcast(&p->change);
    pthread_mutex_unlock(&p->lock);
}

void packer_drain(struct packer *p)
{
    while (p->written < p->added)
        write_oldest(p);
}

void packer_end(struct packer *p)
{
    packer_drain(p);
    pthread_mutex_lock(&p->lock);
    p->stop = 1;
    pthread_cond_broadcast(&p->change);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i], NULL);
    for (size_t i = 0; i < p->room; i++) {
        free(p->ring[i].frame.raw);
        free(p->ring[i].out);
    }
    ZSTD_freeCCtx(p->own);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->change);
    free(p->ring);
    free(p);
}

/* A skippable frame's first eight bytes. */
static void put_skip(struct pack_file *f, uint32_t magic, size_t n)
{
    unsigned char b[8];
    put32(b, magic);
    put32(b + 4, (uint32_t)n);
    put(f, b, sizeof b);
}

/* The JSON of the head, blanks added to f->head_size. */
static char *padded_head(const struct pack_file *f)
{
    char *json = f->head(f->arg, f->tokens, f->documents);
    char *text = text_of("%-*s", (int)f->head_size, json);
    free(json);
    return text;
}

struct pack_file *pack_open(const char *path, const char *shown, pack_head *head, void *arg)
{
    struct pack_file *f = zalloc(1, sizeof *f);
    *f = (struct pack_file){.shown = copy_text(shown), .head = head, .arg = arg};
    f->f = fopen(path, "w+b");
    if (!f->f)
        die("%s:", shown);
    char *json = head(arg, 0, 0);
    f->head_size = strlen(json) + HEAD_SLACK;
    free(json);
    json = padded_head(f);
    put_skip(f, MAGIC_HEAD, f->head_size);
    put(f, json, f->head_size);
    free(json);
    return f;
}

static void put_pair(struct pack_file *f, uint32_t a, uint32_t b)
{
    unsigned char s[8];
    put32(s, a);
    put32(s + 4, b);
    put(f, s, sizeof s);
}

/* The check sums and the seek table. */
static void put_tables(struct pack_file *f)
{
    const size_t check = strlen(CHECK_TEXT) + 8 * f->n;
    unsigned char footer[9] = {0};
    put_skip(f, MAGIC_CHECK, check);
    put(f, CHECK_TEXT, strlen(CHECK_TEXT));
    for (size_t i = 0; i < f->n; i++)
        put_pair(f, f->frames[i].crc, f->frames[i].ends);

    put_skip(f, MAGIC_SEEK, 8 * (f->n + 2) + sizeof footer);
    put_pair(f, (uint32_t)(8 + f->head_size), 0);
    for (size_t i = 0; i < f->n; i++)
        put_pair(f, f->frames[i].size, f->frames[i].bytes);
    put_pair(f, (uint32_t)(8 + check), 0);
    put32(footer, (uint32_t)f->n + 2);
    put32(footer + 5, MAGIC_SEEKABLE);
    put(f, footer, sizeof footer);
}

/* CRC-32 of n bytes of the file from `at` on. */
static uint32_t crc_of(struct pack_file *f, uint32_t crc, long at, size_t n)
{
    unsigned char b[4096];
    if (fseek(f->f, at, SEEK_SET))
        die("%s:", f->shown);
    while (n) {
        const size_t take = n < sizeof b ? n : sizeof b;
        if (fread(b, 1, take, f->f) != take)
            die("%s:", f->shown);
        crc = (uint32_t)crc32_z(crc, b, take);
        n -= take;
    }
    return crc;
}

struct pack_counts pack_close(struct pack_file *f)
{
    const uint64_t tables = f->size;
    put_tables(f);
    char *json = padded_head(f);
    if (fseek(f->f, 8, SEEK_SET) || fwrite(json, 1, f->head_size, f->f) != f->head_size
        || fflush(f->f))
        die("%s:", f->shown);
    uint32_t crc = crc_of(f, (uint32_t)crc32(0, NULL, 0), 0, 8 + f->head_size);
    crc = crc_of(f, crc, (long)tables, (size_t)(f->size - tables));
    if (fclose(f->f))
        die("%s:", f->shown);
    const struct pack_counts c = {f->tokens, f->documents, f->size, crc};
    free(json);
    free(f->shown);
    free(f->frames);
    free(f);
    return c;
}
