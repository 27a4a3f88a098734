/* probe --gradients: the norm of each parameter's gradient, and of its expectation (the mean
 * over windows; Xiong et al. 2020, section 3.4 and figure 3). */
#include "base/base.h"
#include "base/progress.h"
#include "base/tsv.h"
#include "measure/sensitivity.h"
#include "probe/probe.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct parameter {
    const struct tensor *t;
    float *host;
    double *sum;        /* of the gradient over windows */
    double norm;        /* mean of ||gradient||_F */
};

/* ||W||_F of the parameter itself. */
static double weight(const struct model *m, const struct parameter *p)
{
    double square = 0;
    plan_get(m->plan, p->t, p->t->data, p->host);
    for (size_t i = 0; i < tensor_size(p->t); i++)
        square += (double)p->host[i] * p->host[i];
    return sqrt(square);
}

static double frobenius(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

static size_t list_parameters(const struct model *m, struct parameter **list)
{
    size_t n = 0;
    *list = zalloc(m->plan->n_tensors, sizeof **list);
    for (size_t i = 0; i < m->plan->n_tensors; i++) {
        const struct tensor *t = m->plan->tensors[i];
        if (t->kind == TENSOR_PARAM && !t->base)
            (*list)[n++] = (struct parameter){.t = t, .host = zalloc(tensor_size(t), sizeof(float)),
                                              .sum = zalloc(tensor_size(t), sizeof(double))};
    }
    return n;
}

static void add_gradient(const struct model *m, struct parameter *p)
{
    double square = 0;
    plan_get(m->plan, p->t, p->t->grad, p->host);
    for (size_t i = 0; i < tensor_size(p->t); i++) {
        p->sum[i] += p->host[i];
        square += (double)p->host[i] * p->host[i];
    }
    p->norm += sqrt(square) / (double)want.windows;
}

/* "block.3.mlp.fc.weight" as block 4 and what follows; other parameters are of block 0. */
static void write_row(FILE *f, const struct model *m, const struct parameter *p)
{
    const char *name = p->t->name, *part = name;
    int layer = 0, at;
    if (sscanf(name, "block.%d.%n", &layer, &at) == 1) {
        part = name + at;
        layer++;
    }
    fprintf(f, "%s\t%d\t%s", name, layer, part);
    tsv_cell(f, p->norm);
    tsv_cell(f, frobenius(p->sum, tensor_size(p->t)) / (double)want.windows);
    tsv_cell(f, weight(m, p));
    fputc('\n', f);
}

void run_gradients(const struct subject *s, FILE *f)
{
    struct batches *b = subject_windows(s, 1, 64);
    struct model *m = sensitivity_model(s->be, &model_config);
    struct sensitivity ignored[1 + 2 * MAX_LAYERS];
    struct progress p = progress_begin("windows", 0, (double)want.windows);
    struct parameter *list;
    const size_t n = list_parameters(m, &list);

    subject_fill(s, m);
    for (long long w = 0; w < want.windows; w++) {
        const struct batch *window = batches_next(b);
        sensitivity_adjoints(m, window->ids, window->targets, ignored);
        for (size_t i = 0; i < n; i++)
            add_gradient(m, &list[i]);
        progress_show(&p, (double)w + 1, NULL);
    }
    progress_end(&p);
    table_notes(f, s);
    table_note(f, "measured", (double)want.windows);
    fputs("parameter\tlayer\tpart\tgrad\tegrad\tweight\n", f);
    for (size_t i = 0; i < n; i++) {
        write_row(f, m, &list[i]);
        free(list[i].host);
        free(list[i].sum);
    }
    free(list);
    batches_close(b);
    model_free(m);
}
