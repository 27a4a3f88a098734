/* probe --gradients: the norm of each parameter's gradient, and of its expectation (the mean
 * over windows; Xiong et al. 2020, section 3.4 and figure 3). */
#include "base/base.h"
#include "base/progress.h"
#include "base/tsv.h"
#include "measure/moments.h"
#include "measure/sensitivity.h"
#include "probe/probe.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>

struct parameter {
    const struct tensor *t;
    double *means;      /* of the gradient over windows, in the backend's memory */
    double norm;        /* mean of ||gradient||_F */
};

/* What a window's gradient is reduced to. */
struct reduced {
    struct welford mean;
    double squares;
};

static size_t list_parameters(const struct model *m, struct parameter **list)
{
    size_t n = 0;
    *list = zalloc(m->plan->n_tensors, sizeof **list);
    for (size_t i = 0; i < m->plan->n_tensors; i++) {
        const struct tensor *t = m->plan->tensors[i];
        if (t->kind == TENSOR_PARAM && !t->base)
            (*list)[n++] = (struct parameter){
                .t = t, .means = (double *)(void *)m->plan->be->alloc(2 * tensor_size(t))};
    }
    return n;
}

static void reduce(const struct model *m, const struct parameter *p, long long window,
                   struct reduced *to)
{
    const struct tensor g = tensor_gradient(p->t);
    m->plan->be->welford(&g, (struct sequences){1, g.rows}, window, p->means, &to->mean);
    m->plan->be->sum_squares(g.data, tensor_floats(&g), &to->squares);
}

/* "block.3.mlp.fc.weight" as block 4 and what follows; other parameters are of block 0. */
static void write_row(FILE *f, const struct model *m, const struct parameter *p,
                      const struct reduced *last)
{
    const char *name = p->t->name, *part = name;
    int layer = 0, at;
    if (sscanf(name, "block.%d.%n", &layer, &at) == 1) {
        part = name + at;
        layer++;
    }
    fprintf(f, "%s\t%d\t%s", name, layer, part);
    tsv_cell(f, p->norm);
    tsv_cell(f, sqrt(last->mean.squares));
    tsv_cell(f, sqrt(sums_of(m->plan->be, p->t).squares));
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
    struct reduced *here = zalloc(n, sizeof *here);
    float *there = s->be->alloc(n * sizeof *here / sizeof *there);

    subject_fill(s, m);
    for (long long w = 0; w < want.windows; w++) {
        const struct batch *window = batches_next(b);
        sensitivity_adjoints(m, window->ids, window->targets, ignored);
        for (size_t i = 0; i < n; i++)
            reduce(m, &list[i], w, (struct reduced *)(void *)there + i);
        s->be->get(here, there, n * sizeof *here);
        for (size_t i = 0; i < n; i++)
            list[i].norm += sqrt(here[i].squares) / (double)want.windows;
        progress_show(&p, (double)w + 1, NULL);
    }
    progress_end(&p);
    table_notes(f, s);
    table_note(f, "measured", (double)want.windows);
    fputs("parameter\tlayer\tpart\tgrad\tegrad\tweight\n", f);
    for (size_t i = 0; i < n; i++) {
        write_row(f, m, &list[i], &here[i]);
        s->be->release((float *)(void *)list[i].means);
    }
    s->be->release(there);
    free(here);
    free(list);
    batches_close(b);
    model_free(m);
}
