/* recut.c - a set whose val is the end of its tokens, which are known only when all
 * have come: the finished set is read back and written again. */
#include "shard/shard.h"
#include "base/base.h"
#include "base/file.h"
#include "base/opt.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1 << 15 };

/* Ids [at, end) of a split to another; each end of text ends a document, in pairs each second. */
static void copy_ids(struct shards *from, uint64_t at, uint64_t end, struct set_writer *to,
                     int split, const unsigned char *lengths)
{
    static int ids[CHUNK];
    const int eot = shards_kind(from)->eot, ends = 1 + shards_pairs(from);
    int seen = 0;
    size_t kept = 0;            /* of a pair, which must be written whole */
    for (size_t n; at < end; at += n) {
        n = end - at < CHUNK - kept ? (size_t)(end - at) : CHUNK - kept;
        if (!n)
            die("a pair of more than %d tokens", CHUNK);
        shards_read(from, at, n, ids + kept);
        set_bytes(to, split, bytes_of(lengths, ids + kept, n));
        size_t begin = 0;
        for (size_t i = kept; i < kept + n; i++)
            if (ids[i] == eot && ++seen == ends) {
                set_add(to, split, ids + begin, i + 1 - begin);
                set_end_document(to, split);
                begin = i + 1;
                seen = 0;
            }
        kept = kept + n - begin;
        if (kept && ends == 1) {
            set_add(to, split, ids + begin, kept);
            kept = 0;
        }
        memmove(ids, ids + begin, kept * sizeof *ids);
    }
}

/* The first place from `at` on where a pair ends. */
static uint64_t pair_end(struct shards *s, uint64_t at)
{
    static int ids[CHUNK];
    const uint64_t total = shards_tokens(s);
    uint64_t ends = 0;
    for (uint64_t from = 0; from < total; from += CHUNK) {
        const size_t n = total - from < CHUNK ? (size_t)(total - from) : CHUNK;
        shards_read(s, from, n, ids);
        for (size_t i = 0; i < n; i++) {
            const int is_end = ids[i] == shards_kind(s)->eot;
            ends += (uint64_t)is_end;
            if (is_end && ends % 2 == 0 && from + i + 1 >= at)
                return from + i + 1;
        }
    }
    return total;
}

static void move_up(const char *child, void *arg)
{
    const char *folder = arg, *name = strrchr(child, '/') + 1;
    char *to = text_of("%s/%s", folder, name);
    if (rename(child, to))
        die("%s:", to);
    free(to);
}

static void remove_shard(const char *child, void *unused)
{
    const size_t n = strlen(child);
    (void)unused;
    if (n > 8 && !strcmp(child + n - 8, ".tok.zst") && unlink(child))
        die("%s:", child);
}

void recut(const char *folder, const char *shown, struct manifest *m, const struct making *how,
           double fraction, const unsigned char *lengths)
{
    struct shards *s = shards_open(folder, split_names[m->splits[SPLIT_TRAIN].tokens ? SPLIT_TRAIN
                                                                                      : SPLIT_VAL]);
    shards_cache(s, SEQUENTIAL_CACHE);
    const uint64_t n = shards_tokens(s);
    uint64_t cut = n - (uint64_t)(fraction * (double)n + 0.5);
    if (shards_pairs(s) && cut)
        cut = pair_end(s, cut);
    if (!cut || cut >= n)
        die("%llu tokens are too few to cut the last %g off as val", (unsigned long long)n,
            fraction);

    struct manifest again = {.kind = m->kind, .pairs = m->pairs, .command = copy_text(m->command),
                             .version = copy_text(m->version), .split = copy_text("tail"),
                             .fraction = fraction, .seed = m->seed, .shuffled = m->shuffled};
    char *inner = text_of("%s/recut", folder);
    make_folder(inner);
    struct set_writer *w = set_begin(inner, shown, &again, (uint64_t)how->shard_tokens, how->level,
                                     opt_threads);
    copy_ids(s, 0, cut, w, SPLIT_TRAIN, lengths);
    copy_ids(s, cut, n, w, SPLIT_VAL, lengths);
    shards_close(s);
    set_finish(w);
    each_entry(folder, remove_shard, NULL);
    if (each_entry(inner, move_up, (void *)folder) < 0 || rmdir(inner))
        die("%s:", shown);
    free(inner);
    manifest_free(m);
    *m = again;
}
