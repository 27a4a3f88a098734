#include "text/pairs.h"
#include "base/base.h"
#include "text/utf8.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STREAMS = 1 + MAX_REFERENCES, BLOCK = 1 << 16 };

/* Some bytes of a stream; in a block, whole lines. */
struct lines {
    char *text;
    size_t n, room;
    size_t at;                      /* of the next line */
    size_t bad;                     /* the first byte that is not UTF-8; n: none */
    unsigned long long number;      /* of the line before the next, from 1 */
    int failure;                    /* errno of reading on; 0: none */
};

struct pair_block {
    struct lines lines[MAX_STREAMS];
    const char *const *names;
    int n, escaped, is_checked;
    unsigned long long count;       /* of the pair before the next */
    struct span references[MAX_REFERENCES];
    char why[512];
};

enum header { NO_LINE_YET, IN_HEADER, HEADER_IS_OVER };

struct pairs {
    FILE *streams[MAX_STREAMS];
    const char *names[MAX_STREAMS];
    struct lines rest[MAX_STREAMS]; /* read, and not yet in a block */
    int ended[MAX_STREAMS];
    int n, escaped;
    enum header header;
    unsigned long long count;
};

struct pairs *pairs_open(FILE *const *streams, const char *const *names, int n)
{
    struct pairs *p = zalloc(1, sizeof *p);
    p->n = n < MAX_STREAMS ? n : MAX_STREAMS;
    for (int i = 0; i < p->n; i++) {
        p->streams[i] = streams[i];
        p->names[i] = names[i];
    }
    if (p->n > 1)
        p->header = HEADER_IS_OVER;
    return p;
}

void pairs_close(struct pairs *p)
{
    for (int i = 0; i < p->n; i++)
        free(p->rest[i].text);
    free(p);
}

struct pair_block *pair_block_new(void)
{
    return zalloc(1, sizeof(struct pair_block));
}

void pair_block_free(struct pair_block *b)
{
    for (int i = 0; b && i < MAX_STREAMS; i++)
        free(b->lines[i].text);
    free(b);
}

static void make_room(struct lines *l, size_t n)
{
    if (n <= l->room)
        return;
    l->room = 2 * n;
    l->text = realloc(l->text, l->room);
    if (!l->text)
        die("out of memory (%zu bytes)", l->room);
}

static void read_more(struct pairs *p, int i, struct lines *l)
{
    make_room(l, l->n + BLOCK);
    errno = 0;
    const size_t got = fread(l->text + l->n, 1, BLOCK, p->streams[i]);
    l->n += got;
    p->ended[i] = got < BLOCK;
    if (ferror(p->streams[i]))
        l->failure = errno ? errno : EIO;
}

/* Have the next lines of stream i, at most `most`, in l, and what follows them in p->rest; returns
 * how many.  Of the first stream it is about a BLOCK of bytes. */
static size_t take_lines(struct pairs *p, int i, struct lines *l, size_t most)
{
    struct lines *rest = &p->rest[i], old = *l;
    size_t lines = 0, cut = 0, seen = 0;

    *l = *rest;
    l->failure = 0;
    for (;;) {
        const char *end;
        while (lines < most && seen < l->n && (end = memchr(l->text + seen, '\n', l->n - seen))) {
            cut = seen = (size_t)(end - l->text) + 1;
            lines++;
        }
        if (lines == most || (!i && lines && l->n >= BLOCK) || p->ended[i])
            break;
        seen = l->n;
        read_more(p, i, l);
    }
    if (p->ended[i] && lines < most && cut < l->n) {
        cut = l->n;
        lines++;
    }
    *rest = (struct lines){.text = old.text, .room = old.room, .n = l->n - cut,
                           .number = l->number + lines};
    make_room(rest, rest->n);
    if (rest->n)
        memcpy(rest->text, l->text + cut, rest->n);
    l->n = cut;
    l->at = 0;
    return lines;
}

/* The next line without its line end; at = NULL after the last. */
static struct span next_line(struct lines *l)
{
    if (l->at == l->n)
        return (struct span){0};
    const char *begin = l->text + l->at, *end = memchr(begin, '\n', l->n - l->at);
    const size_t n = end ? (size_t)(end - begin) : l->n - l->at;
    l->at += n + (end != NULL);
    l->number++;
    return (struct span){begin, n};
}

/* After a first line "# pairs=escaped", pass over all lines with # and one more; returns how many
 * lines were passed over. */
static size_t skip_header(struct pairs *p, struct lines *l)
{
    static const char mark[] = "# pairs=escaped";
    size_t lines = 0;
    while (p->header != HEADER_IS_OVER && l->at < l->n) {
        const size_t before = l->at;
        const struct span line = next_line(l);
        if (p->header == NO_LINE_YET)
            p->escaped = line.n == sizeof mark - 1 && !memcmp(line.at, mark, line.n);
        if (!p->escaped) {
            l->at = before;
            l->number--;
            p->header = HEADER_IS_OVER;
            break;
        }
        p->header = line.n && *line.at == '#' ? IN_HEADER : HEADER_IS_OVER;
        lines++;
    }
    return lines;
}

int pairs_read(struct pairs *p, struct pair_block *b)
{
    size_t lines;
    int some;

    do {
        lines = take_lines(p, 0, &b->lines[0], (size_t)-1);
        lines -= skip_header(p, &b->lines[0]);
    } while (!lines && !p->ended[0]);
    some = lines || b->lines[0].failure;
    for (int i = 1; i < p->n; i++)
        some |= take_lines(p, i, &b->lines[i], lines ? lines : 1) || b->lines[i].failure;
    b->names = p->names;
    b->n = p->n;
    b->escaped = p->escaped;
    b->is_checked = 0;
    b->count = p->count;
    p->count += lines;
    return some;
}

static const char *wrong(struct pair_block *b, int i, const char *what)
{
    snprintf(b->why, sizeof b->why, "%s:%llu: %s", b->names[i], b->lines[i].number, what);
    return b->why;
}

static const char *line_of(struct pair_block *b, int i, struct span *line)
{
    struct lines *l = &b->lines[i];
    const size_t from = l->at;
    *line = next_line(l);
    if (!line->at && l->failure) {
        l->number++;
        return wrong(b, i, strerror(l->failure));
    }
    if (!line->at || l->bad >= from + line->n)
        return NULL;
    char what[64];
    snprintf(what, sizeof what, "byte %zu is not UTF-8", l->bad - from + 1);
    return wrong(b, i, what);
}

/* Undo the escapes in place. */
static const char *unescape(struct pair_block *b, struct span *s)
{
    static const char letters[] = "ntr\\";
    char *to = (char *)s->at;
    for (size_t i = 0; i < s->n; i++) {
        char c = s->at[i];
        if (c == '\\') {
            const char *known = i + 1 < s->n ? memchr(letters, s->at[i + 1], 4) : NULL;
            if (!known)
                return wrong(b, 0, "a backslash that begins none of \\n \\t \\r \\\\");
            c = "\n\t\r\\"[known - letters];
            i++;
        }
        *to++ = c;
    }
    s->n = (size_t)(to - s->at);
    return NULL;
}

/* Cut one line at its tabs. */
static const char *cut_line(struct pair_block *b, struct span line, struct pair *pair)
{
    const char *end = line.at + line.n, *tab = memchr(line.at, '\t', line.n), *why = NULL;
    if (!tab)
        return wrong(b, 0, "no TAB between the candidate and its reference");
    pair->candidate = (struct span){line.at, (size_t)(tab - line.at)};
    while (tab) {
        const char *from = tab + 1;
        if (pair->n_references == MAX_REFERENCES)
            return wrong(b, 0, "more than 64 references");
        tab = memchr(from, '\t', (size_t)(end - from));
        b->references[pair->n_references++] =
            (struct span){from, (size_t)((tab ? tab : end) - from)};
    }
    if (b->escaped) {
        why = unescape(b, &pair->candidate);
        for (int i = 0; i < pair->n_references && !why; i++)
            why = unescape(b, &b->references[i]);
    }
    return why;
}

static const char *next_row(struct pair_block *b, struct pair *pair, int *more)
{
    struct span line;
    const char *why = line_of(b, 0, &line);
    if (why || !line.at)
        return why;
    *more = 1;
    return cut_line(b, line, pair);
}

static const char *next_lines(struct pair_block *b, struct pair *pair, int *more)
{
    int longer = -1, ended = -1;        /* streams that have, and have not, another line */
    for (int i = 0; i < b->n; i++) {
        struct span line;
        const char *why = line_of(b, i, &line);
        if (why)
            return why;
        *(line.at ? &longer : &ended) = i;
        if (i)
            b->references[pair->n_references++] = line;
        else
            pair->candidate = line;
    }
    if (longer >= 0 && ended >= 0) {
        snprintf(b->why, sizeof b->why, "%s: has more lines than %s, which has %llu",
                 b->names[longer], b->names[ended], b->count - 1);
        return b->why;
    }
    *more = longer >= 0;
    return NULL;
}

const char *pairs_next(struct pair_block *b, struct pair *pair, int *more)
{
    for (int i = 0; !b->is_checked && i < b->n; i++)
        b->lines[i].bad = utf8_invalid(b->lines[i].text, b->lines[i].n);
    b->is_checked = 1;
    *more = 0;
    *pair = (struct pair){.references = b->references, .number = ++b->count};
    return b->n > 1 ? next_lines(b, pair, more) : next_row(b, pair, more);
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
