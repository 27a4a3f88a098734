/* probe --claims: what Kan et al. claim (papers' numbers as in lib/measure), what is measured,
 * and whether it holds; a claim about another placement is "n/a". */
#include "base/base.h"
#include "base/tsv.h"
#include "measure/layers.h"
#include "probe/probe.h"
#include "probe/scaling.h"
#include <math.h>
#include <stdlib.h>

/* The factors of Propositions 7 and 8; smaller ones would measure a norm's eps. */
static const double factors[] = {1, 10, 100, 1000};
enum { FACTORS = sizeof factors / sizeof *factors };

/* One row: the measured number that is farthest off, the range it must be in. */
static void claim(FILE *f, const char *name, const char *what, int applies, double measured,
                  double low, double high)
{
    fprintf(f, "%s\t%s", name, what);
    tsv_cell(f, applies ? measured : NAN);
    tsv_cell(f, low);
    tsv_cell(f, high);
    fprintf(f, "\t%s\n",
            !applies ? "n/a" : measured >= low && measured <= high ? "holds" : "fails");
}

/* The largest of a statistic over sub-layers, nan only where all are. */
static double largest(const struct layers_result *r, size_t field)
{
    double top = NAN;
    for (int k = 0; k <= 2 * model_config.layers; k++)
        top = fmax(top, *(const double *)((const char *)&r->layer[k] + field));
    return top;
}

static void claim_states(const struct subject *s, FILE *f, unsigned at)
{
    struct layers_result *r = states_of(s);
    const int peri = (at & NORM_OUT) && !(at & NORM_SUM);
    claim(f, "Lemma 1", "largest |q - v / (v + eps)| of a token", at != 0,
          largest(r, offsetof(struct layer, norm.error)), 0, r->rounding);
    claim(f, "Theorem 3", "largest MA / bound, with C as seen", at == (NORM_IN | NORM_FINAL),
          largest(r, offsetof(struct layer, ratio_exp)), 0, 1);
    claim(f, "Theorem 4", "largest MA / bound", peri,
          largest(r, offsetof(struct layer, ratio_ma)), 0, 1);
    claim(f, "Theorem 4", "largest Var / bound", peri,
          largest(r, offsetof(struct layer, ratio_var)), 0, 1);
    free(r);
}

static void claim_scaling(const struct subject *s, FILE *f, unsigned at)
{
    static struct scaling rows[2 * MAX_LAYERS];
    double slope = NAN;
    const double wanted = at & NORM_OUT ? 0 : 1;

    scaling_of(s, factors, FACTORS, 1, rows);
    for (int k = 0; k < 2 * model_config.layers; k++)
        if (!(fabs(rows[k].slope - wanted) <= fabs(slope - wanted)))
            slope = rows[k].slope;
    claim(f, "Proposition 7", "slope of ||df|| with the output map: the farthest from 1",
          (at & NORM_IN) && !(at & NORM_OUT), slope, 0.95, 1.05);
    claim(f, "Proposition 8", "slope of ||df|| with the output map: the farthest from 0",
          (at & NORM_OUT) != 0, slope, -0.05, 0.05);
}

static void claim_backward(const struct subject *s, FILE *f, unsigned at)
{
    static struct sensitivity rows[1 + 2 * MAX_LAYERS];
    const int last = 2 * model_config.layers;
    double chain = 0, rho = 0;

    jacobian_of(s, 0, 1, rows);
    for (int k = 0; k < last; k++) {
        chain = fmax(chain, rows[k].grad_x / (rows[k].to_end * rows[last].grad_x));
        rho = fmax(rho, fabs(rows[k].saturation));
    }
    claim(f, "Theorem 2", "largest |<-p, f>| / sup, finite with a norm OUT", (at & NORM_OUT) != 0,
          rho, 0, 1);
    /* The norm is measured from below, to a tolerance. */
    claim(f, "Gradient", "largest ||dG/dX_k|| / (||J_{k:D}|| ||dG/dX_D||)", 1, chain, 0,
          1 + 10 * want.tolerance);
}

void run_claims(const struct subject *s, FILE *f)
{
    const unsigned at = model_placement(&model_config)->at;
    const long long windows = want.windows;

    table_notes(f, s);
    fputs("claim\twhat\tmeasured\tleast\tmost\tverdict\n", f);
    claim_states(s, f, at);
    want.windows = windows;     /* each part has a usual number of its own */
    claim_scaling(s, f, at);
    want.windows = 1;           /* what bounds a window's gradients is that window's Jacobian */
    claim_backward(s, f, at);
}
