/* eval --rouge: means over the pairs, with bootstrap intervals on request. */
#include "base/base.h"
#include "base/ordered.h"
#include "base/progress.h"
#include "base/tsv.h"
#include "eval/eval.h"
#include "text/bootstrap.h"
#include "text/rouge.h"
#include <stdlib.h>
#include <string.h>

enum { PARTS = 3 };     /* precision, recall, F */
static const char *const part_names[PARTS] = {"precision", "recall", "f"};

struct sums {
    FILE *out;
    struct pairs *in;
    struct rouge **rouge;       /* one for each thread */
    int kinds[ROUGE_KINDS], n_kinds;
    double sum[ROUGE_KINDS][PARTS];
    struct rouge_score *all;    /* of every pair, n_kinds each: only for a bootstrap */
    size_t n, room, blind;
    struct progress progress;
};

/* A block of pairs, and their scores. */
struct work {
    struct pair_block *block;
    struct rouge_score *scores;     /* n_kinds of each pair */
    size_t n, room, blind;
    const char *why;
};

static void read_kinds(struct sums *s)
{
    char *list = copy_text(want.kinds), *rest = list;
    for (char *name; (name = strsep(&rest, ","));) {
        const int kind = rouge_kind(name);
        if (!kind)
            misuse("--kinds: '%s' is none of 1 ... 9, L, Lsum", name);
        for (int i = 0; i < s->n_kinds; i++)
            if (s->kinds[i] == kind)
                misuse("--kinds: %s is there twice", name);
        s->kinds[s->n_kinds++] = kind;
    }
    free(list);
}

static void header(const struct sums *s)
{
    FILE *out = s->out;
    table_begin(out, score_options, rouge_options);
    tsv_note(out, "score", "ROUGE as rouge-score 0.1.2; of several references the highest F");
    if (!want.each) {
        fputs("metric\tvalue\n", out);
        return;
    }
    fputs("pair", out);
    for (int k = 0; k < s->n_kinds; k++)
        for (int i = 0; i < PARTS; i++)
            fprintf(out, "\t%s_%s", rouge_name(s->kinds[k]), part_names[i]);
    fputc('\n', out);
}

static double part(const struct rouge_score *s, int i)
{
    return i == 0 ? s->p : i == 1 ? s->r : s->f;
}

static void add(struct sums *s, const struct rouge_score *scores)
{
    for (int k = 0; k < s->n_kinds; k++)
        for (int i = 0; i < PARTS; i++)
            s->sum[k][i] += part(&scores[k], i);
    if (want.resamples) {
        const size_t need = (s->n + 1) * (size_t)s->n_kinds;
        if (need > s->room) {
            s->room = 2 * need;
            s->all = reallocarray(s->all, s->room, sizeof *s->all);
            if (!s->all)
                die("out of memory: --bootstrap keeps every pair's scores");
        }
        memcpy(s->all + s->n * (size_t)s->n_kinds, scores, (size_t)s->n_kinds * sizeof *scores);
    }
    s->n++;
}

static void print_each(const struct sums *s, const struct rouge_score *scores)
{
    fprintf(s->out, "%zu", s->n);
    for (int k = 0; k < s->n_kinds; k++)
        for (int i = 0; i < PARTS; i++) {
            fputc('\t', s->out);
            tsv_double(s->out, part(&scores[k], i));
        }
    fputc('\n', s->out);
}

/* The mean scores of one kind in every resample; means[i] has one number for each. */
static void resample(const struct sums *s, int k, struct twister *t, double *means[PARTS])
{
    for (int b = 0; b < want.resamples; b++) {
        double sum[PARTS] = {0};
        for (size_t i = 0; i < s->n; i++) {
            const size_t pick = twister_below(t, (uint32_t)s->n);
            for (int j = 0; j < PARTS; j++)
                sum[j] += part(&s->all[pick * (size_t)s->n_kinds + (size_t)k], j);
        }
        for (int j = 0; j < PARTS; j++)
            means[j][b] = sum[j] / (double)s->n;
    }
}

static void print_interval(FILE *out, const char *name, double *means)
{
    static const struct { const char *name; double q; } ends[] = {
        {"low", 0.025}, {"mid", 0.5}, {"high", 0.975},
    };
    for (int i = 0; i < 3; i++) {
        char *full = text_of("%s_%s", name, ends[i].name);
        metric(out, full, quantile(means, (size_t)want.resamples, ends[i].q));
        free(full);
    }
}

static void print_means(FILE *out, const struct sums *s)
{
    struct twister t;
    double *means[PARTS];

    twister_seed(&t, (uint32_t)want.seed);
    for (int i = 0; i < PARTS; i++)
        means[i] = zalloc((size_t)want.resamples, sizeof(double));
    metric(out, "pairs", (double)s->n);
    for (int k = 0; k < s->n_kinds; k++) {
        if (want.resamples)
            resample(s, k, &t, means);
        for (int i = 0; i < PARTS; i++) {
            char *name = text_of("%s_%s", rouge_name(s->kinds[k]), part_names[i]);
            metric(out, name, s->sum[k][i] / (double)s->n);
            if (want.resamples)
                print_interval(out, name, means[i]);
            free(name);
        }
    }
    for (int i = 0; i < PARTS; i++)
        free(means[i]);
}

static int fill(void *context, void *slot)
{
    struct sums *s = context;
    struct work *w = slot;
    if (!w->block)
        w->block = pair_block_new();
    return pairs_read(s->in, w->block);
}

static void score(void *context, void *slot, int thread)
{
    const struct sums *s = context;
    struct work *w = slot;
    struct rouge *r = s->rouge[thread];
    struct pair pair;
    int more;

    w->n = w->blind = 0;
    while (!(w->why = pairs_next(w->block, &pair, &more)) && more) {
        if ((w->n + 1) * (size_t)s->n_kinds > w->room) {
            w->room = 2 * (w->n + 1) * (size_t)s->n_kinds;
            w->scores = reallocarray(w->scores, w->room, sizeof *w->scores);
            if (!w->scores)
                die("out of memory (%zu scores)", w->room);
        }
        rouge_score(r, pair.candidate, pair.references, pair.n_references, s->kinds, s->n_kinds,
                    w->scores + w->n++ * (size_t)s->n_kinds);
        w->blind += (size_t)rouge_was_blind(r);
    }
}

static void drain(void *context, void *slot)
{
    struct sums *s = context;
    const struct work *w = slot;
    if (!s->n && w->n)
        header(s);
    for (size_t i = 0; i < w->n; i++) {
        const struct rouge_score *scores = w->scores + i * (size_t)s->n_kinds;
        add(s, scores);
        if (want.each)
            print_each(s, scores);
    }
    if (w->why)
        die("%s", w->why);
    s->blind += w->blind;
    progress_show(&s->progress, (double)s->n, NULL);
}

static void release(void *slot)
{
    struct work *w = slot;
    pair_block_free(w->block);
    free(w->scores);
}

void run_rouge(FILE *out, int n, char **operands)
{
    const int threads = ordered_threads();
    struct sums s = {.out = out, .rouge = zalloc((size_t)threads, sizeof *s.rouge)};

    read_kinds(&s);
    s.in = pairs_from(n, operands);
    for (int i = 0; i < threads; i++)
        s.rouge[i] = rouge_new(want.stem);
    s.progress = progress_begin("pairs", 0, 0);
    ordered_run(&(struct ordered){&s, sizeof(struct work), fill, score, drain, release}, threads);
    progress_end(&s.progress);
    need_pairs(s.n);
    if (s.blind)
        warn("%zu pairs have a text with letters but no words: ROUGE knows only ASCII letters "
             "and digits", s.blind);
    if (!want.each)
        print_means(out, &s);
    for (int i = 0; i < threads; i++)
        rouge_free(s.rouge[i]);
    free(s.rouge);
    free(s.all);
    pairs_close(s.in);
}
