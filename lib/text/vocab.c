#include "text/vocab.h"
#include "base/base.h"
#include "base/file.h"
#include "text/encoder.h"
#include "text/vocab_inside.h"
#include <stdlib.h>
#include <string.h>

static void open_bytes(struct vocab *v)
{
    v->size = 257;
    v->eot = 256;
    v->tokens = zalloc(257, sizeof *v->tokens);
    v->pool = zalloc(256, 1);
    for (int i = 0; i < 256; i++) {
        v->pool[i] = (char)i;
        v->tokens[i].at = (uint32_t)i;
        v->tokens[i].n = 1;
        v->bpe.byte_id[i] = i;
    }
}

static void map_or_die(const char *path, struct mapped *m)
{
    if (file_map(path, m))
        die("%s:", path);
}

static void open_gpt2(struct vocab *v)
{
    char *path = share_path("gpt2/vocab.bpe");
    struct mapped m;
    map_or_die(path, &m);
    const char *why = vocab_from_bpe(v, (const char *)m.data, m.size);
    if (why)
        die("%s:%s", path, why);
    v->closed = 1;
    file_unmap(&m);
    free(path);
}

static void open_folder(struct vocab *v, const char *folder)
{
    char *json_path = text_of("%s/vocab.json", folder);
    char *merges_path = text_of("%s/merges.txt", folder);
    struct mapped json, merges;

    map_or_die(json_path, &json);
    map_or_die(merges_path, &merges);
    const char *why = vocab_from_pair(v, (const char *)json.data, json.size,
                                      (const char *)merges.data, merges.size);
    if (why)
        die("%s/%s", folder, why);
    v->folder = copy_text(folder);
    file_unmap(&json);
    file_unmap(&merges);
    free(json_path);
    free(merges_path);
}

struct vocab *vocab_open(const char *name)
{
    struct vocab *v = zalloc(1, sizeof *v);
    v->name = copy_text(name);
    if (!strcmp(name, "bytes"))
        open_bytes(v);
    else if (!strcmp(name, "gpt2"))
        open_gpt2(v);
    else
        open_folder(v, name);
    return v;
}

void vocab_free(struct vocab *v)
{
    bpe_end(&v->bpe);
    free(v->name);
    free(v->folder);
    free(v->tokens);
    free(v->pool);
    free(v);
}

const char *vocab_name(const struct vocab *v)
{
    return v->name;
}

const char *vocab_folder(const struct vocab *v)
{
    return v->folder;
}

int vocab_size(const struct vocab *v)
{
    return v->size;
}

int vocab_eot(const struct vocab *v)
{
    return v->eot;
}

const char *vocab_bytes(const struct vocab *v, int id, size_t *n)
{
    *n = v->tokens[id].n;
    return v->pool + v->tokens[id].at;
}

int *vocab_encode(const struct vocab *v, const char *text, size_t n, size_t *n_ids)
{
    struct encoder *e = encoder_new(v, 8);
    unsigned char *padded = zalloc(n + ENCODER_PAD, 1);
    int *ids = zalloc(n + ENCODER_PAD, sizeof *ids);

    memcpy(padded, text, n);
    *n_ids = encoder_run(e, padded, n, ids);
    free(padded);
    encoder_free(e);
    return ids;
}
