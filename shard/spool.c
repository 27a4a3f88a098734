/* spool.c - ids and the places where documents end, in two files without a name. */
#include "shard/shard.h"
#include "base/base.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHUNK = 1 << 15 };

struct spool {
    FILE *ids, *ends;
    char *shown;
    uint64_t tokens, documents;
    int chunk[CHUNK];
};

static FILE *nameless(const char *folder, const char *shown)
{
    const int fd = open(folder, O_TMPFILE | O_RDWR, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w+b");
    if (!f)
        die("%s:", shown);
    return f;
}

struct spool *spool_begin(const char *folder, const char *shown)
{
    struct spool *s = zalloc(1, sizeof *s);
    s->ids = nameless(folder, shown);
    s->ends = nameless(folder, shown);
    s->shown = copy_text(shown);
    return s;
}

void spool_ids(struct spool *s, const int *ids, size_t n)
{
    if (fwrite(ids, sizeof *ids, n, s->ids) != n)
        die("%s:", s->shown);
    s->tokens += n;
}

void spool_end_document(struct spool *s)
{
    if (fwrite(&s->tokens, sizeof s->tokens, 1, s->ends) != 1)
        die("%s:", s->shown);
    s->documents++;
}

uint64_t spool_documents(const struct spool *s)
{
    return s->documents;
}

static void read_at(const struct spool *s, FILE *f, void *to, size_t bytes, uint64_t at)
{
    if (pread(fileno(f), to, bytes, (off_t)at) != (ssize_t)bytes)
        die("%s:", s->shown);
}

void spool_read(struct spool *s, uint64_t i, void (*give)(void *arg, const int *ids, size_t n),
                void *arg)
{
    uint64_t span[2] = {0};
    if (fflush(s->ids) || fflush(s->ends))
        die("%s:", s->shown);
    if (i)
        read_at(s, s->ends, span, sizeof span, (i - 1) * sizeof *span);
    else
        read_at(s, s->ends, span + 1, sizeof *span, 0);
    for (uint64_t at = span[0]; at < span[1];) {
        const size_t n = span[1] - at < CHUNK ? (size_t)(span[1] - at) : CHUNK;
        read_at(s, s->ids, s->chunk, n * sizeof *s->chunk, at * sizeof *s->chunk);
        give(arg, s->chunk, n);
        at += n;
    }
}

void spool_end(struct spool *s)
{
    fclose(s->ids);
    fclose(s->ends);
    free(s->shown);
    free(s);
}
