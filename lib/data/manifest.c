#include "data/manifest.h"
#include "base/base.h"
#include "base/file.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define FORMAT "keel shard set 1"
/* The end of the text: a CRC-32 of all before it, so that no change goes unseen. */
#define SEAL ",\n \"crc32\": \"%08x\"\n}\n"
enum { SEAL_LENGTH = sizeof ",\n \"crc32\": \"01234567\"\n}\n" - 1 };

const char *const split_names[SPLITS + 1] = {"train", "val", NULL};

static json_t *split_json(const struct manifest_split *s)
{
    json_t *shards = json_array();
    for (size_t i = 0; i < s->n; i++) {
        const struct manifest_shard *h = &s->shards[i];
        char crc[9];
        snprintf(crc, sizeof crc, "%08x", h->crc);
        json_array_append_new(shards, json_pack("{s:s, s:I, s:I, s:I, s:s}", "file", h->file,
            "documents", (json_int_t)h->documents, "tokens", (json_int_t)h->tokens,
            "size", (json_int_t)h->size, "crc32", crc));
    }
    return json_pack("{s:I, s:I, s:I, s:o}", "documents", (json_int_t)s->documents,
                     "tokens", (json_int_t)s->tokens, "bytes", (json_int_t)s->bytes,
                     "shards", shards);
}

char *manifest_text(const struct manifest *m)
{
    json_t *o = json_pack("{s:s, s:s%, s:s, s:s, s:i, s:i, s:b, s:s, s:f, s:I, s:b}",
        "format", FORMAT, "command", m->command, strlen(m->command), "version", m->version,
        "vocab", m->kind.vocab, "size", m->kind.size, "eot", m->kind.eot, "pairs", m->pairs,
        "split", m->split, "fraction", m->fraction, "seed", (json_int_t)m->seed,
        "shuffled", m->shuffled);
    if (!o)
        die("manifest.json: the command line or a name is not UTF-8");
    for (int i = 0; i < SPLITS; i++)
        json_object_set_new(o, split_names[i], split_json(&m->splits[i]));
    char *body = json_dumps(o, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    json_decref(o);
    if (!body)
        die("out of memory");
    body[strlen(body) - 2] = 0;         /* "\n}" */
    char *text = text_of("%s" SEAL, body,
                         (unsigned)crc32_z(crc32(0, NULL, 0), (unsigned char *)body, strlen(body)));
    free(body);
    return text;
}

static const char *get_text(const json_t *o, const char *key, char **text)
{
    const char *s = json_string_value(json_object_get(o, key));
    if (!s || !(*text = strdup(s)))
        return key;
    return NULL;
}

static const char *get_count(const json_t *o, const char *key, uint64_t *v)
{
    const json_t *j = json_object_get(o, key);
    *v = (uint64_t)json_integer_value(j);
    return json_is_integer(j) && json_integer_value(j) >= 0 ? NULL : key;
}

static const char *get_shard(const json_t *o, struct manifest_shard *h)
{
    const char *bad, *crc = json_string_value(json_object_get(o, "crc32"));
    char *end;
    if ((bad = get_count(o, "documents", &h->documents))
        || (bad = get_count(o, "tokens", &h->tokens))
        || (bad = get_count(o, "size", &h->size)))
        return bad;
    if (!crc || strlen(crc) != 8)
        return "crc32";
    h->crc = (uint32_t)strtoul(crc, &end, 16);
    if (*end)
        return "crc32";
    const char *file = json_string_value(json_object_get(o, "file"));
    if (!file || !*file || strchr(file, '/') || !(h->file = strdup(file)))
        return "file";
    return NULL;
}

void manifest_add(struct manifest_split *s, const struct manifest_shard *shard)
{
    s->shards = grow(s->shards, s->n, sizeof *s->shards);
    s->shards[s->n++] = *shard;
}

/* NULL, or what is wrong: a key, or a few words. */
static const char *get_split(const json_t *o, struct manifest_split *s)
{
    const char *bad;
    uint64_t documents = 0, tokens = 0;
    size_t i;
    json_t *shard;
    if ((bad = get_count(o, "documents", &s->documents))
        || (bad = get_count(o, "tokens", &s->tokens))
        || (bad = get_count(o, "bytes", &s->bytes)))
        return bad;
    if (!json_is_array(json_object_get(o, "shards")))
        return "shards";
    json_array_foreach(json_object_get(o, "shards"), i, shard) {
        struct manifest_shard h = {0};
        if ((bad = get_shard(shard, &h)))
            return bad;
        manifest_add(s, &h);
        documents += h.documents;
        tokens += h.tokens;
    }
    return documents != s->documents ? "documents" : tokens != s->tokens ? "tokens" : NULL;
}

static const char *get_all(const json_t *o, struct manifest *m)
{
    const char *bad, *format = json_string_value(json_object_get(o, "format"));
    const char *vocab = json_string_value(json_object_get(o, "vocab"));
    uint64_t size, eot;
    if (!format || strcmp(format, FORMAT))
        return "format";
    if (!vocab || !*vocab || *vocab == '.' || strchr(vocab, '/')
        || strlen(vocab) >= sizeof m->kind.vocab)
        return "vocab";
    if (get_count(o, "size", &size) || !size || size > TOKENS_MAX_SIZE)
        return "size";
    if (get_count(o, "eot", &eot) || eot >= size)
        return "eot";
    strcpy(m->kind.vocab, vocab);
    m->kind.size = (int)size;
    m->kind.eot = (int)eot;
    m->pairs = json_is_true(json_object_get(o, "pairs"));
    m->shuffled = json_is_true(json_object_get(o, "shuffled"));
    m->fraction = json_number_value(json_object_get(o, "fraction"));
    if ((bad = get_text(o, "command", &m->command)) || (bad = get_text(o, "version", &m->version))
        || (bad = get_text(o, "split", &m->split)) || (bad = get_count(o, "seed", &m->seed)))
        return bad;
    for (int i = 0; i < SPLITS; i++)
        if ((bad = get_split(json_object_get(o, split_names[i]), &m->splits[i])))
            return bad;
    return NULL;
}

const char *manifest_parse(const char *text, size_t n, struct manifest *m, char why[200])
{
    json_error_t error;
    const char *bad;
    char seal[SEAL_LENGTH + 1];

    memset(m, 0, sizeof *m);
    json_t *o = json_loadb(text, n, 0, &error);
    if (!o) {
        snprintf(why, 200, "%d: not JSON: %.120s", error.line, error.text);
        return why;
    }
    if ((bad = get_all(o, m)))
        snprintf(why, 200, "'%s' is missing or wrong", bad);
    json_decref(o);
    if (bad)
        return why;
    const size_t body = n > SEAL_LENGTH ? n - SEAL_LENGTH : 0;
    snprintf(seal, sizeof seal, SEAL,
             (unsigned)crc32_z(crc32(0, NULL, 0), (const unsigned char *)text, body));
    if (!body || memcmp(text + body, seal, SEAL_LENGTH)) {
        snprintf(why, 200, "its check sum is wrong: it was damaged or changed by hand");
        return why;
    }
    return NULL;
}

void manifest_free(struct manifest *m)
{
    for (int i = 0; i < SPLITS; i++) {
        for (size_t k = 0; k < m->splits[i].n; k++)
            free(m->splits[i].shards[k].file);
        free(m->splits[i].shards);
    }
    free(m->command);
    free(m->version);
    free(m->split);
    memset(m, 0, sizeof *m);
}

void manifest_read(const char *folder, struct manifest *m)
{
    struct mapped file;
    char why[200];
    char *path = text_of("%s/manifest.json", folder);
    if (file_map(path, &file)) {
        if (errno == ENOENT)
            die("%s: no such file; a shard set is a folder made by shard -o", path);
        die("%s:", path);
    }
    if (manifest_parse((const char *)file.data, file.size, m, why))
        die("%s: %s", path, why);
    file_unmap(&file);
    free(path);
}
