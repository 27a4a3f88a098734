#include "eval/prf.h"
#include "base/base.h"
#include "base/tsv.h"
#include "eval/eval.h"
#include "text/bootstrap.h"
#include <stdlib.h>
#include <string.h>

const char *const prf_names[PARTS] = {"precision", "recall", "f"};

void prf_add(struct prf *s, const double one[PARTS])
{
    for (int i = 0; i < PARTS; i++)
        s->sum[i] += one[i];
    if (want.resamples) {
        s->all = grow(s->all, s->n, sizeof *s->all);
        memcpy(s->all[s->n], one, sizeof *s->all);
    }
    s->n++;
}

/* The means of every resample; means[i] has one number for each. */
static void resample(const struct prf *s, struct twister *t, double *means[PARTS])
{
    uint32_t *picks = zalloc(s->n, sizeof *picks);
    for (int b = 0; b < want.resamples; b++) {
        double sum[PARTS] = {0};
        twister_picks(t, (uint32_t)s->n, picks, s->n);
        for (size_t i = 0; i < s->n; i++)
            for (int j = 0; j < PARTS; j++)
                sum[j] += s->all[picks[i]][j];
        for (int j = 0; j < PARTS; j++)
            means[j][b] = sum[j] / (double)s->n;
    }
    free(picks);
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

void prf_print(FILE *out, const char *name, const struct prf *s, struct twister *t)
{
    const size_t n = (size_t)want.resamples;
    double *block = zalloc(PARTS * n, sizeof *block), *means[PARTS];
    for (size_t i = 0; i < PARTS; i++)
        means[i] = block + i * n;
    if (n)
        resample(s, t, means);
    for (int i = 0; i < PARTS; i++) {
        char *full = text_of("%s_%s", name, prf_names[i]);
        metric(out, full, s->sum[i] / (double)s->n);
        if (n)
            print_interval(out, full, means[i]);
        free(full);
    }
    free(block);
}

void prf_cells(FILE *out, const double one[PARTS])
{
    for (int i = 0; i < PARTS; i++) {
        fputc('\t', out);
        tsv_double(out, one[i]);
    }
}
