#include "tokenize/tokenize.h"
#include "base/base.h"
#include "base/ordered.h"
#include "base/progress.h"
#include "data/tokens.h"
#include "text/encoder.h"
#include <stdlib.h>

enum { TABLE_BITS = 19 };       /* of an encoder: 16 MB */

struct job {
    struct documents *documents;
    struct encoder **encoders;  /* one for each thread */
    struct token_writer *writer;
    struct progress progress;
};

struct slot {
    struct text_batch batch;
    int *ids;
    size_t ids_room;
    char *out;                  /* token text */
    size_t n, room;
    uint64_t documents, tokens;
};

static int fill(void *context, void *slot)
{
    struct job *j = context;
    struct slot *s = slot;
    return documents_next(j->documents, &s->batch);
}

static void need_ids(struct slot *s, size_t n)
{
    if (n <= s->ids_room)
        return;
    free(s->ids);
    s->ids_room = n + n / 2;
    s->ids = zalloc(s->ids_room, sizeof *s->ids);
}

static void need_text(struct slot *s, size_t n)
{
    if (s->n + n <= s->room)
        return;
    s->room = (s->n + n) * 3 / 2;
    s->out = realloc(s->out, s->room);
    if (!s->out)
        die("out of memory (%zu bytes)", s->room);
}

static void work(void *context, void *slot, int thread)
{
    static const char separator[] = {[ENDS_SIDE] = '\t', [ENDS_DOCUMENT] = '\n'};
    struct job *j = context;
    struct slot *s = slot;
    struct text_batch *b = &s->batch;
    int fresh = !b->continues;

    batch_unpack(b);
    s->n = s->documents = s->tokens = 0;
    for (size_t i = 0; i < b->n_spans; i++) {
        const struct span *span = &b->spans[i];
        const size_t size = span->end - span->begin;
        need_ids(s, size + ENCODER_PAD);
        const size_t n = encoder_run(j->encoders[thread], b->text + span->begin, size, s->ids);
        need_text(s, TOKEN_ROOM * (n + 1) + 1);
        s->n = (size_t)(tokens_format(j->writer, s->ids, n, fresh, s->out + s->n) - s->out);
        s->tokens += n;
        fresh = fresh && !n;
        if (span->ends != ENDS_PART) {
            s->out[s->n++] = separator[span->ends];
            s->documents += span->ends == ENDS_DOCUMENT;
            fresh = 1;
        }
    }
}

static void drain(void *context, void *slot)
{
    struct job *j = context;
    struct slot *s = slot;
    tokens_append(j->writer, s->out, s->n, s->documents, s->tokens);
    progress_show(&j->progress, (double)documents_bytes(j->documents), NULL);
}

static void release(void *slot)
{
    struct slot *s = slot;
    batch_free(&s->batch);
    free(s->ids);
    free(s->out);
}

void encode(const struct document_source *from, const char *name, FILE *out)
{
    static const enum document_cut cuts[] = {[VOCAB_BYTES] = CUT_ANYWHERE, [VOCAB_BPE] = CUT_PIECES,
                                             [VOCAB_SUBWORD] = CUT_BLANKS,
                                             [VOCAB_WORDPIECE] = CUT_BLANKS};
    struct vocab *v = vocab_open(name);
    struct token_kind kind = {.size = vocab_size(v), .eot = vocab_eot(v)};
    const int threads = ordered_threads();
    struct document_source source = *from;

    if (snprintf(kind.vocab, sizeof kind.vocab, "%s", name) >= (int)sizeof kind.vocab)
        die("%s: the path of a vocabulary must be shorter than %zu bytes", name, sizeof kind.vocab);
    source.cut = cuts[vocab_kind(v)];
    struct job j = {.documents = documents_open(&source),
                    .encoders = zalloc((size_t)threads, sizeof *j.encoders),
                    .progress = progress_begin("bytes", 0, 0)};
    for (int i = 0; i < threads; i++)
        j.encoders[i] = encoder_new(v, TABLE_BITS);
    j.writer = tokens_begin(out, &kind);
    ordered_run(&(struct ordered){&j, sizeof(struct slot), fill, work, drain, release}, threads);
    progress_end(&j.progress);
    tokens_end(j.writer);
    for (int i = 0; i < threads; i++)
        encoder_free(j.encoders[i]);
    free(j.encoders);
    documents_close(j.documents);
    vocab_free(v);
}
