#include "eval/stream.h"
#include "base/base.h"
#include "data/shards.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void add(struct stream *s, const int *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        s->ids = grow(s->ids, s->n, sizeof *s->ids);
        s->ids[s->n++] = ids[i];
    }
}

static void read_text(struct stream *s, FILE *f, const char *name)
{
    struct token_reader *r;
    struct token_part part;
    int more = 1;
    const char *why = tokens_open(f, &r, &s->kind);
    while (!why && !(why = tokens_part(r, &part, &more)) && more) {
        add(s, part.ids, part.n);
        if (part.end)
            add(s, &s->kind.eot, 1);
    }
    if (why)
        die("%s: %s", name, why);
    tokens_close(r);
}

struct stream *stream_open(const char *path, const char *split)
{
    struct stream *s = zalloc(1, sizeof *s);
    struct stat st;
    const int standard = !strcmp(path, "-");

    if (!standard && stat(path, &st))
        die("%s:", path);
    if (!standard && S_ISDIR(st.st_mode)) {
        s->shards = shards_open(path, split);
        s->kind = *shards_kind(s->shards);
        s->n = shards_tokens(s->shards);
        s->bytes = shards_bytes(s->shards);
        return s;
    }
    FILE *f = standard ? stdin : fopen(path, "r");
    if (!f)
        die("%s:", path);
    read_text(s, f, standard ? "stdin" : path);
    if (!standard)
        fclose(f);
    return s;
}

void stream_close(struct stream *s)
{
    if (s->shards)
        shards_close(s->shards);
    free(s->ids);
    free(s);
}

void stream_read(struct stream *s, uint64_t at, size_t n, int *ids)
{
    if (s->shards)
        shards_read(s->shards, at, n, ids);
    else
        memcpy(ids, s->ids + at, n * sizeof *ids);
}
