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

struct system {
    struct bleu_counts sum;
    struct bleu_counts *all;    /* of every pair: only for a bootstrap */
};

struct corpus {
    struct bleu_words *words;
    struct ngrams *ngrams;
    struct ids candidate, references[MAX_REFERENCES];
    struct bleu_options how;
    struct system own, other;   /* the latter with --against */
    size_t n;
    int n_references;
};

static struct bleu_counts count_words(struct corpus *c, struct span candidate)
{
    bleu_words(c->words, candidate, 0, &c->candidate);
    return bleu_count(c->ngrams, &c->candidate, c->references, c->n_references, c->how.order);
}

/* Count one pair; with --against the first "reference" is the other system's candidate. */
static struct bleu_counts count(struct corpus *c, const struct pair *pair,
                                struct bleu_counts *other)
{
    const int first = want.against != NULL, many = pair->n_references - first;
    if (!c->n)
        c->n_references = many;
    if (many != c->n_references)
        die("pair %llu: %d references where the first pair has %d", pair->number, many,
            c->n_references);
    if (want.tokenizer == BLEU_FAIRSEQ && many > 1)
        die("pair %llu: fairseq's BLEU has one reference, here are %d", pair->number, many);
    for (int i = 0; i < many; i++)
        bleu_words(c->words, pair->references[first + i], 1, &c->references[i]);
    const struct bleu_counts one = count_words(c, pair->candidate);
    if (first)
        *other = count_words(c, pair->references[0]);
    bleu_words_rest(c->words);
    return one;
}

static void keep(struct system *s, size_t n, const struct bleu_counts *one)
{
    if (want.resamples) {
        s->all = grow(s->all, n, sizeof *s->all);
        s->all[n] = *one;
    }
    bleu_add(&s->sum, one);
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
    const double ratio = c->own.sum.reference
        ? (double)c->own.sum.candidate / (double)c->own.sum.reference : 0;
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
                fairseq ? "syslen" : "hyp_len", c->own.sum.candidate,
                fairseq ? "reflen" : "ref_len", c->own.sum.reference);
    } else {
        fprintf(f, "BLEU|nrefs:%d|case:%s|eff:%s|tok:%s|smooth:%s", c->n_references,
                want.lower ? "lc" : "mixed", c->how.effective ? "yes" : "no",
                tokenizers[want.tokenizer], smooths[c->how.smooth]);
        if (c->how.smooth == BLEU_SMOOTH_FLOOR || c->how.smooth == BLEU_SMOOTH_ADD_K)
            fprintf(f, "[%.2f]", bleu_smooth_value(&c->how));
        fprintf(f, "|version:2.6.0 = %.2f ", s->score);
        precisions(f, c, s);
        fprintf(f, " (BP = %.3f ratio = %.3f hyp_len = %zu ref_len = %zu)", s->brevity, ratio,
                c->own.sum.candidate, c->own.sum.reference);
    }
    if (fclose(f))
        die("out of memory");
    return line;
}

/* A name and its quantiles over the resamples; sorts them. */
static void print_interval(FILE *out, const char *name, double *scores)
{
    static const struct { const char *end; double q; } ends[] = {
        {"low", 0.025}, {"mid", 0.5}, {"high", 0.975},
    };
    for (int i = 0; i < 3; i++) {
        char *full = text_of("%s_%s", name, ends[i].end);
        metric(out, full, quantile(scores, (size_t)want.resamples, ends[i].q));
        free(full);
    }
}

/* The share of resamples whose |difference|, less the mean of all, exceeds the real one: as if
 * there were none.  Both counts have one more, as sacrebleu does. */
static double p_value(const double *differences, double real)
{
    double mean = 0, beyond = 0;
    for (int b = 0; b < want.resamples; b++)
        mean += fabs(differences[b]) / want.resamples;
    for (int b = 0; b < want.resamples; b++)
        beyond += fabs(differences[b]) - mean > fabs(real);
    return (beyond + 1) / (want.resamples + 1);
}

/* The corpus scores of resamples of the pairs, the same pairs for both systems. */
static void print_bootstrap(FILE *out, const struct corpus *c, double score)
{
    const size_t n = (size_t)want.resamples;
    double *own = zalloc(3 * n, sizeof *own), *other = own + n, *difference = other + n;
    struct twister t;

    twister_seed(&t, (uint32_t)want.seed);
    for (size_t b = 0; b < n; b++) {
        struct bleu_counts sum = {0}, others = {0};
        for (size_t i = 0; i < c->n; i++) {
            const uint32_t pick = twister_below(&t, (uint32_t)c->n);
            bleu_add(&sum, &c->own.all[pick]);
            if (want.against)
                bleu_add(&others, &c->other.all[pick]);
        }
        own[b] = bleu_score(&sum, &c->how).score;
        other[b] = bleu_score(&others, &c->how).score;
        difference[b] = own[b] - other[b];
    }
    print_interval(out, "bleu", own);
    if (want.against) {
        const double against = bleu_score(&c->other.sum, &c->how).score;
        const double p = p_value(difference, score - against);
        metric(out, "against_bleu", against);
        print_interval(out, "against_bleu", other);
        metric(out, "difference", score - against);
        print_interval(out, "difference", difference);
        metric(out, "p_value", p);
    }
    free(own);
}

static void print_corpus(FILE *out, const struct corpus *c)
{
    const struct bleu_score s = bleu_score(&c->own.sum, &c->how);
    const size_t from = c->own.sum.candidate, to = c->own.sum.reference;
    char *line = signature(c, &s), name[32];

    tsv_note(out, "score", line);
    fputs("metric\tvalue\n", out);
    metric(out, "pairs", (double)c->n);
    metric(out, "bleu", s.score);
    if (want.resamples)
        print_bootstrap(out, c, s.score);
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

/* The other system's file stands between the candidates and the references. */
static struct pairs *pairs_against(int n, char **operands)
{
    char *all[1 + MAX_REFERENCES];
    if (n < 2 || n > MAX_REFERENCES)
        misuse("--against: candidates and references must be two files or more, at most %d",
               MAX_REFERENCES);
    all[0] = operands[0];
    all[1] = (char *)want.against;
    for (int i = 1; i < n; i++)
        all[i + 1] = operands[i];
    return pairs_from(n + 1, all);
}

void run_bleu(FILE *out, int n, char **operands)
{
    struct corpus c = {.how = options()};
    struct pair pair;

    c.words = bleu_words_new((enum bleu_tokenizer)want.tokenizer, want.lower, want.compounds);
    c.ngrams = ngrams_new();
    struct pairs *in = want.against ? pairs_against(n, operands) : pairs_from(n, operands);
    struct progress p = progress_begin("pairs", 0, 0);
    while (pair_next(in, &pair)) {
        struct bleu_counts other = {0};
        const struct bleu_counts one = count(&c, &pair, &other);
        keep(&c.own, c.n, &one);
        if (want.against)
            keep(&c.other, c.n, &other);
        if (!c.n++)
            table_begin(out, score_options, bleu_options);
        if (want.each) {
            if (c.n == 1)
                fputs("pair\tbleu\n", out);
            fprintf(out, "%zu\t", c.n);
            tsv_double(out, bleu_score(&one, &c.how).score);
            fputc('\n', out);
        }
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
    free(c.own.all);
    free(c.other.all);
}
