/* tokens_read.c - token text in. */
#include "base/base.h"
#include "base/file.h"
#include "data/token_numbers.h"
#include "data/tokens.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    FRONT = 64, ROOM = 1 << 18, BACK = 64,  /* FRONT: loads that end at the first number */
    PART = 1 << 16,                         /* ids returned at once */
    MAX_LINE = 8192,                        /* of a '#' line */
    NEXT_SIDE = 2,
};

struct token_reader {
    FILE *f;
    struct token_kind kind;
    unsigned char *buffer;      /* FRONT + ROOM + BACK bytes */
    size_t at, have;            /* unread bytes are buffer[at, have) */
    int eof, cut;
    int begun, ended;           /* a header was read; the end line after it was */
    int pasted;                 /* the '#' lines come in twos, from paste(1) */
    int side, fresh;            /* of the document being read; 1: nothing yet on this side,
                                   NEXT_SIDE: the next call begins the second */
    int inside;                 /* a document has been begun */
    uint64_t line, documents, tokens;   /* since the header */
    int *ids;
    int *whole;                 /* tokens_next()'s document */
    size_t room;
    char why[256];
};

__attribute__((format(printf, 2, 3)))
static const char *wrong(struct token_reader *r, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(r->why, sizeof r->why, "line %llu: ", (unsigned long long)r->line);
    va_start(ap, fmt);
    vsnprintf(r->why + n, sizeof r->why - (size_t)n, fmt, ap);
    va_end(ap);
    return r->why;
}

/* Move what is unread to the front and read on behind it. */
static const char *refill(struct token_reader *r)
{
    const size_t left = r->have - r->at;
    memmove(r->buffer + FRONT, r->buffer + r->at, left);
    r->at = FRONT;
    r->have = FRONT + left;
    const size_t n = fread(r->buffer + r->have, 1, ROOM - left, r->f);
    if (!n && ferror(r->f))
        return wrong(r, "%s", strerror(errno));
    r->eof = !n;
    r->have += n;
    memset(r->buffer + r->have, 0, BACK);
    return NULL;
}

static const char *cut(struct token_reader *r, const char *where)
{
    r->cut = 1;
    return wrong(r, "the stream was cut %s (its producer failed, or head(1) shortened it)", where);
}

/* One '#' line of one stream; two of them for a pasted line. */
static const char *note(struct token_reader *r, char *line)
{
    struct token_kind kind, other;
    uint64_t documents, tokens, more_documents, more_tokens;
    char *second = strstr(line, "\t#");
    if (second)
        *second++ = 0;

    if (!token_kind_parse(line, &kind)) {
        if (r->begun && !token_kind_same(&kind, &r->kind))
            return wrong(r, "ids of vocabulary %s, size %d follow ids of %s, size %d", kind.vocab,
                         kind.size, r->kind.vocab, r->kind.size);
        if (second && (token_kind_parse(second, &other) || !token_kind_same(&kind, &other)))
            return wrong(r, "the two sides are not of one vocabulary");
        if (r->begun && !r->ended)
            return cut(r, "before its end line, and another follows");
        r->kind = kind;
        r->pasted = second != NULL;
        r->begun = 1;
        r->ended = 0;
        r->documents = r->tokens = 0;
    } else if (!strncmp(line, "# vocab=", 8)) {
        return wrong(r, "no '# vocab=NAME size=N eot=N' with numbers in range");
    } else if (!token_end_parse(line, &documents, &tokens)) {
        if (second != NULL && (token_end_parse(second, &more_documents, &more_tokens)
                               || more_documents != documents))
            return wrong(r, "the two sides do not have the same number of documents");
        tokens += second ? more_tokens : 0;
        if (documents != r->documents || tokens != r->tokens)
            return wrong(r, "the end line counts %llu documents, %llu tokens; %llu, %llu came",
                         (unsigned long long)documents, (unsigned long long)tokens,
                         (unsigned long long)r->documents, (unsigned long long)r->tokens);
        r->ended = 1;
    }
    return NULL;
}

/* The '#' line at r->at.  Other comments are passed over. */
static const char *comment(struct token_reader *r)
{
    char line[MAX_LINE];
    const unsigned char *end;
    for (;;) {
        end = memchr(r->buffer + r->at, '\n', r->have - r->at);
        if (end || r->eof || r->have - r->at >= MAX_LINE)
            break;
        const char *why = refill(r);
        if (why)
            return why;
    }
    if (!end && r->eof)
        return cut(r, "in the middle of a '#' line");
    const size_t n = end ? (size_t)(end - r->buffer) - r->at : MAX_LINE;
    if (n >= sizeof line)
        return wrong(r, "a '#' line of more than %d bytes", MAX_LINE - 1);
    memcpy(line, r->buffer + r->at, n);
    line[n] = 0;
    const char *why = note(r, line);
    r->at += n + 1;
    r->line++;
    return why;
}

/* Begin reading at a line's start: its '#' lines, then a document, unless it is the end. */
static const char *begin_line(struct token_reader *r, int *more)
{
    for (;;) {
        const char *why = NULL;
        if (r->at == r->have && (r->eof || (why = refill(r)) || r->eof)) {
            *more = 0;
            return why ? why : r->ended ? NULL : cut(r, "before its end line");
        }
        if (r->buffer[r->at] != '#')
            break;
        if ((why = comment(r)))
            return why;
    }
    if (!r->begun)
        return wrong(r, "no '# vocab=NAME size=N eot=N' before the first document");
    if (r->ended)
        return wrong(r, "a document after the end line");
    r->inside = r->fresh = 1;
    r->side = 0;
    return NULL;
}

static const char *bad_number(struct token_reader *r, size_t digits)
{
    return digits ? wrong(r, "a number of more than %d digits", MAX_DIGITS)
                  : wrong(r, "a blank with no number before it");
}

static const char *bad_byte(struct token_reader *r, unsigned char c)
{
    return c > ' ' && c < 127 ? wrong(r, "'%c' is no part of a number, a blank or a TAB", c)
                              : wrong(r, "byte 0x%02x is no part of a number, a blank or a TAB", c);
}

/* What is wrong with the first bad number before a blank, or with the one that is open. */
static const char *find_bad_number(struct token_reader *r, const unsigned char *start,
                                   const unsigned char *p, uint64_t blank)
{
    for (; blank; blank &= blank - 1) {
        const unsigned char *const stop = p + __builtin_ctzll(blank);
        if ((size_t)(stop - start) - 1 >= MAX_DIGITS)
            return bad_number(r, (size_t)(stop - start));
        start = stop + 1;
    }
    return bad_number(r, MAX_DIGITS + 1);
}

/* Is every id in the vocabulary? */
static const char *check_ids(struct token_reader *r, size_t n)
{
    int max = 0;
    for (size_t i = 0; i < n; i++)
        max = r->ids[i] > max ? r->ids[i] : max;
    return max < r->kind.size ? NULL : wrong(r, "id %d is beyond the vocabulary (0..%d)", max,
                                             r->kind.size - 1);
}

/* Read ids to the end of a side, of what is buffered, or of r->ids: *n of them.  *stop
 * is the '\n' or '\t' that was passed, or 0. */
static const char *scan(struct token_reader *r, size_t *n, int *stop)
{
    const unsigned char *const have = r->buffer + r->have;
    const unsigned char *start = r->buffer + r->at, *p = start;
    int *out = r->ids + *n;
    const int *const full = r->ids + PART - 64;

    *stop = 0;
    while (out < full && p < have) {
        struct masks m = sort_bytes(p);
        const uint64_t odd = ~(m.digit | m.blank);      /* an end, or a byte that is wrong */
        const int limit = odd ? __builtin_ctzll(odd) : 64;
        m.blank &= low_bits(limit);
        m.digit &= low_bits(limit);
        if (has_bad_number(m, (size_t)(p - start)))
            return find_bad_number(r, start, p, m.blank);
        out = put_block(out, start, p, m.blank);
        if (m.blank)
            start = p + 64 - __builtin_clzll(m.blank);
        p += limit;
        if (limit == 64)
            continue;
        if (p >= have)
            break;
        if (*p != '\n' && *p != '\t')
            return bad_byte(r, *p);
        const size_t digits = (size_t)(p - start);
        r->fresh = r->fresh && out == r->ids;
        if (!digits && !r->fresh)
            return bad_number(r, digits);
        if (digits) {
            const __m128i last = digits_before(p, digits);
            put_numbers(out++, last, last);
        }
        *stop = *p;
        start = p + 1;
        break;
    }
    r->at = (size_t)(start - r->buffer);
    *n = (size_t)(out - r->ids);
    if (*n)
        r->fresh = 0;
    return NULL;
}

const char *tokens_part(struct token_reader *r, struct token_part *part, int *more)
{
    const char *why;
    int stop = 0;
    size_t n = 0;

    *more = 1;
    *part = (struct token_part){.ids = r->ids};
    if (!r->inside) {
        if ((why = begin_line(r, more)) || !*more)
            return why;
    } else if (r->fresh == NEXT_SIDE) {
        r->side = r->fresh = 1;
    }
    part->side = r->side;
    for (;;) {
        if ((why = scan(r, &n, &stop)))
            return why;
        if (stop || n > PART - 128)
            break;
        if (r->have - r->at > MAX_DIGITS)
            return bad_number(r, r->have - r->at);
        if ((why = refill(r)))
            return why;
        if (r->eof) {
            if (n)
                break;          /* what is whole first, the error at the next call */
            return cut(r, r->at < r->have ? "in the middle of a number"
                                          : "in the middle of a line");
        }
    }
    part->n = n;
    r->tokens += n;
    if ((why = check_ids(r, n)))
        return why;
    if (stop == '\t') {
        if (r->side == 1)
            return wrong(r, "a pair has two sides, this has a third");
        r->fresh = NEXT_SIDE;
    } else if (stop == '\n') {
        part->end = 1;
        r->inside = 0;
        r->line++;
        r->documents++;
    }
    return NULL;
}

const char *tokens_open(FILE *f, struct token_reader **reader, struct token_kind *kind)
{
    struct token_reader *r = *reader = zalloc(1, sizeof *r);
    const char *why;
    r->f = f;
    widen_pipe(f);
    r->buffer = zalloc(FRONT + ROOM + BACK, 1);
    r->at = r->have = FRONT;
    r->ids = zalloc(PART, sizeof *r->ids);
    r->line = 1;
    if ((why = refill(r)))
        return why;
    if (r->eof)
        return cut(r, "before its first byte");
    while (!r->begun) {
        if (r->at == r->have && !r->eof && (why = refill(r)))
            return why;
        if (r->at == r->have)
            return cut(r, "before '# vocab=NAME size=N eot=N'");
        if (r->buffer[r->at] != '#')
            return wrong(r, "not token text: '# vocab=NAME size=N eot=N' is missing");
        if ((why = comment(r)))
            return why;
    }
    *kind = r->kind;
    return NULL;
}

const char *tokens_next(struct token_reader *r, struct token_document *d, int *more)
{
    struct token_part part;
    const char *why;
    *d = (struct token_document){0};
    do {
        if ((why = tokens_part(r, &part, more)) || !*more)
            return why;
        if (d->n + part.n > r->room) {
            r->room = 2 * (d->n + part.n);
            r->whole = reallocarray(r->whole, r->room, sizeof *r->whole);
            if (!r->whole)
                die("out of memory");
        }
        if (part.side == 0)
            d->second = d->n + part.n;
        if (part.n)
            memcpy(r->whole + d->n, part.ids, part.n * sizeof *part.ids);
        d->n += part.n;
    } while (!part.end);
    d->ids = r->whole;
    return NULL;
}

int tokens_cut(const struct token_reader *r)
{
    return r->cut;
}

void tokens_close(struct token_reader *r)
{
    if (!r)
        return;
    free(r->buffer);
    free(r->ids);
    free(r->whole);
    free(r);
}
