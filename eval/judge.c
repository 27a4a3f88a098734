#include "eval/judge.h"
#include "base/base.h"
#include "base/progress.h"
#include "base/tsv.h"
#include "eval/eval.h"
#include "graph/device.h"
#include "text/utf8.h"
#include "text/vocab.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TOKENS = 8192, MOST_LOGITS = 1 << 26 };     /* of a batch that is chosen for the user */

/* Ids from outside must not index past the embedding. */
static void check_ids(const struct judge *j, const int *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] < 0 || ids[i] >= j->stream->kind.size)
            die("the data holds the id %d, which is not below %d", ids[i], j->stream->kind.size);
}

struct judge *judge_open(const char *run, const char *data)
{
    static struct judge judge;
    struct judge *j = &judge;
    j->stream = stream_open(data, want.train ? "train" : "val");
    j->checkpoint = checkpoint_open(run);
    checkpoint_check_kind(j->checkpoint, &j->stream->kind, data);
    if (model_config.architecture == ARCHITECTURE_ENCODER) {
        if (want.policy == POLICY_STRIDE || want.policy == POLICY_ROLLING)
            misuse("--policy: the model in %s is an encoder: blocks or random, of which it guesses "
                   "the hidden tokens", run);
        if (want.pairs || want.forced)
            die("%s: the model is an encoder, which predicts no next token; a decoder is needed "
                "here", run);
    }
    j->mask = masking_for(&j->stream->kind, model_mask_share(&model_config));
    if (masking_ids(&j->mask) > model_config.vocab)
        die("%s: has %d ids and one to hide them, the model only %d", data, j->stream->kind.size,
            model_config.vocab);
    if (want.window > model_config.context)
        misuse("--window: %d is more than the model's context of %d", want.window,
               model_config.context);
    if (!want.window)
        want.window = model_config.context;
    if (want.stride > want.window)
        misuse("--stride: %d leaves gaps between windows of %d", want.stride, want.window);
    if (!want.stride)
        want.stride = want.window;
    if (!want.batch) {
        const int by_tokens = MOST_TOKENS / model_config.context;
        const int by_logits = MOST_LOGITS / model_config.vocab / model_config.context;
        want.batch = by_tokens < by_logits ? by_tokens : by_logits;
        want.batch += !want.batch;
    }
    struct model_config scored = model_config;
    scored.label_smoothing = 0;             /* a loss, not a training signal */
    j->model = model_build(device_open(), &scored, want.batch, MODEL_LOSS, 0);
    if (want.pairs || want.forced)
        plan_watch(j->model->logits);
    plan_place(j->model->plan, NULL);
    checkpoint_load(j->checkpoint, j->model);
    return j;
}

void judge_close(struct judge *j)
{
    model_free(j->model);
    checkpoint_close(j->checkpoint);
    stream_close(j->stream);
}

void judge_notes(const struct judge *j, FILE *out, const struct opt *more)
{
    const struct opt *const tables[] = {output_options, device_options, window_options,
                                               model_options, more, NULL};
    char *policy = policy_text((enum policy)want.policy, want.window, want.stride);

    tsv_provenance(out, tables);
    tsv_note(out, "protocol", policy);
    if (j->mask.share > 0)
        tsv_note(out, "scored", "hidden tokens, guessed from all others of their window");
    checkpoint_notes(j->checkpoint, out);
    free(policy);
}

struct vocab *judge_vocab(const struct judge *j)
{
    const char *name = checkpoint_kind(j->checkpoint)->vocab;
    if (!*name)
        name = j->stream->kind.vocab;
    if (!strcmp(name, "?"))
        die("neither the model nor the data says what its ids mean; text needs a vocabulary");
    struct vocab *v = vocab_open(name);
    if (vocab_size(v) < j->stream->kind.size)
        die("vocabulary %s has %d ids, the data %d", vocab_name(v), vocab_size(v),
            j->stream->kind.size);
    return v;
}

char *judge_text(const struct vocab *v, const int *ids, int n, size_t *size)
{
    char *raw;
    size_t bytes;
    FILE *f = open_memstream(&raw, &bytes);
    if (!f)
        die("out of memory");
    for (int i = 0; i < n; i++) {
        const char *text = vocab_bytes(v, ids[i], &bytes);
        if (ids[i] == vocab_eot(v))
            fputs("<|endoftext|>", f);
        else
            fwrite(text, 1, bytes, f);
    }
    if (fclose(f))
        die("out of memory");
    char *text = utf8_repaired(raw, bytes, size);
    free(raw);
    return text;
}

void tally_add(struct tally *t, const struct verdict *v)
{
    double sum = 0;
    for (int i = 0; i < v->n; i++) {
        sum += v->loss[i];
        t->hits += v->best[i] == v->targets[i];
    }
    t->loss += sum;
    t->window_exp += exp(sum / v->n);
    t->tokens += (unsigned long long)v->n;
    t->windows++;
}

/* Host copies of what goes into a batch and comes out. */
struct load {
    struct window windows[MAX_BATCH];
    int *ids, *targets, *best;
    float *loss;
    int n;
};

/* Put window k into row `row`; what follows its end is no target. */
static void fill(const struct judge *j, struct load *b, int row, const struct window *w,
                 uint64_t k)
{
    const size_t time = (size_t)model_config.context, n = (size_t)w->n;
    int *ids = b->ids + (size_t)row * time, *targets = b->targets + (size_t)row * time;
    const int before = w->from < 0;         /* the end of text that begins the stream */

    memset(ids, 0, time * sizeof *ids);
    if (before)
        ids[0] = j->stream->kind.eot;
    if (n > (size_t)before)
        stream_read(j->stream, (uint64_t)(w->from + before), n - (size_t)before, ids + before);
    memcpy(targets, ids + 1, (n - 1) * sizeof *ids);
    stream_read(j->stream, (uint64_t)w->from + n, 1, &targets[n - 1]);
    check_ids(j, ids, n);
    check_ids(j, targets, n);
    if (j->mask.share > 0)
        mask_window(&j->mask, (uint64_t)want.seed, k, ids, targets, w->n);
    for (size_t i = 0; i < time; i++)
        if (i < (size_t)w->skip || i >= n)
            targets[i] = -1;
}

/* What was scored of a row, without the rest between. */
static struct verdict verdict_of(struct load *b, int row)
{
    const size_t time = (size_t)model_config.context, at = (size_t)row * time;
    int *targets = b->targets + at, *best = b->best + at, n = 0;
    float *loss = b->loss + at;
    for (size_t i = 0; i < time; i++)
        if (targets[i] >= 0) {
            targets[n] = targets[i];
            best[n] = best[i];
            loss[n++] = loss[i];
        }
    return (struct verdict){targets, loss, best, n};
}

static void pass(struct judge *j, struct load *b)
{
    struct model *m = j->model;
    struct plan *p = m->plan;
    const size_t time = (size_t)model_config.context;

    memset(b->ids + (size_t)b->n * time, 0, (size_t)(m->batch - b->n) * time * sizeof *b->ids);
    for (size_t i = (size_t)b->n * time; i < (size_t)m->batch * time; i++)
        b->targets[i] = -1;
    plan_put(p, m->ids, m->ids->data, b->ids);
    plan_put(p, m->targets, m->targets->data, b->targets);
    plan_forward(p);
    plan_get(p, m->loss, m->loss->data, b->loss);
    plan_get(p, m->best, m->best->data, b->best);
}

/* The likeliest of the data's own ids: a model has spare rows above them. */
static void real_best(struct judge *j, struct load *b, float *row)
{
    const struct tensor *t = j->model->logits;
    const int n = b->n * model_config.context, size = j->stream->kind.size;
    for (int i = 0; i < n; i++)
        if (b->best[i] >= size) {
            j->model->plan->be->get(row, t->data + (size_t)i * (size_t)t->ld,
                                    (size_t)size * sizeof *row);
            b->best[i] = 0;
            for (int k = 1; k < size; k++)
                if (row[k] > row[b->best[i]])
                    b->best[i] = k;
        }
}

void judge_run(struct judge *j, void (*each)(void *arg, const struct verdict *v), void *arg)
{
    const size_t rows = (size_t)want.batch * (size_t)model_config.context;
    struct load *b = zalloc(1, sizeof *b);
    float *row = zalloc((size_t)model_config.vocab, sizeof *row);
    int *host = zalloc(3 * rows, sizeof *host), more = 1;
    struct windows *w = windows_open(j->stream, (enum policy)want.policy, want.window,
                                     want.stride, (uint64_t)want.windows, (uint64_t)want.seed);
    struct progress p = progress_begin("tokens", 0, windows_tokens(w));
    double done = 0;
    uint64_t k = 0;

    b->ids = host;
    b->targets = host + rows;
    b->best = host + 2 * rows;
    b->loss = zalloc(rows, sizeof *b->loss);
    while (more) {
        for (b->n = 0; b->n < want.batch && (more = windows_next(w, &b->windows[b->n])); b->n++)
            fill(j, b, b->n, &b->windows[b->n], k++);
        if (!b->n)
            break;
        pass(j, b);
        if (want.pairs || want.forced)
            real_best(j, b, row);
        for (int i = 0; i < b->n; i++) {
            const struct verdict v = verdict_of(b, i);
            each(arg, &v);
            done += b->windows[i].n - b->windows[i].skip;
        }
        progress_show(&p, done, NULL);
    }
    progress_end(&p);
    windows_close(w);
    free(b->loss);
    free(host);
    free(row);
    free(b);
}
