/* probe, as it is without a mode: hidden states beside the bounds of Theorems 3 and 4. */
#include "base/base.h"
#include "base/progress.h"
#include "base/tsv.h"
#include "measure/layers.h"
#include "probe/probe.h"
#include <stdlib.h>

/* The columns after `layer` and `sub`, and where a row holds them. */
static const struct { const char *name; size_t at; } columns[] = {
#define COLUMN(name, field) {name, offsetof(struct layer, field)}
    COLUMN("mean", moments.mean), COLUMN("MA", moments.ma),
    COLUMN("var_entry", moments.var_entry), COLUMN("var_data", var_data),
    COLUMN("var_token", moments.var_token), COLUMN("max_abs", moments.max_abs),
    COLUMN("fro", moments.fro), COLUMN("growth", growth),
    COLUMN("dt_k", dt), COLUMN("fro_f", fro_f), COLUMN("cos_f", cos_f),
    COLUMN("bound_MA", bound_ma), COLUMN("ratio_MA", ratio_ma),
    COLUMN("bound_Var", bound_var), COLUMN("ratio_Var", ratio_var),
    COLUMN("bound_exp", bound_exp), COLUMN("ratio_exp", ratio_exp),
    COLUMN("q", norm.q), COLUMN("q_lemma", norm.lemma),
    COLUMN("q_error", norm.error), COLUMN("plane", norm.plane),
#undef COLUMN
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static struct layers_result *measure(struct model *m, struct layers *l, struct batches *b)
{
    struct progress p = progress_begin("windows", 0, (double)want.windows);
    for (long long done = 0; done < want.windows;) {
        const struct batch *one = batches_next(b);
        const long long left = want.windows - done;
        const int n = left < one->windows ? (int)left : one->windows;
        plan_put(m->plan, m->ids, m->ids->data, one->ids);
        plan_put(m->plan, m->targets, m->targets->data, one->targets);
        plan_forward(m->plan);
        layers_add(l, n);
        done += n;
        progress_show(&p, (double)done, NULL);
    }
    progress_end(&p);
    return layers_end(l);
}

static void write_notes(FILE *f, const struct layers_result *r)
{
    table_note(f, "measured", (double)r->windows);
    table_note(f, "g_max", r->g_max);
    table_note(f, "b_max", r->b_max);
    table_note(f, "C_hat", r->c_hat);
    table_note(f, "C_fit", r->growth.rate);
    table_note(f, "R2_exponential", r->growth.exponential);
    table_note(f, "R2_linear", r->growth.linear);
    table_note(f, "R2_quadratic", r->growth.quadratic);
}

static void write_rows(FILE *f, const struct layers_result *r, int n)
{
    fputs("sublayer\tlayer\tsub\tdepth\tfraction", f);
    for (int i = 0; i < COLUMNS; i++)
        fprintf(f, "\t%s", columns[i].name);
    fputc('\n', f);
    for (int k = 0; k < n; k++) {
        sublayer_cells(f, k);
        tsv_cell(f, k / 2.0);
        tsv_cell(f, (double)k / (n - 1));
        for (int i = 0; i < COLUMNS; i++)
            tsv_cell(f, *(const double *)((const char *)&r->layer[k] + columns[i].at));
        fputc('\n', f);
    }
}

/* Lemma 1 holds for any weights: where it fails, the numbers are not to be trusted. */
static void check_lemma(const struct layers_result *r, int n)
{
    for (int k = 0; k < n; k++)
        if (r->layer[k].norm.error > r->rounding) {
            warn("sub-layer %d: a norm misses Lemma 1 by %.3g, more than rounding explains",
                 k, r->layer[k].norm.error);
            return;
        }
}

struct layers_result *states_of(const struct subject *s)
{
    struct batches *b = subject_windows(s, want.batch, 64);
    struct model *m = model_build(s->be, &model_config, want.batch, MODEL_LOSS, 0);
    struct layers *l = layers_new(m, want.windows);
    plan_place(m->plan, NULL);
    subject_fill(s, m);
    struct layers_result *r = measure(m, l, b);
    check_lemma(r, m->n_stream);
    batches_close(b);
    model_free(m);
    return r;
}

void run_states(const struct subject *s, FILE *f)
{
    struct layers_result *r = states_of(s);
    table_notes(f, s);
    write_notes(f, r);
    write_rows(f, r, 1 + 2 * model_config.layers);
    free(r);
}
