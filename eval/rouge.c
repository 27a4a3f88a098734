/* eval --rouge: means over the pairs, with bootstrap intervals on request. */
#include "base/base.h"
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
    int kinds[ROUGE_KINDS], n_kinds;
    double sum[ROUGE_KINDS][PARTS];
    struct rouge_score *all;    /* of every pair, n_kinds each: only for a bootstrap */
    size_t n, room, blind;
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

static void header(FILE *out, const struct sums *s)
{
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

static void print_each(FILE *out, const struct sums *s, const struct rouge_score *scores)
{
    fprintf(out, "%zu", s->n);
    for (int k = 0; k < s->n_kinds; k++)
        for (int i = 0; i < PARTS; i++) {
            fputc('\t', out);
            tsv_double(out, part(&scores[k], i));
        }
    fputc('\n', out);
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

void run_rouge(FILE *out, int n, char **operands)
{
    struct sums s = {0};
    struct rouge_score scores[ROUGE_KINDS];
    struct pair pair;

    read_kinds(&s);
    struct pairs *in = pairs_from(n, operands);
    struct rouge *r = rouge_new(want.stem);
    struct progress p = progress_begin("pairs", 0, 0);
    while (pair_next(in, &pair)) {
        rouge_score(r, pair.candidate, pair.references, pair.n_references, s.kinds, s.n_kinds,
                    scores);
        if (!s.n)
            header(out, &s);
        add(&s, scores);
        s.blind += (size_t)rouge_was_blind(r);
        if (want.each)
            print_each(out, &s, scores);
        if (s.n % 256 == 0)
            progress_show(&p, (double)s.n, NULL);
    }
    progress_end(&p);
    if (s.blind)
        warn("%zu pairs have a text with letters but no words: ROUGE knows only ASCII letters "
             "and digits", s.blind);
    if (!want.each)
        print_means(out, &s);
    free(s.all);
    rouge_free(r);
    pairs_close(in);
}
