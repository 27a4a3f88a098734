/* eval --bleu: corpus BLEU and its parts, or each pair's; intervals by a bootstrap on request. */
#include "text/bleu.h"
#include "base/base.h"
#include "base/ordered.h"
#include "base/progress.h"
#include "base/tsv.h"
#include "eval/eval.h"
#include "text/bleu_bootstrap.h"
#include "text/bleu_words.h"
#include <stdlib.h>

struct system {
    struct bleu_counts sum;
    struct bleu_rows rows;      /* only for a bootstrap */
};

/* What a thread counts with. */
struct counter {
    struct bleu_words *words;
    struct ngrams *ngrams;
    struct ids candidate, references[MAX_REFERENCES];
};

struct corpus {
    FILE *out;
    struct pairs *in;
    struct counter *counters;   /* one for each thread */
    struct bleu_options how;
    struct system own, other;   /* the latter with --against */
    size_t n;
    int n_references;
    struct progress progress;
};

/* A block of pairs, and their counts. */
struct work {
    struct pair_block *block;
    struct row {
        struct bleu_counts own, other;
        int n_references;
    } *rows;
    size_t n, room;
    const char *why;
};

static struct bleu_counts count_words(const struct corpus *c, struct counter *k,
                                      struct span candidate, int references)
{
    bleu_words(k->words, candidate, 0, &k->candidate);
    return bleu_count(k->ngrams, &k->candidate, k->references, references, c->how.order);
}

/* Count one pair; with --against the first "reference" is the other system's candidate. */
static void count(const struct corpus *c, struct counter *k, const struct pair *pair,
                  struct row *row)
{
    const int first = want.against != NULL;
    row->n_references = pair->n_references - first;
    for (int i = 0; i < row->n_references; i++)
        bleu_words(k->words, pair->references[first + i], 1, &k->references[i]);
    row->own = count_words(c, k, pair->candidate, row->n_references);
    if (first)
        row->other = count_words(c, k, pair->references[0], row->n_references);
    bleu_words_rest(k->words);
}

static void keep(const struct corpus *c, struct system *s, const struct bleu_counts *one)
{
    bleu_add(&s->sum, one);
    if (want.resamples)
        bleu_rows_add(&s->rows, one, c->how.order);
}

static void check_references(struct corpus *c, int many)
{
    if (!c->n)
        c->n_references = many;
    if (many != c->n_references)
        die("pair %zu: %d references where the first pair has %d", c->n + 1, many,
            c->n_references);
    if (want.tokenizer == BLEU_FAIRSEQ && many > 1)
        die("pair %zu: fairseq's BLEU has one reference, here are %d", c->n + 1, many);
}

/* "87.3/70.1/56.6/45.5" */
static void precisions(FILE *f, const struct corpus *c, const struct bleu_score *s)
{
    for (int n = 0; n < c->how.order; n++)
        fprintf(f, "%s%.1f", n ? "/" : "", s->precisions[n]);
}

static void tokenized_signature(FILE *f, const struct corpus *c, const struct bleu_score *s,
                                double ratio)
{
    const int fairseq = want.tokenizer == BLEU_FAIRSEQ;
    fprintf(f, "BLEU%.*s = %.2f, ", fairseq, &"0123456789"[c->how.order], s->score);
    precisions(f, c, s);
    fprintf(f, " (BP=%.3f, ratio=%.3f, %s=%zu, %s=%zu)", s->brevity, ratio,
            fairseq ? "syslen" : "hyp_len", c->own.sum.candidate,
            fairseq ? "reflen" : "ref_len", c->own.sum.reference);
}

static void sacrebleu_signature(FILE *f, const struct corpus *c, const struct bleu_score *s,
                                double ratio, const struct spread *spread)
{
    static const char *const smooths[] = {"exp", "floor", "add-k", "none"};
    static const char *const tokenizers[] = {"13a", "intl", "char", "none"};
    fprintf(f, "BLEU|nrefs:%d|", c->n_references);
    if (want.resamples)
        fprintf(f, "bs:%d|seed:%lld|", want.resamples, want.seed);
    fprintf(f, "case:%s|eff:%s|tok:%s|smooth:%s", want.lower ? "lc" : "mixed",
            c->how.effective ? "yes" : "no", tokenizers[want.tokenizer], smooths[c->how.smooth]);
    if (c->how.smooth == BLEU_SMOOTH_FLOOR || c->how.smooth == BLEU_SMOOTH_ADD_K)
        fprintf(f, "[%.2f]", bleu_smooth_value(&c->how));
    fprintf(f, "|version:2.6.0 = %.2f ", s->score);
    if (want.resamples)
        fprintf(f, "(\u03bc = %.2f \u00b1 %.2f) ", spread->mean, spread->half);
    precisions(f, c, s);
    fprintf(f, " (BP = %.3f ratio = %.3f hyp_len = %zu ref_len = %zu)", s->brevity, ratio,
            c->own.sum.candidate, c->own.sum.reference);
}

/* The line that the peer prints, which says how the number was made; the caller frees it. */
static char *signature(const struct corpus *c, const struct bleu_score *s,
                       const struct spread *spread)
{
    const double ratio = c->own.sum.reference
        ? (double)c->own.sum.candidate / (double)c->own.sum.reference : 0;
    char *line;
    size_t size;
    FILE *f = open_memstream(&line, &size);
    if (!f)
        die("out of memory");
    if (want.tokenizer >= BLEU_FAIRSEQ)
        tokenized_signature(f, c, s, ratio);
    else
        sacrebleu_signature(f, c, s, ratio, spread);
    if (fclose(f))
        die("out of memory");
    return line;
}

static void print_spread(FILE *out, const char *name, const struct spread *s)
{
    const struct { const char *end; double value; } rows[] = {
        {"mean", s->mean}, {"ci", s->half}, {"low", s->low}, {"high", s->high},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *full = text_of("%s_%s", name, rows[i].end);
        metric(out, full, rows[i].value);
        free(full);
    }
}

static void print_against(FILE *out, const struct corpus *c, double score,
                          const struct bleu_bootstrap *b)
{
    const double against = bleu_score(&c->other.sum, &c->how).score;
    metric(out, "against_bleu", against);
    print_spread(out, "against_bleu", &b->other);
    metric(out, "difference", score - against);
    print_spread(out, "difference", &b->difference);
    metric(out, "p_value", b->p_value);
}

static void print_corpus(FILE *out, const struct corpus *c)
{
    const struct bleu_score s = bleu_score(&c->own.sum, &c->how);
    const size_t from = c->own.sum.candidate, to = c->own.sum.reference;
    struct bleu_bootstrap b = {0};
    char name[32];

    if (want.resamples)
        b = bleu_bootstrap(&c->own.rows, want.against ? &c->other.rows : NULL, &c->how,
                           want.resamples, (uint64_t)want.seed);
    char *line = signature(c, &s, &b.own);
    table_begin(out, score_options, bleu_options);
    tsv_note(out, "score", line);
    fputs("metric\tvalue\n", out);
    metric(out, "pairs", (double)c->n);
    metric(out, "bleu", s.score);
    if (want.resamples)
        print_spread(out, "bleu", &b.own);
    if (want.against)
        print_against(out, c, s.score, &b);
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
    if (o.value < 0 && o.value != -1)
        misuse("--smooth-value: %g is less than 0", o.value);
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

static int fill(void *context, void *slot)
{
    struct corpus *c = context;
    struct work *w = slot;
    if (!w->block)
        w->block = pair_block_new();
    return pairs_read(c->in, w->block);
}

static void count_block(void *context, void *slot, int thread)
{
    const struct corpus *c = context;
    struct work *w = slot;
    struct pair pair;
    int more;

    for (w->n = 0; !(w->why = pairs_next(w->block, &pair, &more)) && more; w->n++) {
        if (w->n == w->room) {
            w->room = 2 * w->room + 256;
            w->rows = reallocarray(w->rows, w->room, sizeof *w->rows);
            if (!w->rows)
                die("out of memory (%zu pairs)", w->room);
        }
        count(c, &c->counters[thread], &pair, &w->rows[w->n]);
    }
}

static void print_each(const struct corpus *c, const struct bleu_counts *one)
{
    if (!c->n) {
        table_begin(c->out, score_options, bleu_options);
        fputs("pair\tbleu\n", c->out);
    }
    fprintf(c->out, "%zu\t", c->n + 1);
    tsv_double(c->out, bleu_score(one, &c->how).score);
    fputc('\n', c->out);
}

static void drain(void *context, void *slot)
{
    struct corpus *c = context;
    const struct work *w = slot;
    for (size_t i = 0; i < w->n; i++, c->n++) {
        const struct row *row = &w->rows[i];
        check_references(c, row->n_references);
        keep(c, &c->own, &row->own);
        if (want.against)
            keep(c, &c->other, &row->other);
        if (want.each)
            print_each(c, &row->own);
    }
    if (w->why)
        die("%s", w->why);
    progress_show(&c->progress, (double)c->n, NULL);
}

static void release(void *slot)
{
    struct work *w = slot;
    pair_block_free(w->block);
    free(w->rows);
}

static void free_counter(struct counter *k)
{
    bleu_words_free(k->words);
    ngrams_free(k->ngrams);
    free(k->candidate.at);
    for (int i = 0; i < MAX_REFERENCES; i++)
        free(k->references[i].at);
}

void run_bleu(FILE *out, int n, char **operands)
{
    const int threads = ordered_threads();
    struct corpus c = {.out = out, .how = options(),
                       .counters = zalloc((size_t)threads, sizeof *c.counters)};

    for (int i = 0; i < threads; i++) {
        c.counters[i].words = bleu_words_new((enum bleu_tokenizer)want.tokenizer, want.lower,
                                             want.compounds);
        c.counters[i].ngrams = ngrams_new();
    }
    c.in = want.against ? pairs_against(n, operands) : pairs_from(n, operands);
    c.progress = progress_begin("pairs", 0, 0);
    ordered_run(&(struct ordered){&c, sizeof(struct work), fill, count_block, drain, release},
                threads);
    progress_end(&c.progress);
    need_pairs(c.n);
    if (!want.each)
        print_corpus(out, &c);
    for (int i = 0; i < threads; i++)
        free_counter(&c.counters[i]);
    free(c.counters);
    free(c.own.rows.counts);
    free(c.other.rows.counts);
    pairs_close(c.in);
}
