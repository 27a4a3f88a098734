#include "data/set_write.h"
#include "base/base.h"
#include "data/pack.h"
#include "data/shard_file.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct part {                   /* a split */
    struct set_writer *set;
    int split;
    struct pack_file *file;     /* NULL before the first id of a shard */
    struct pack_frame frame;    /* being filled */
    uint64_t in_shard, tokens;  /* of the shard without the frame; of all */
};

struct set_writer {
    const char *folder, *shown;
    struct manifest *m;
    uint64_t shard_tokens;
    int width;
    struct packer *packer;
    struct part parts[SPLITS];
};

struct set_writer *set_begin(const char *folder, const char *shown, struct manifest *m,
                             uint64_t shard_tokens, int level, int threads)
{
    struct set_writer *w = zalloc(1, sizeof *w);
    *w = (struct set_writer){.folder = folder, .shown = shown, .m = m, .shard_tokens = shard_tokens,
                             .width = m->kind.size > 65536 ? 4 : 2};
    if (!threads)
        threads = (int)sysconf(_SC_NPROCESSORS_ONLN);
    w->packer = packer_begin(threads, level, w->width);
    for (int i = 0; i < SPLITS; i++) {
        w->parts[i].set = w;
        w->parts[i].split = i;
        pack_frame_init(&w->parts[i].frame, w->width);
    }
    return w;
}

static char *head(void *arg, uint64_t tokens, uint64_t documents)
{
    const struct part *p = arg;
    const struct manifest *m = p->set->m;
    json_t *o = json_pack("{s:s, s:s, s:i, s:i, s:i, s:b, s:s, s:I, s:I, s:I, s:s}",
        "format", "keel shard 1", "vocab", m->kind.vocab, "size", m->kind.size, "eot", m->kind.eot,
        "width", p->set->width, "pairs", m->pairs, "split", split_names[p->split],
        "number", (json_int_t)m->splits[p->split].n, "tokens", (json_int_t)tokens,
        "documents", (json_int_t)documents, "command", m->command);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    if (!text)
        die("%s: the command line or a name is not UTF-8", p->set->shown);
    json_decref(o);
    return text;
}

static char *shard_name(const struct part *p)
{
    return text_of("%s-%05zu.tok.zst", split_names[p->split], p->set->m->splits[p->split].n);
}

static void open_shard(struct part *p)
{
    char *name = shard_name(p);
    char *path = text_of("%s/%s", p->set->folder, name);
    char *shown = text_of("%s/%s", p->set->shown, name);
    p->file = pack_open(path, shown, head, p);
    p->in_shard = 0;
    free(name);
    free(path);
    free(shown);
}

static void flush_frame(struct part *p)
{
    if (!p->frame.ids)
        return;
    p->in_shard += p->frame.ids;
    packer_add(p->set->packer, p->file, &p->frame);
}

static void close_shard(struct part *p)
{
    if (!p->file)
        return;
    flush_frame(p);
    packer_drain(p->set->packer);
    struct manifest_split *s = &p->set->m->splits[p->split];
    const struct pack_counts c = pack_close(p->file);
    const struct manifest_shard shard = {.file = shard_name(p), .documents = c.documents,
                                         .tokens = c.tokens, .size = c.size, .crc = c.crc};
    s->documents += c.documents;
    s->tokens += c.tokens;
    manifest_add(s, &shard);
    p->file = NULL;
}

/* Room for ids in the frame, at least 1; for a whole pair of n, at least n. */
static size_t make_room(struct part *p, size_t n)
{
    const size_t least = p->set->m->pairs ? n : 1;
    const uint64_t shard = p->set->shard_tokens;
    if (least > FRAME_IDS || least > shard)
        die("a pair of %zu tokens; at most %llu fit into a frame", n,
            (unsigned long long)(shard < FRAME_IDS ? shard : FRAME_IDS));
    if (p->file && p->in_shard + p->frame.ids + least > shard)
        close_shard(p);
    if (!p->file)
        open_shard(p);
    if (p->frame.ids + least > FRAME_IDS)
        flush_frame(p);
    const uint64_t left = shard - p->in_shard - p->frame.ids;
    const size_t room = FRAME_IDS - p->frame.ids;
    return left < room ? (size_t)left : room;
}

void set_add(struct set_writer *w, int split, const int *ids, size_t n)
{
    struct part *p = &w->parts[split];
    p->tokens += n;
    while (n) {
        const size_t room = make_room(p, n), take = n < room ? n : room;
        if (w->width == 2) {
            uint16_t *out = (uint16_t *)p->frame.raw + p->frame.ids;
            for (size_t i = 0; i < take; i++)
                out[i] = (uint16_t)ids[i];
        } else {
            memcpy((uint32_t *)p->frame.raw + p->frame.ids, ids, take * sizeof *ids);
        }
        p->frame.ids += (uint32_t)take;
        ids += take;
        n -= take;
    }
}

void set_end_document(struct set_writer *w, int split)
{
    w->parts[split].frame.ends++;
}

void set_bytes(struct set_writer *w, int split, uint64_t bytes)
{
    w->m->splits[split].bytes += bytes;
}

uint64_t set_tokens(const struct set_writer *w, int split)
{
    return w->parts[split].tokens;
}

void set_finish(struct set_writer *w)
{
    for (int i = 0; i < SPLITS; i++) {
        close_shard(&w->parts[i]);
        free(w->parts[i].frame.raw);
    }
    packer_end(w->packer);
    char *path = text_of("%s/manifest.json", w->folder), *text = manifest_text(w->m);
    FILE *f = fopen(path, "wb");
    if (!f || fputs(text, f) < 0 || fclose(f))
        die("%s/manifest.json:", w->shown);
    free(path);
    free(text);
    free(w);
}
