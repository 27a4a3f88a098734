/* bins.c - sets from and to the token files of nanoGPT and of llm.c. */
#include "shard/shard.h"
#include "base/base.h"
#include "base/file.h"
#include "data/shard_file.h"
#include "text/vocab.h"
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 15 };

const char *const bin_names[] = {"none", "nanogpt", "llmc", NULL};

/* One split's stream, over its files. */
struct import {
    struct deal *deal;
    struct token_kind kind;
    enum bin_form form;
    int begun, leading;         /* any id read; the first was the end of text (llm.c) */
    int open;                   /* ids came since the last end of text */
};

static void import_ids(struct import *m, const int *ids, size_t n)
{
    size_t begin = 0;
    if (!m->begun && m->form == BIN_LLMC && ids[0] == m->kind.eot)
        m->leading = m->open = (int)(begin = 1);
    m->begun = 1;
    for (size_t i = begin; i <= n; i++) {
        if (i < n && ids[i] != m->kind.eot)
            continue;
        if (i > begin) {
            deal_ids(m->deal, ids + begin, i - begin, 0);
            m->open = 1;
        }
        if (i < n) {
            deal_end_document(m->deal);
            m->open = m->leading;       /* an end of text in front: a document follows it */
        }
        begin = i + 1;
    }
}

static void import_end(struct import *m)
{
    if (m->leading)
        deal_end_document(m->deal);
    else if (m->open)
        deal_break_off(m->deal);
    m->begun = m->leading = m->open = 0;
}

static void import_file(struct import *m, const char *path)
{
    static int ids[CHUNK];
    struct mapped file;
    struct bin b;
    if (file_map(path, &file))
        die("%s:", path);
    const char *why = bin_parse(m->form, file.data, file.size, &b);
    if (why)
        die("%s: %s", path, why);
    for (uint64_t at = 0; at < b.n; at += CHUNK) {
        const size_t n = b.n - at < CHUNK ? (size_t)(b.n - at) : CHUNK;
        ids_from_raw(ids, b.ids + at * (uint64_t)b.width, n, b.width);
        for (size_t i = 0; i < n; i++)
            if (ids[i] < 0 || ids[i] >= m->kind.size)
                die("%s: id %u, number %llu, is beyond the vocabulary (0..%d)", path,
                    (unsigned)ids[i], (unsigned long long)(at + i), m->kind.size - 1);
        import_ids(m, ids, n);
    }
    file_unmap(&file);
}

/* By name: nanoGPT's val.bin, llm.c's NAME_val_000000.bin. */
static int is_val(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return !strncmp(name, "val", 3) || strstr(name, "_val_");
}

void bins_import(enum bin_form form, char **paths, int n, const struct making *how,
                 const char *vocab)
{
    struct vocab *v = vocab_open(vocab);
    struct import m = {.form = form, .kind = {.size = vocab_size(v), .eot = vocab_eot(v)}};
    int vals = 0;
    for (int i = 0; i < n; i++)
        vals += is_val(paths[i]);
    if (!n)
        misuse("--from reads the files that are named; none is");
    if (vals && (how->tail > 0 || how->shuffle || !strcmp(how->split, "nanogpt")))
        misuse("files named as val's make the split; leave out --val-tail, --shuffle and --split");
    if (strlen(vocab) >= sizeof m.kind.vocab)
        die("%s: the path is too long", vocab);
    strcpy(m.kind.vocab, vocab);
    vocab_free(v);
    m.deal = deal_begin(how, &m.kind);
    for (int split = SPLIT_TRAIN; split < (vals ? SPLITS : 1); split++) {
        if (vals)
            deal_to(m.deal, split);
        for (int i = 0; i < n; i++)
            if (!vals || is_val(paths[i]) == (split == SPLIT_VAL))
                import_file(&m, paths[i]);
        import_end(&m);
    }
    deal_finish(m.deal);
}

/* A split going out: one file for nanoGPT, numbered ones for llm.c. */
struct export {
    enum bin_form form;
    int width, number;
    const char *split, *folder, *shown;
    char *name;                 /* llm.c's, of the corpus */
    FILE *f;
    char *path;
    uint64_t n, most;           /* ids in the file, and at most */
};

static void put(struct export *e, const void *data, size_t n)
{
    if (fwrite(data, 1, n, e->f) != n)
        die("%s:", e->path);
}

static void put_head(struct export *e)
{
    unsigned char head[BIN_HEAD];
    bin_head(head, e->width, (uint32_t)e->n);
    put(e, head, sizeof head);
}

static void open_bin(struct export *e)
{
    e->path = e->form == BIN_NANOGPT
                  ? text_of("%s/%s.bin", e->folder, e->split)
                  : text_of("%s/%s_%s_%06d.bin", e->folder, e->name, e->split, e->number++);
    e->n = 0;
    e->f = fopen(e->path, "wb");
    if (!e->f)
        die("%s:", e->path);
    if (e->form == BIN_LLMC)
        put_head(e);
}

static void close_bin(struct export *e)
{
    if (!e->f)
        return;
    if (e->form == BIN_LLMC) {
        if (fseek(e->f, 0, SEEK_SET))
            die("%s:", e->path);
        put_head(e);
    }
    if (fclose(e->f))
        die("%s:", e->path);
    free(e->path);
    e->f = NULL;
}

static void export_ids(struct export *e, const int *ids, size_t n)
{
    static uint16_t narrow[CHUNK];
    while (n) {
        if (e->f && e->n == e->most)
            close_bin(e);
        if (!e->f)
            open_bin(e);
        const size_t take = n < e->most - e->n ? n : (size_t)(e->most - e->n);
        if (e->width == 2)
            for (size_t i = 0; i < take; i++)
                narrow[i] = (uint16_t)ids[i];
        put(e, e->width == 2 ? (const void *)narrow : ids, take * (size_t)e->width);
        e->n += take;
        ids += take;
        n -= take;
    }
}

/* llm.c's order: an end of text before the first document, and none behind the last. */
static void export_split(struct export *e, struct shards *s)
{
    static int ids[CHUNK];
    const int eot = shards_kind(s)->eot;
    const uint64_t total = shards_tokens(s);
    if (e->form == BIN_LLMC && total)
        export_ids(e, &eot, 1);
    for (uint64_t at = 0; at < total; at += CHUNK) {
        size_t n = total - at < CHUNK ? (size_t)(total - at) : CHUNK;
        shards_read(s, at, n, ids);
        if (e->form == BIN_LLMC && at + n == total && ids[n - 1] == eot)
            n--;
        export_ids(e, ids, n);
    }
    close_bin(e);
}

/* The last part of a path, of which files are named. */
static char *name_of(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t begin = n;
    while (begin && path[begin - 1] != '/')
        begin--;
    return text_of("%.*s", (int)(n - begin), path + begin);
}

void bins_export(enum bin_form form, const char *data, const struct making *how)
{
    static const int order[SPLITS] = {SPLIT_VAL, SPLIT_TRAIN};     /* val is llm.c's number 0 */
    char *folder = outdir_begin(how->output), *name = name_of(how->output);
    struct export e = {.form = form, .folder = folder, .name = name,
                       .most = form == BIN_NANOGPT ? UINT64_MAX : (uint64_t)how->shard_tokens};
    for (int i = 0; i < SPLITS; i++) {
        struct shards *s = shards_open(data, split_names[order[i]]);
        shards_cache(s, SEQUENTIAL_CACHE);
        if (shards_pairs(s))
            die("%s: holds pairs, and %s has a place for documents only", data, bin_names[form]);
        e.width = shards_kind(s)->size > 65536 ? 4 : 2;
        if (form == BIN_NANOGPT && e.width == 4)
            die("%s: %d ids do not fit into nanoGPT's 16 bits", data, shards_kind(s)->size);
        e.split = split_names[order[i]];
        export_split(&e, s);
        shards_close(s);
    }
    free(name);
    outdir_commit(folder, how->output);
}
