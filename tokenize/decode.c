#include "tokenize/tokenize.h"
#include "base/base.h"
#include "base/progress.h"
#include "data/tokens.h"
#include "text/utf8.h"
#include "text/vocab.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT = 15, LONG = 255 };

/* A token of up to SHORT bytes, so that one load and one store copy it. */
struct token {
    char bytes[SHORT];
    unsigned char n;            /* LONG: see vocab_bytes() */
};

struct decoder {
    struct vocab *v;
    struct token_kind kind;
    struct token *tokens;
    enum document_form form;
    const char *field;
    FILE *out;
    char *text;                 /* decoded, not written yet */
    size_t n, room;
    size_t bytes;               /* written */
};

static void open_vocab(struct decoder *d, const struct token_kind *kind, const char *name)
{
    d->v = vocab_open(kind->vocab);
    d->kind = *kind;
    if (vocab_size(d->v) != kind->size || vocab_eot(d->v) != kind->eot)
        die("%s: vocabulary %s has %d ids, end of text %d; the tokens were made with %d, %d", name,
            kind->vocab, vocab_size(d->v), vocab_eot(d->v), kind->size, kind->eot);
    d->tokens = zalloc((size_t)kind->size, sizeof *d->tokens);
    for (int id = 0; id < kind->size; id++) {
        size_t n;
        const char *bytes = vocab_bytes(d->v, id, &n);
        d->tokens[id].n = (unsigned char)(n <= SHORT ? n : LONG);
        memcpy(d->tokens[id].bytes, bytes, n <= SHORT ? n : SHORT);
    }
}

static void need(struct decoder *d, size_t n)
{
    if (d->n + n <= d->room)
        return;
    d->room = 2 * (d->n + n);
    d->text = realloc(d->text, d->room);
    if (!d->text)
        die("out of memory (%zu bytes)", d->room);
}

static void append(struct decoder *d, const int *ids, size_t n)
{
    need(d, n * sizeof *d->tokens + SHORT + 1);
    char *out = d->text + d->n;
    for (size_t i = 0; i < n; i++) {
        const struct token *t = &d->tokens[ids[i]];
        if (t->n != LONG) {
            memcpy(out, t, sizeof *t);
            out += t->n;
            continue;
        }
        size_t size;
        const char *bytes = vocab_bytes(d->v, ids[i], &size);
        d->n = (size_t)(out - d->text);
        need(d, size + (n - i) * sizeof *t + SHORT + 1);
        out = d->text + d->n;
        memcpy(out, bytes, size);
        out += size;
    }
    d->n = (size_t)(out - d->text);
}

static void flush(struct decoder *d)
{
    if (fwrite(d->text, 1, d->n, d->out) != d->n)
        die("writing text:");
    d->bytes += d->n;
    d->n = 0;
}

/* The document as a line of JSON; bytes that are not UTF-8 become U+FFFD. */
static void flush_json(struct decoder *d)
{
    size_t n;
    char *text = utf8_repaired(d->text, d->n, &n);
    json_t *root = json_object();
    if (json_object_set_new(root, d->field, json_stringn(text, n))
        || json_dumpf(root, d->out, JSON_COMPACT) || fputc('\n', d->out) == EOF)
        die("writing JSON:");
    json_decref(root);
    free(text);
    d->bytes += d->n;
    d->n = 0;
}

static void end_document(struct decoder *d)
{
    if (d->form == FORM_JSONL) {
        flush_json(d);
        return;
    }
    if (d->form != FORM_FILE) {
        need(d, 1);
        d->text[d->n++] = d->form == FORM_NUL ? 0 : '\n';
    }
}

static void decode_file(struct decoder *d, FILE *in, const char *name, struct progress *progress)
{
    struct token_reader *r;
    struct token_kind kind;
    struct token_part part;
    int more = 1, side = 0;
    const char *why = tokens_open(in, &r, &kind);

    if (!why && !d->v)
        open_vocab(d, &kind, name);
    else if (!why && !token_kind_same(&kind, &d->kind))
        die("%s: ids of vocabulary %s follow ids of %s", name, kind.vocab, d->kind.vocab);
    while (!why && !(why = tokens_part(r, &part, &more)) && more) {
        if (part.side != side) {
            need(d, 1);
            d->text[d->n++] = '\t';
            side = part.side;
        }
        append(d, part.ids, part.n);
        if (part.end) {
            end_document(d);
            side = 0;
        }
        if (d->form != FORM_JSONL)
            flush(d);
        progress_show(progress, (double)d->bytes, NULL);
    }
    if (why)
        die("%s: %s", name, why);
    tokens_close(r);
}

void decode(char *const *files, int n, enum document_form form, const char *field, FILE *out)
{
    struct decoder d = {.form = form, .field = field, .out = out};
    struct progress progress = progress_begin("bytes", 0, 0);

    for (int i = 0; i < n; i++) {
        const int own = strcmp(files[i], "-");
        FILE *in = own ? fopen(files[i], "rb") : stdin;
        if (!in)
            die("%s:", files[i]);
        decode_file(&d, in, own ? files[i] : "standard input", &progress);
        if (own)
            fclose(in);
    }
    progress_end(&progress);
    vocab_free(d.v);
    free(d.tokens);
    free(d.text);
}
