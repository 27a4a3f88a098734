#include "measure/embedder.h"
#include "base/base.h"
#include "base/file.h"
#include "measure/bertscore.h"
#include "model/checkpoint.h"
#include "text/roberta.h"
#include "text/tokenizer_json.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "text/vocab.h"
#include "text/wordpiece.h"
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum {
    PASS_TOKENS = 1024,     /* of a pass, about */
    TIME_STEP = 4,          /* texts are padded to a multiple of it */
};

struct embedder {
    struct vocab *vocab;
    const struct wordpiece *wordpiece;      /* the vocabulary's, or */
    struct roberta *roberta;
    struct model *weights;                  /* lends its parameters to the passes */
    int layer;
    size_t longest;                         /* tokens of a text */
};

static int usual_layer(const char *folder)
{
    char *name = path_name(folder);
    const int layer = bertscore_usual_layer(name);
    free(name);
    if (layer < 0)
        misuse("--layer: %s is no model whose usual layer is known; say which block's hidden "
               "states to take", folder);
    return layer;
}

static void open_tokenizer(struct embedder *e, const char *folder)
{
    e->vocab = vocab_open(folder);
    e->wordpiece = vocab_wordpiece(e->vocab);
    e->roberta = e->wordpiece ? NULL : roberta_new(e->vocab);
    if (vocab_size(e->vocab) > model_config.vocab)
        die("%s: %d token ids, but the model has only %d", folder, vocab_size(e->vocab),
            model_config.vocab);
    e->longest = (size_t)fmin(tokenizer_config(folder).longest, model_config.context);
}

struct embedder *embedder_open(const char *folder, int layer, const struct backend *be)
{
    struct embedder *e = zalloc(1, sizeof *e);
    const struct model_config callers = model_config;   /* who may have a model of his own */
    model_config = model_defaults;
    struct checkpoint *c = checkpoint_open(folder);

    if (model_config.architecture != ARCHITECTURE_ENCODER)
        die("%s: the model is no encoder (a BERT or RoBERTa)", folder);
    e->layer = layer < 0 ? usual_layer(folder) : layer;
    if (e->layer > model_config.layers)
        misuse("--layer: %d is more than the %d blocks of %s", e->layer, model_config.layers,
               folder);
    open_tokenizer(e, folder);
    e->weights = model_build_encoder(be, &model_config, 1, 1, e->layer);
    plan_place(e->weights->plan, NULL);
    checkpoint_load(c, e->weights);
    checkpoint_close(c);
    model_config = callers;
    return e;
}

void embedder_free(struct embedder *e)
{
    roberta_free(e->roberta);
    vocab_free(e->vocab);
    model_free(e->weights);
    free(e);
}

int embedder_layer(const struct embedder *e)
{
    return e->layer;
}

int embedder_width(const struct embedder *e)
{
    return e->weights->cfg.width;
}

int embedder_is_frame(const struct embedder *e, int id)
{
    return e->wordpiece ? wordpiece_is_frame(e->wordpiece, id)
                        : roberta_is_frame(e->roberta, id);
}

/* Python's str.strip(). */
static struct span stripped(const char *text, size_t n)
{
    uint32_t c;
    int bad, size;
    size_t begin = 0;
    n = unicode_trimmed(text, n);
    while (begin < n && (size = utf8_decode(text + begin, n - begin, &c, &bad)) && unicode_space(c))
        begin += (size_t)size;
    return (struct span){text + begin, n - begin};
}

int embedder_tokens(const struct embedder *e, const char *text, size_t n, struct ids *out)
{
    const struct span s = stripped(text, n);
    if (e->wordpiece)
        return wordpiece_encode(e->wordpiece, s.at, s.n, e->longest, out);
    return roberta_encode(e->roberta, s.at, s.n, e->longest, out);
}

/* One text of a pass, and where its states go. */
struct row {
    const struct ids *tokens;
    float *to;
};

/* Longest first; equal texts stand beside each other. */
static int by_length(const void *a, const void *b)
{
    const struct ids *x = ((const struct row *)a)->tokens, *y = ((const struct row *)b)->tokens;
    return x->n != y->n ? (x->n < y->n) - (x->n > y->n)
                        : memcmp(x->at, y->at, x->n * sizeof *x->at);
}

/* Divide each row by its length. */
static void normalise(float *x, size_t rows, size_t width)
{
    for (float *end = x + rows * width; x < end; x += width) {
        double sum = 0;
        for (size_t i = 0; i < width; i++)
            sum += (double)x[i] * x[i];
        const double scale = sum > 0 ? 1 / sqrt(sum) : 0;
        for (size_t i = 0; i < width; i++)
            x[i] = (float)(x[i] * scale);
    }
}

/* Run m->batch rows through a placed model. */
static void run_pass(struct model *m, const struct row *rows)
{
    const size_t time = (size_t)m->time, width = (size_t)m->cfg.width;
    const struct tensor *out = m->stream[m->n_stream - 1];
    int *ids = zalloc(tensor_size(m->ids), sizeof *ids);
    int *lengths = zalloc((size_t)m->batch, sizeof *lengths);

    for (int b = 0; b < m->batch; b++) {
        memcpy(ids + (size_t)b * time, rows[b].tokens->at, rows[b].tokens->n * sizeof *ids);
        lengths[b] = (int)rows[b].tokens->n;
    }
    plan_put(m->plan, m->ids, m->ids->data, ids);
    plan_put(m->plan, m->lengths, m->lengths->data, lengths);
    plan_forward(m->plan);
    for (int b = 0; b < m->batch; b++) {
        m->plan->be->get(rows[b].to, out->data + (size_t)b * time * width,
                         rows[b].tokens->n * width * sizeof(float));
        normalise(rows[b].to, rows[b].tokens->n, width);
    }
    free(ids);
    free(lengths);
}

/* Leave each text once in the n sorted rows, the others behind them; how many are left. */
static size_t once_each(struct row *rows, size_t n)
{
    struct row *again = zalloc(n, sizeof *again);
    size_t left = 0, more = 0;
    for (size_t i = 0; i < n; i++)
        if (left && !by_length(&rows[left - 1], &rows[i]))
            again[more++] = rows[i];
        else
            rows[left++] = rows[i];
    memcpy(rows + left, again, more * sizeof *again);
    free(again);
    return left;
}

/* The states of the rows behind the first `left`, which have the same texts in the same order. */
static void copy_states(const struct row *rows, size_t left, size_t n, size_t width)
{
    for (size_t i = left, k = 0; i < n; i++) {
        while (by_length(&rows[k], &rows[i]))
            k++;
        memcpy(rows[i].to, rows[k].to, rows[i].tokens->n * width * sizeof(float));
    }
}

/* Some rows that go through the model together. */
struct pass {
    size_t first;
    int batch, time;
};

/* Cut n rows, longest first, into passes, each as wide as its first: so only a little is padding,
 * and no pass has rows to spare.  Returns their number. */
static size_t cut_passes(const struct row *rows, size_t n, int context, struct pass *passes)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i += (size_t)passes[count++].batch) {
        const int longest = (int)rows[i].tokens->n;
        int time = (longest + TIME_STEP - 1) / TIME_STEP * TIME_STEP;
        time = time < context ? time : context;
        const size_t fit = time < PASS_TOKENS ? (size_t)(PASS_TOKENS / time) : 1;
        passes[count] = (struct pass){i, (int)(fit < n - i ? fit : n - i), time};
    }
    return count;
}

/* A model for a pass: the one of the pass before, if that had the same shape. */
static struct model *model_for(const struct embedder *e, struct model *m, const struct pass *p)
{
    const struct model *w = e->weights;
    if (m && m->time == p->time && m->batch == p->batch)
        return m;
    if (m)
        model_free(m);
    m = model_build_encoder(w->plan->be, &w->cfg, p->batch, p->time, e->layer);
    plan_place(m->plan, w->plan);
    return m;
}

/* On the CPU each thread takes passes of its own, which have less to wait for than threads that
 * share one; where there are fewer passes than threads, or another device, all share each. */
static void run_passes(const struct embedder *e, const struct row *rows,
                       const struct pass *passes, size_t n)
{
    const int apart = !strncmp(e->weights->plan->be->name, "cpu", 3)
                   && n >= (size_t)omp_get_max_threads();
    #pragma omp parallel if (apart)
    {
        struct model *m = NULL;
        if (apart)
            omp_set_num_threads(1);         /* for the kernels of this thread */
        #pragma omp for schedule(dynamic)
        for (size_t i = 0; i < n; i++) {
            m = model_for(e, m, &passes[i]);
            run_pass(m, rows + passes[i].first);
        }
        if (m)
            model_free(m);
    }
}

/* A text that stands there more than once goes once. */
void embedder_run(struct embedder *e, const struct ids *tokens, size_t n, float *const *states)
{
    struct row *rows = zalloc(n, sizeof *rows);
    struct pass *passes = zalloc(n, sizeof *passes);

    for (size_t i = 0; i < n; i++)
        rows[i] = (struct row){&tokens[i], states[i]};
    qsort(rows, n, sizeof *rows, by_length);
    const size_t left = once_each(rows, n);
    run_passes(e, rows, passes, cut_passes(rows, left, e->weights->cfg.context, passes));
    copy_states(rows, left, n, (size_t)e->weights->cfg.width);
    free(passes);
    free(rows);
}
