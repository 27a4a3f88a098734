/* eval --rouge: means over the pairs, with bootstrap intervals on request. */
#include "base/base.h"
#include "base/ordered.h"
#include "base/progress.h"
#include "base/tsv.h"
#include "eval/eval.h"
#include "eval/prf.h"
#include "text/rouge.h"
#include <stdlib.h>
#include <string.h>

struct sums {
    FILE *out;
    struct pairs *in;
    struct rouge **rouge;       /* one for each thread */
    int kinds[ROUGE_KINDS], n_kinds;
    struct prf sums[ROUGE_KINDS];
    size_t n, blind;
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
    char *how = text_of("ROUGE|words:%s|stem:%s|refs:highest-f|as:%s", want.words == ROUGE_ASCII
                        ? "ascii" : "unicode", want.stem ? "yes" : "no",
                        want.words == ROUGE_ASCII ? "rouge-score-0.1.2" : "keel-" KEEL_VERSION);
    tsv_note(out, "score", how);
    free(how);
    if (!want.each) {
        fputs("metric\tvalue\n", out);
        return;
    }
    fputs("pair", out);
    for (int k = 0; k < s->n_kinds; k++)
        for (int i = 0; i < PARTS; i++)
            fprintf(out, "\t%s_%s", rouge_name(s->kinds[k]), prf_names[i]);
    fputc('\n', out);
}

static void print_means(const struct sums *s)
{
    struct twister t;
    header(s);
    twister_seed(&t, (uint32_t)want.seed);
    metric(s->out, "pairs", (double)s->n);
    for (int k = 0; k < s->n_kinds; k++)
        prf_print(s->out, rouge_name(s->kinds[k]), &s->sums[k], &t);
}

static int fill(void *context, void *slot)
{
    struct sums *s = context;
    struct work *w = slot;
    if (!w->block)
        w->block = pair_block_new();
    return pairs_read(s->in, w->block);
}

static void score_block(void *context, void *slot, int thread)
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
    if (want.each && !s->n && w->n)
        header(s);
    const struct rouge_score *score = w->scores;
    for (size_t i = 0; i < w->n; i++) {
        s->n++;
        if (want.each)
            fprintf(s->out, "%zu", s->n);
        for (int k = 0; k < s->n_kinds; k++, score++) {
            const double one[PARTS] = {score->p, score->r, score->f};
            prf_add(&s->sums[k], one);
            if (want.each)
                prf_cells(s->out, one);
        }
        if (want.each)
            fputc('\n', s->out);
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
        s.rouge[i] = rouge_new((enum rouge_words)want.words, want.stem);
    s.progress = progress_begin("pairs", 0, 0);
    ordered_run(&(struct ordered){&s, sizeof(struct work), fill, score_block, drain, release},
                threads);
    progress_end(&s.progress);
    need_pairs(s.n);
    if (s.blind)
        warn("%zu pairs have a text beyond ASCII without a word%s", s.blind,
             want.words == ROUGE_ASCII ? ": words are of ASCII letters and digits; use --words "
             "unicode" : "");
    if (!want.each)
        print_means(&s);
    for (int i = 0; i < threads; i++)
        rouge_free(s.rouge[i]);
    for (int k = 0; k < s.n_kinds; k++)
        free(s.sums[k].all);
    free(s.rouge);
    pairs_close(s.in);
}
