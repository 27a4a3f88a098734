/* eval --bleu: corpus BLEU and its parts, or each pair's; intervals by a bootstrap on request. */
#include "text/bleu.h"
#include "base/base.h"
#include "base/progress.h"
#include "base/tsv.h"
#include "eval/eval.h"
#include "text/bleu_words.h"
#include "text/bootstrap.h"
#include <math.h>
#include <stdlib.h>

struct corpus {
    struct bleu_words *words;
    struct ngrams *ngrams;
    struct ids candidate, references[MAX_REFERENCES];
    struct bleu_options how;
    struct bleu_counts sum;
    struct bleu_counts *all;    /* of every pair: only for a bootstrap */
    size_t n;
    int n_references;
};

static struct bleu_counts count(struct corpus *c, const struct pair *pair)
{
    const int many = pair->n_references;
    if (!c->n)
        c->n_references = many;
    if (many != c->n_references)
        die("pair %llu: %d references where the first pair has %d", pair->number, many,
            c->n_references);
    if (want.tokenizer == BLEU_FAIRSEQ && many > 1)
        die("pair %llu: fairseq's BLEU has one reference, here are %d", pair->number, many);
    bleu_words(c->words, pair->candidate, 0, &c->candidate);
    for (int i = 0; i < many; i++)
        bleu_words(c->words, pair->references[i], 1, &c->references[i]);
    const struct bleu_counts one = bleu_count(c->ngrams, &c->candidate, c->references, many,
                                              c->how.order);
    bleu_words_rest(c->words);
    return one;
}

/* "87.3/70.1/56.6/45.5" */
static void precisions(FILE *f, const struct corpus *c, const struct bleu_score *s)
{
    for (int n = 0; n < c->how.order; n++)
        fprintf(f, "%s%.1f", n ? "/" : "", s->precisions[n]);
}

/* The line that the peer prints, which says how the number was made. */
static char *signature(const struct corpus *c, const struct bleu_score *s)
{
    static const char *const smooths[] = {"exp", "floor", "add-k", "none"};
    static const char *const tokenizers[] = {"13a", "intl", "char", "none"};
    const double ratio = c->sum.reference ? (double)c->sum.candidate / (double)c->sum.reference : 0;
    char *line;
    size_t size;
    FILE *f = open_memstream(&line, &size);
    if (!f)
        die("out of memory");
    if (want.tokenizer >= BLEU_FAIRSEQ) {
        const int fairseq = want.tokenizer == BLEU_FAIRSEQ;
        fprintf(f, "BLEU%.*s = %.2f, ", fairseq, &"0123456789"[c->how.order], s->score);
        precisions(f, c, s);
        fprintf(f, " (BP=%.3f, ratio=%.3f, %s=%zu, %s=%zu)", s->brevity, ratio,
                fairseq ? "syslen" : "hyp_len", c->sum.candidate,
                fairseq ? "reflen" : "ref_len", c->sum.reference);
    } else {
        fprintf(f, "BLEU|nrefs:%d|case:%s|eff:%s|tok:%s|smooth:%s", c->n_references,
                want.lower ? "lc" : "mixed", c->how.effective ? "yes" : "no",
                tokenizers[want.tokenizer], smooths[c->how.smooth]);
        if (c->how.smooth == BLEU_SMOOTH_FLOOR || c->how.smooth == BLEU_SMOOTH_ADD_K)
            fprintf(f, "[%.2f]", bleu_smooth_value(&c->how));
        fprintf(f, "|version:2.6.0 = %.2f ", s->score);
        precisions(f, c, s);
        fprintf(f, " (BP = %.3f ratio = %.3f hyp_len = %zu ref_len = %zu)", s->brevity, ratio,
                c->sum.candidate, c->sum.reference);
    }
    if (fclose(f))
        die("out of memory");
    return line;
}

/* 2.5, 50 and 97.5 % of the resampled corpus scores. */
static void print_intervals(FILE *out, const struct corpus *c)
{
    double *scores = zalloc((size_t)want.resamples, sizeof *scores);
    struct twister t;

    twister_seed(&t, (uint32_t)want.seed);
    for (int b = 0; b < want.resamples; b++) {
        struct bleu_counts sum = {0};
        for (size_t i = 0; i < c->n; i++)
            bleu_add(&sum, &c->all[twister_below(&t, (uint32_t)c->n)]);
        scores[b] = bleu_score(&sum, &c->how).score;
    }
    metric(out, "bleu_low", quantile(scores, (size_t)want.resamples, 0.025));
    metric(out, "bleu_mid", quantile(scores, (size_t)want.resamples, 0.5));
    metric(out, "bleu_high", quantile(scores, (size_t)want.resamples, 0.975));
    free(scores);
}

static void print_corpus(FILE *out, const struct corpus *c)
{
    const struct bleu_score s = bleu_score(&c->sum, &c->how);
    const size_t from = c->sum.candidate, to = c->sum.reference;
    char *line = signature(c, &s), name[32];

    tsv_note(out, "score", line);
    fputs("metric\tvalue\n", out);
    metric(out, "pairs", (double)c->n);
    metric(out, "bleu", s.score);
    if (want.resamples)
        print_intervals(out, c);
    for (int n = 0; n < c->how.order; n++) {
        snprintf(name, sizeof name, "precision%d", n + 1);
        metric(out, name, s.precisions[n]);
    }
    metric(out, "brevity_penalty", s.brevity);
    metric(out, "length_ratio", to ? (double)from / (double)to : 0);
    metric(out, "candidate_length", (double)from);
    metric(out, "reference_length", (double)to);
    free(line);
}

static struct bleu_options options(void)
{
    struct bleu_options o = {want.order, (enum bleu_smooth)want.smooth, want.smooth_value,
                             want.each};
    if (o.value >= 0 && o.smooth != BLEU_SMOOTH_FLOOR && o.smooth != BLEU_SMOOTH_ADD_K)
        misuse("--smooth-value: only --smooth floor and add-k have one");
    if (want.tokenizer >= BLEU_FAIRSEQ) {       /* these two do not smooth */
        if (opt_given("smooth") && o.smooth != BLEU_SMOOTH_NONE)
            misuse("--smooth: fairseq and multi-bleu know none");
        o.smooth = BLEU_SMOOTH_NONE;
    }
    return o;
}

void run_bleu(FILE *out, int n, char **operands)
{
    struct corpus c = {.how = options()};
    struct pair pair;

    c.words = bleu_words_new((enum bleu_tokenizer)want.tokenizer, want.lower, want.compounds);
    c.ngrams = ngrams_new();
    struct pairs *in = pairs_from(n, operands);
    struct progress p = progress_begin("pairs", 0, 0);
    while (pair_next(in, &pair)) {
        const struct bleu_counts one = count(&c, &pair);
        if (!c.n++)
            table_begin(out, score_options, bleu_options);
        if (want.each) {
            if (c.n == 1)
                fputs("pair\tbleu\n", out);
            fprintf(out, "%zu\t", c.n);
            tsv_double(out, bleu_score(&one, &c.how).score);
            fputc('\n', out);
        }
        if (want.resamples) {
            c.all = grow(c.all, c.n - 1, sizeof *c.all);
            c.all[c.n - 1] = one;
        }
        bleu_add(&c.sum, &one);
        if (c.n % 256 == 0)
            progress_show(&p, (double)c.n, NULL);
    }
    progress_end(&p);
    if (!want.each)
        print_corpus(out, &c);
    pairs_close(in);
    bleu_words_free(c.words);
    ngrams_free(c.ngrams);
    free(c.candidate.at);
    for (int i = 0; i < MAX_REFERENCES; i++)
        free(c.references[i].at);
    free(c.all);
}
