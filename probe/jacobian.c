/* probe --jacobian, --scale-out and --scale-in: how sub-layers answer to change. */
#include "base/base.h"
#include "base/progress.h"
#include "base/tsv.h"
#include "measure/sensitivity.h"
#include "probe/probe.h"
#include "probe/scaling.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Means over windows; rows [n_stream]. */
void jacobian_of(const struct subject *s, int norms, int to_end, struct sensitivity *rows)
{
    struct batches *b = subject_windows(s, 1, 4);
    struct model *m = sensitivity_model(s->be, &model_config);
    struct sensitivity one[1 + 2 * MAX_LAYERS];
    struct progress p = progress_begin("windows", 0, (double)want.windows);

    subject_fill(s, m);
    memset(rows, 0, (size_t)m->n_stream * sizeof *rows);
    for (long long w = 0; w < want.windows; w++) {
        const struct batch *window = batches_next(b);
        sensitivity_adjoints(m, window->ids, window->targets, one);
        sensitivity_norms(m, norms, to_end, want.tolerance, one);
        for (int k = 0; k < m->n_stream; k++) {
            const double share = 1.0 / (double)want.windows;
            rows[k].s_f += share * one[k].s_f;
            rows[k].s_step += share * one[k].s_step;
            rows[k].to_end += share * one[k].to_end;
            rows[k].grad_x += share * one[k].grad_x;
            rows[k].saturation += share * one[k].saturation;
        }
        progress_show(&p, (double)w + 1, NULL);
    }
    progress_end(&p);
    batches_close(b);
    model_free(m);
}

/* Row k is of the state X_k; s_f, s_step and saturation are of the sub-layer that reads it. */
void run_jacobian(const struct subject *s, FILE *f)
{
    static struct sensitivity rows[1 + 2 * MAX_LAYERS];
    jacobian_of(s, 1, 1, rows);
    table_notes(f, s);
    table_note(f, "measured", (double)want.windows);
    fputs("sublayer\tlayer\tsub\tdepth\ts_f\ts_step\tJ_to_end\tgrad_X\tsaturation\n", f);
    for (int k = 0; k <= 2 * model_config.layers; k++) {
        sublayer_cells(f, k);
        tsv_cell(f, k / 2.0);
        tsv_cell(f, rows[k].s_f);
        tsv_cell(f, rows[k].s_step);
        tsv_cell(f, rows[k].to_end);
        tsv_cell(f, rows[k].grad_x);
        tsv_cell(f, rows[k].saturation);
        fputc('\n', f);
    }
}

/* Slope of ln y against ln x by least squares. */
static double log_slope(const double *x, const double *y, int n)
{
    double mx = 0, my = 0, xy = 0, xx = 0;
    for (int i = 0; i < n; i++) {
        mx += log(x[i]) / n;
        my += log(y[i]) / n;
    }
    for (int i = 0; i < n; i++) {
        xy += (log(x[i]) - mx) * (log(y[i]) - my);
        xx += (log(x[i]) - mx) * (log(x[i]) - mx);
    }
    return xy / xx;
}

void scaling_of(const struct subject *s, const double *factors, int n, int outputs,
                struct scaling *rows)
{
    const int sublayers = 2 * model_config.layers;
    struct batches *b = subject_windows(s, 1, 1);
    struct model *m = sensitivity_model(s->be, &model_config);
    struct sensitivity ignored[1 + 2 * MAX_LAYERS];
    struct progress p = progress_begin("sub-layers", 0, (double)want.windows * sublayers);

    subject_fill(s, m);
    memset(rows, 0, (size_t)sublayers * sizeof *rows);
    for (long long w = 0; w < want.windows; w++) {
        const struct batch *window = batches_next(b);
        sensitivity_adjoints(m, window->ids, window->targets, ignored);
        for (int k = 0; k < sublayers; k++) {
            for (int i = 0; i < n; i++)
                rows[k].s_f[i] += sensitivity_scaled(m, k, outputs ? 1 : factors[i],
                                                     outputs ? factors[i] : 1, want.tolerance)
                                / (double)want.windows;
            progress_show(&p, (double)w * sublayers + k + 1, NULL);
        }
    }
    for (int k = 0; k < sublayers; k++)
        rows[k].slope = log_slope(factors, rows[k].s_f, n);
    progress_end(&p);
    batches_close(b);
    model_free(m);
}

/* "0.01,1,100" into factors; their number. */
static int read_factors(const char *option, const char *text, double *factors)
{
    char *list = copy_text(text), *rest = list, *end;
    int n = 0;
    for (char *word; (word = strsep(&rest, ","));) {
        if (n == MAX_FACTORS)
            misuse("%s: more than %d factors", option, MAX_FACTORS);
        factors[n] = strtod(word, &end);
        if (end == word || *end || !(factors[n] > 0) || isinf(factors[n]))
            misuse("%s: '%s' is no positive number", option, word);
        n++;
    }
    free(list);
    if (n < 2)
        misuse("%s: two factors are needed at least, for a slope", option);
    return n;
}

void run_scaled(const struct subject *s, FILE *f)
{
    static struct scaling rows[2 * MAX_LAYERS];
    const int outputs = want.scale_out != NULL;
    double factors[MAX_FACTORS];
    if (outputs && want.scale_in)
        misuse("--scale-out and --scale-in exclude each other");
    const int n = outputs ? read_factors("--scale-out", want.scale_out, factors)
                          : read_factors("--scale-in", want.scale_in, factors);

    scaling_of(s, factors, n, outputs, rows);
    table_notes(f, s);
    table_note(f, "measured", (double)want.windows);
    fputs("sublayer\tlayer\tsub\tfactor\ts_f\tslope\n", f);
    for (int k = 0; k < 2 * model_config.layers; k++)
        for (int i = 0; i < n; i++) {
            sublayer_cells(f, k + 1);
            tsv_cell(f, factors[i]);
            tsv_cell(f, rows[k].s_f[i]);
            tsv_cell(f, rows[k].slope);
            fputc('\n', f);
        }
}
