#include "text/pairs.h"
#include "base/base.h"
#include "text/utf8.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STREAMS = 1 + MAX_REFERENCES };

struct stream {
    FILE *f;
    const char *name;
    char *line;
    size_t room;
    unsigned long long number;      /* of the line, from 1 */
};

struct pairs {
    struct stream streams[MAX_STREAMS];
    int n, escaped;
    unsigned long long count;
    struct span references[MAX_REFERENCES];
    char why[512];
};

struct pairs *pairs_open(FILE *const *streams, const char *const *names, int n)
{
    struct pairs *p = zalloc(1, sizeof *p);
    p->n = n < MAX_STREAMS ? n : MAX_STREAMS;
    for (int i = 0; i < p->n; i++)
        p->streams[i] = (struct stream){.f = streams[i], .name = names[i]};
    return p;
}

void pairs_close(struct pairs *p)
{
    for (int i = 0; i < p->n; i++)
        free(p->streams[i].line);
    free(p);
}

static const char *wrong(struct pairs *p, const struct stream *s, const char *what)
{
    snprintf(p->why, sizeof p->why, "%s:%llu: %s", s->name, s->number, what);
    return p->why;
}

/* The next line without its newline; at = NULL at the end. */
static const char *read_line(struct pairs *p, struct stream *s, struct span *line)
{
    errno = 0;
    ssize_t n = getline(&s->line, &s->room, s->f);
    *line = (struct span){0};
    s->number++;
    if (n < 0)
        return ferror(s->f) ? wrong(p, s, strerror(errno)) : NULL;
    if (s->line[n - 1] == '\n')
        n--;
    *line = (struct span){s->line, (size_t)n};
    const size_t bad = utf8_invalid(s->line, (size_t)n);
    if (bad < (size_t)n) {
        char what[64];
        snprintf(what, sizeof what, "byte %zu is not UTF-8", bad + 1);
        return wrong(p, s, what);
    }
    return NULL;
}

/* Undo the escapes in place. */
static const char *unescape(struct pairs *p, struct span *s)
{
    static const char letters[] = "ntr\\";
    char *to = (char *)s->at;
    for (size_t i = 0; i < s->n; i++) {
        char c = s->at[i];
        if (c == '\\') {
            const char *known = i + 1 < s->n ? memchr(letters, s->at[i + 1], 4) : NULL;
            if (!known)
                return wrong(p, &p->streams[0], "a backslash that begins none of \\n \\t \\r \\\\");
            c = "\n\t\r\\"[known - letters];
            i++;
        }
        *to++ = c;
    }
    s->n = (size_t)(to - s->at);
    return NULL;
}

/* Cut one line at its tabs. */
static const char *cut_line(struct pairs *p, struct span line, struct pair *pair)
{
    const char *end = line.at + line.n, *tab = memchr(line.at, '\t', line.n), *why = NULL;
    if (!tab)
        return wrong(p, &p->streams[0], "no TAB between the candidate and its reference");
    pair->candidate = (struct span){line.at, (size_t)(tab - line.at)};
    while (tab) {
        const char *from = tab + 1;
        if (pair->n_references == MAX_REFERENCES)
            return wrong(p, &p->streams[0], "more than 64 references");
        tab = memchr(from, '\t', (size_t)(end - from));
        p->references[pair->n_references++] =
            (struct span){from, (size_t)((tab ? tab : end) - from)};
    }
    if (p->escaped) {
        why = unescape(p, &pair->candidate);
        for (int i = 0; i < pair->n_references && !why; i++)
            why = unescape(p, &p->references[i]);
    }
    return why;
}

/* After a first line "# pairs=escaped": on to the first row below the header. */
static const char *skip_header(struct pairs *p, struct span *line)
{
    static const char mark[] = "# pairs=escaped";
    const char *why = NULL;
    if (line->n != sizeof mark - 1 || memcmp(line->at, mark, line->n))
        return NULL;
    p->escaped = 1;
    while (!why && line->n && line->at[0] == '#')
        why = read_line(p, &p->streams[0], line);
    return why ? why : read_line(p, &p->streams[0], line);
}

static const char *next_row(struct pairs *p, struct pair *pair, int *more)
{
    struct span line;
    const char *why = read_line(p, &p->streams[0], &line);
    if (!why && line.at && p->streams[0].number == 1)
        why = skip_header(p, &line);
    if (why || !line.at)
        return why;
    *more = 1;
    return cut_line(p, line, pair);
}

static const char *next_lines(struct pairs *p, struct pair *pair, int *more)
{
    int longer = -1, ended = -1;        /* streams that have, and have not, another line */
    for (int i = 0; i < p->n; i++) {
        struct span line;
        const char *why = read_line(p, &p->streams[i], &line);
        if (why)
            return why;
        *(line.at ? &longer : &ended) = i;
        if (i)
            p->references[pair->n_references++] = line;
        else
            pair->candidate = line;
    }
    if (longer >= 0 && ended >= 0) {
        snprintf(p->why, sizeof p->why, "%s: has more lines than %s, which has %llu",
                 p->streams[longer].name, p->streams[ended].name, p->count - 1);
        return p->why;
    }
    *more = longer >= 0;
    return NULL;
}

const char *pairs_next(struct pairs *p, struct pair *pair, int *more)
{
    *more = 0;
    *pair = (struct pair){.references = p->references, .number = ++p->count};
    return p->n > 1 ? next_lines(p, pair, more) : next_row(p, pair, more);
}

void pairs_write(FILE *f, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        switch (text[i]) {
        case '\n': fputs("\\n", f); break;
        case '\t': fputs("\\t", f); break;
        case '\r': fputs("\\r", f); break;
        case '\\': fputs("\\\\", f); break;
        default:   fputc(text[i], f);
        }
}
