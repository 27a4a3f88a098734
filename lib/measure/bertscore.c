#include "measure/bertscore.h"
#include "base/base.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct idf {
    int *with;          /* documents with each id */
    size_t *last;       /* the document that was counted last, from 1 */
    size_t room, documents;
};

struct idf *idf_new(void)
{
    return zalloc(1, sizeof(struct idf));
}

void idf_free(struct idf *t)
{
    if (t) {
        free(t->with);
        free(t->last);
    }
    free(t);
}

void idf_add(struct idf *t, const struct ids *document)
{
    t->documents++;
    for (size_t i = 0; i < document->n; i++) {
        const size_t id = (size_t)document->at[i];
        if (id >= t->room) {
            const size_t room = 2 * id + 1024;
            t->with = reallocarray(t->with, room, sizeof *t->with);
            t->last = reallocarray(t->last, room, sizeof *t->last);
            if (!t->with || !t->last)
                die("out of memory");
            memset(t->with + t->room, 0, (room - t->room) * sizeof *t->with);
            memset(t->last + t->room, 0, (room - t->room) * sizeof *t->last);
            t->room = room;
        }
        t->with[id] += t->last[id] != t->documents;
        t->last[id] = t->documents;
    }
}

double idf_weight(const struct idf *t, int id)
{
    const int with = (size_t)id < t->room ? t->with[id] : 0;
    return log((double)(t->documents + 1) / (with + 1));
}

static float dot(const float *a, const float *b, size_t n)
{
    float sum = 0;
    #pragma omp simd reduction(+:sum)
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* The weighted mean of each token's best match. */
static double weighted(const struct embedder *e, const struct ids *tokens, const float *best,
                       const struct idf *idf)
{
    double sum = 0, weights = 0;
    for (size_t i = 0; i < tokens->n; i++) {
        const double w = idf ? idf_weight(idf, tokens->at[i])
                             : !embedder_is_frame(e, tokens->at[i]);
        sum += w * best[i];
        weights += w;
    }
    return sum / weights;
}

struct bertscore bertscore(const struct embedder *e, const struct ids *candidate, const float *c,
                           const struct ids *reference, const float *r, const struct idf *idf)
{
    const size_t n = candidate->n, m = reference->n, width = (size_t)embedder_width(e);
    struct bertscore s = {0};

    if (n <= 2 || m <= 2)
        return s;
    float *best = zalloc(n + m, sizeof *best), *back = best + n;
    for (size_t i = 0; i < n + m; i++)
        best[i] = -INFINITY;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++) {
            const float like = dot(c + i * width, r + j * width, width);
            best[i] = fmaxf(best[i], like);
            back[j] = fmaxf(back[j], like);
        }
    s.precision = weighted(e, candidate, best, idf);
    s.recall = weighted(e, reference, back, idf);
    s.f = 2 * s.precision * s.recall / (s.precision + s.recall);
    if (isnan(s.f))
        s.f = 0;
    free(best);
    return s;
}

struct bertscore bertscore_rescaled(struct bertscore s, struct bertscore b)
{
    return (struct bertscore){(s.precision - b.precision) / (1 - b.precision),
                              (s.recall - b.recall) / (1 - b.recall), (s.f - b.f) / (1 - b.f)};
}

const char *bertscore_baseline(const char *path, int layer, struct bertscore *b)
{
    char line[256];
    const char *why = "has no row for that layer";
    FILE *f = fopen(path, "r");
    if (!f)
        return strerror(errno);
    if (!fgets(line, sizeof line, f) || strncmp(line, "LAYER,P,R,F", 11))
        why = "does not begin with LAYER,P,R,F";
    else
        for (int row; fgets(line, sizeof line, f);)
            if (sscanf(line, "%d,%lf,%lf,%lf", &row, &b->precision, &b->recall, &b->f) == 4
                && row == layer)
                why = NULL;
    fclose(f);
    return why;
}
