/* eval --bertscore ENCODER: means over the pairs, or each pair's.  All pairs are read as tokens
 * first, then scored in chunks. */
#include "eval/bert.h"
#include "base/base.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/tsv.h"
#include "eval/eval.h"
#include "eval/prf.h"
#include "graph/device.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_TOKENS = 1 << 16 };    /* whose states are held at a time */

/* All texts as tokens: of each pair the candidate, then its references. */
struct bert {
    struct ids *texts;
    size_t n_texts, n_pairs, documents, empty, cut;
    int *references;            /* of each pair */
    struct embedder *encoder;
    struct idf *idf;
    struct bertscore baseline;
    struct prf sums;
};

static void add_text(struct bert *c, struct span text)
{
    c->texts = grow(c->texts, c->n_texts, sizeof *c->texts);
    struct ids *tokens = &c->texts[c->n_texts++];
    *tokens = (struct ids){0};
    c->cut += (size_t)embedder_tokens(c->encoder, text.at, text.n, tokens);
    c->empty += tokens->n == 2;
}

void bert_add(struct bert *c, struct span candidate, const struct span *references, int n)
{
    c->references = grow(c->references, c->n_pairs, sizeof *c->references);
    c->references[c->n_pairs++] = n;
    add_text(c, candidate);
    for (int i = 0; i < n; i++, c->documents++) {
        add_text(c, references[i]);
        if (c->idf)
            idf_add(c->idf, &c->texts[c->n_texts - 1]);
    }
}

static double higher(double a, double b)
{
    return a > b || isnan(b) ? a : b;
}

/* The highest precision, recall and F over the references, each by itself. */
static struct bertscore score_pair(const struct bert *c, const struct ids *texts,
                                   float *const *states, int references)
{
    struct bertscore top = {NAN, NAN, NAN};
    for (int k = 1; k <= references; k++) {
        const struct bertscore s = bertscore(c->encoder, &texts[0], states[0], &texts[k],
                                             states[k], c->idf);
        top = (struct bertscore){higher(top.precision, s.precision), higher(top.recall, s.recall),
                                 higher(top.f, s.f)};
    }
    return want.baseline ? bertscore_rescaled(top, c->baseline) : top;
}

static void add_score(FILE *out, struct bert *c, size_t pair, struct bertscore s)
{
    const double one[PARTS] = {s.precision, s.recall, s.f};
    prf_add(&c->sums, one);
    if (out) {
        fprintf(out, "%zu", pair + 1);
        prf_cells(out, one);
        fputc('\n', out);
    }
}

/* Score whole pairs from pair `first`, text `at`, up to about CHUNK_TOKENS; returns how many. */
static size_t score_chunk(FILE *out, struct bert *c, size_t first, size_t at)
{
    const size_t width = (size_t)embedder_width(c->encoder);
    size_t pairs = 0, texts = 0, tokens = 0;

    while (first + pairs < c->n_pairs && (!pairs || tokens < CHUNK_TOKENS)) {
        for (int i = 0; i <= c->references[first + pairs]; i++)
            tokens += c->texts[at + texts++].n;
        pairs++;
    }
    float *block = zalloc(tokens * width, sizeof *block), *next = block;
    float **states = zalloc(texts, sizeof *states);
    for (size_t i = 0; i < texts; i++) {
        states[i] = next;
        next += c->texts[at + i].n * width;
    }
    embedder_run(c->encoder, c->texts + at, texts, states);
    for (size_t i = 0, text = 0; i < pairs; i++) {
        const int references = c->references[first + i];
        add_score(out, c, first + i, score_pair(c, c->texts + at + text, states + text,
                                                references));
        text += (size_t)references + 1;
    }
    free(states);
    free(block);
    return pairs;
}

char *bert_signature(const struct bert *c)
{
    char *name = path_name(want.encoder);
    char *line = text_of("%s_L%d_%s_version=0.3.12(keel=%s)%s", name, embedder_layer(c->encoder),
                         want.idf ? "idf" : "no-idf", KEEL_VERSION,
                         want.baseline ? "-custom-rescaled" : "");
    free(name);
    return line;
}

struct bert *bert_open(void)
{
    struct bert *c = zalloc(1, sizeof *c);
    c->encoder = embedder_open(want.encoder, want.layer, device_open());
    c->idf = want.idf ? idf_new() : NULL;
    const int layer = embedder_layer(c->encoder);
    const char *why = want.baseline ? bertscore_baseline(want.baseline, layer, &c->baseline) : NULL;
    if (why)
        die("%s: %s (layer %d)", want.baseline, why, layer);
    return c;
}

void bert_close(struct bert *c)
{
    for (size_t i = 0; i < c->n_texts; i++)
        free(c->texts[i].at);
    free(c->texts);
    free(c->references);
    free(c->sums.all);
    idf_free(c->idf);
    embedder_free(c->encoder);
    free(c);
}

const struct prf *bert_run(struct bert *c, FILE *out)
{
    if (c->idf && c->documents < 2)
        die("--idf: weights from one reference are all 0; two are needed at least");
    if (c->empty)
        warn("texts without a token: %zu; they score 0", c->empty);
    if (c->cut)
        warn("texts longer than the encoder's context: %zu; their ends are not scored", c->cut);

    struct progress p = progress_begin("pairs", 0, (double)c->n_pairs);
    for (size_t pair = 0, text = 0; pair < c->n_pairs;) {
        const size_t done = score_chunk(out, c, pair, text);
        for (size_t i = 0; i < done; i++)
            text += (size_t)c->references[pair + i] + 1;
        pair += done;
        progress_show(&p, (double)pair, NULL);
    }
    progress_end(&p);
    return &c->sums;
}

static void add_block(struct bert *c, struct pair_block *block)
{
    struct pair pair;
    const char *why;
    int more;
    while (!(why = pairs_next(block, &pair, &more)) && more)
        bert_add(c, pair.candidate, pair.references, pair.n_references);
    if (why)
        die("%s", why);
}

void run_bertscore(FILE *out, int n, char **operands)
{
    struct bert *c = bert_open();
    struct pairs *in = pairs_from(n, operands);
    struct pair_block *block = pair_block_new();
    while (pairs_read(in, block))
        add_block(c, block);
    pair_block_free(block);
    pairs_close(in);
    need_pairs(c->n_pairs);

    char *score = bert_signature(c);
    table_begin(out, score_options, bertscore_options);
    tsv_note(out, "score", score);
    fputs(want.each ? "pair\tbertscore_precision\tbertscore_recall\tbertscore_f\n"
                    : "metric\tvalue\n", out);
    const struct prf *sums = bert_run(c, want.each ? out : NULL);
    if (!want.each) {
        struct twister t;
        twister_seed(&t, (uint32_t)want.seed);
        metric(out, "pairs", (double)c->n_pairs);
        prf_print(out, "bertscore", sums, &t);
    }
    free(score);
    bert_close(c);
}
