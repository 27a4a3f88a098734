/* recut.c - a set whose val is the end of its tokens, which are known only when all
 * have come: the shards from the one that the cut goes through on are read back and written
 * again, those before it stay. */
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

/* The first place from `at` on where a pair ends; one begins at `begin`, before it. */
static uint64_t pair_end(struct shards *s, uint64_t begin, uint64_t at)
{
    static int ids[CHUNK];
    const uint64_t total = shards_tokens(s);
    uint64_t ends = 0;
    for (uint64_t from = begin; from < total; from += CHUNK) {
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

/* Take over the shards of train that lie before the cut, as they are; the tokens in them. */
static uint64_t keep_shards(const struct manifest_split *old, uint64_t cut,
                            struct manifest_split *kept)
{
    for (size_t i = 0; i < old->n && kept->tokens + old->shards[i].tokens <= cut; i++) {
        struct manifest_shard same = old->shards[i];
        same.file = copy_text(same.file);
        manifest_add(kept, &same);
        kept->documents += same.documents;
        kept->tokens += same.tokens;
    }
    return kept->tokens;
}

static void remove_shards(const char *folder, const struct manifest_split *old, size_t from)
{
    for (size_t i = from; i < old->n; i++) {
        char *path = text_of("%s/%s", folder, old->shards[i].file);
        if (unlink(path))
            die("%s:", path);
        free(path);
    }
}

void recut(const char *folder, const char *shown, struct manifest *m, const struct making *how,
           double fraction, const unsigned char *lengths)
{
    const int all = m->splits[SPLIT_TRAIN].tokens ? SPLIT_TRAIN : SPLIT_VAL;
    const struct manifest_split *old = &m->splits[all];
    struct shards *s = shards_open(folder, split_names[all]);
    shards_cache(s, SEQUENTIAL_CACHE);
    const uint64_t n = shards_tokens(s);
    uint64_t cut = n - (uint64_t)(fraction * (double)n + 0.5), begin = 0;
    struct manifest again = {.kind = m->kind, .pairs = m->pairs, .command = copy_text(m->command),
                             .version = copy_text(m->version), .split = copy_text("tail"),
                             .fraction = fraction, .seed = m->seed, .shuffled = m->shuffled};
    if (all == SPLIT_TRAIN)
        begin = keep_shards(old, cut, &again.splits[SPLIT_TRAIN]);
    const size_t kept = again.splits[SPLIT_TRAIN].n;
    if (shards_pairs(s) && cut)
        cut = pair_end(s, begin, cut);
    if (!cut || cut >= n)
        die("%llu tokens are too few to cut the last %g off as val; --split none leaves val empty",
            (unsigned long long)n, fraction);

    char *inner = text_of("%s/recut", folder);
    make_folder(inner);
    struct set_writer *w = set_begin(inner, shown, &again, (uint64_t)how->shard_tokens, how->level,
                                     opt_threads);
    copy_ids(s, begin, cut, w, SPLIT_TRAIN, lengths);
    copy_ids(s, cut, n, w, SPLIT_VAL, lengths);
    shards_close(s);
    again.splits[SPLIT_TRAIN].bytes = old->bytes - again.splits[SPLIT_VAL].bytes;
    set_finish(w);
    remove_shards(folder, old, kept);
    if (each_entry(inner, move_up, (void *)folder) < 0 || rmdir(inner))
        die("%s:", shown);
    free(inner);
    manifest_free(m);
    *m = again;
}
