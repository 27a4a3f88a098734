#include "tokenize/tokenize.h"
#include "base/base.h"
#include "base/progress.h"
#include "data/tokens.h"
#include "text/decoder.h"
#include "text/utf8.h"
#include "text/vocab.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct output {
    struct vocab *v;
    struct token_kind kind;
    struct decoder *decoder;
    enum document_form form;
    const char *field;
    FILE *f;
    char *text;                 /* decoded, not written yet */
    size_t n, room;
    char held;                  /* the blank that a sub-word left at the end; 0: none */
    int fresh;                  /* nothing of this side was decoded yet */
    size_t bytes;               /* written */
};

static void open_vocab(struct output *o, const struct token_kind *kind, const char *name)
{
    o->v = vocab_open(kind->vocab);
    o->kind = *kind;
    if (vocab_size(o->v) != kind->size || vocab_eot(o->v) != kind->eot)
        die("%s: vocabulary %s has %d ids, end of text %d; the tokens were made with %d, %d", name,
            kind->vocab, vocab_size(o->v), vocab_eot(o->v), kind->size, kind->eot);
    o->decoder = decoder_new(o->v);
}

static void need(struct output *o, size_t n)
{
    if (o->n + n <= o->room)
        return;
    o->room = 2 * (o->n + n);
    o->text = realloc(o->text, o->room);
    if (!o->text)
        die("out of memory (%zu bytes)", o->room);
}

static void append_byte(struct output *o, char c)
{
    need(o, 1);
    o->text[o->n++] = c;
}

/* Ids as text.  A blank at the very end of a side of sub-words, or at the beginning of one of
 * word pieces, is one too many: the first waits until more follows, the second is left out. */
static void append(struct output *o, const int *ids, size_t n)
{
    if (!n)
        return;
    if (o->held)
        append_byte(o, o->held);
    need(o, decoder_room(o->decoder, ids, n));
    char *const text = o->text + o->n;
    size_t size = decoder_run(o->decoder, ids, n, text);
    const enum vocab_kind kind = vocab_kind(o->v);
    o->held = 0;
    if (kind == VOCAB_SUBWORD && size && text[size - 1] == ' ')
        o->held = text[--size];
    if (kind == VOCAB_WORDPIECE && o->fresh && size && *text == ' ')
        memmove(text, text + 1, --size);
    o->fresh = 0;
    o->n += size;
}

static void end_side(struct output *o)
{
    o->held = 0;
    o->fresh = 1;
}

static void flush(struct output *o)
{
    if (fwrite(o->text, 1, o->n, o->f) != o->n)
        die("writing text:");
    o->bytes += o->n;
    o->n = 0;
}

/* The document as a line of JSON; bytes that are not UTF-8 become U+FFFD. */
static void flush_json(struct output *o)
{
    size_t n;
    char *text = utf8_repaired(o->text, o->n, &n);
    json_t *root = json_object();
    if (json_object_set_new(root, o->field, json_stringn(text, n))
        || json_dumpf(root, o->f, JSON_COMPACT) || fputc('\n', o->f) == EOF)
        die("writing JSON:");
    json_decref(root);
    free(text);
    o->bytes += o->n;
    o->n = 0;
}

static void end_document(struct output *o)
{
    end_side(o);
    if (o->form == FORM_JSONL)
        flush_json(o);
    else if (o->form != FORM_FILE)
        append_byte(o, o->form == FORM_NUL ? 0 : '\n');
}

static void decode_file(struct output *o, FILE *in, const char *name, struct progress *progress)
{
    struct token_reader *r;
    struct token_kind kind;
    struct token_part part;
    int more = 1, side = 0;
    const char *why = tokens_open(in, &r, &kind);

    if (!why && !o->v)
        open_vocab(o, &kind, name);
    else if (!why && !token_kind_same(&kind, &o->kind))
        die("%s: ids of vocabulary %s follow ids of %s", name, kind.vocab, o->kind.vocab);
    while (!why && !(why = tokens_part(r, &part, &more)) && more) {
        if (part.side != side) {
            end_side(o);
            append_byte(o, '\t');
            side = part.side;
        }
        append(o, part.ids, part.n);
        if (part.end) {
            end_document(o);
            side = 0;
        }
        if (o->form != FORM_JSONL)
            flush(o);
        progress_show(progress, (double)o->bytes, NULL);
    }
    if (why)
        die("%s: %s", name, why);
    tokens_close(r);
}

void decode(char *const *files, int n, enum document_form form, const char *field, FILE *out)
{
    struct output o = {.fresh = 1, .form = form, .field = field, .f = out};
    struct progress progress = progress_begin("bytes", 0, 0);

    for (int i = 0; i < n; i++) {
        const int own = strcmp(files[i], "-");
        FILE *in = own ? fopen(files[i], "rb") : stdin;
        if (!in)
            die("%s:", files[i]);
        decode_file(&o, in, own ? files[i] : "standard input", &progress);
        if (own)
            fclose(in);
    }
    progress_end(&progress);
    decoder_free(o.decoder);
    vocab_free(o.v);
    free(o.text);
}
