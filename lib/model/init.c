/* init.c - initial values of parameters, and the sinusoidal position table. */
#include "base/base.h"
#include "base/random.h"
#include "model/model.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ends_with(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n >= m && !strcmp(name + n - m, end);
}

/* Standard deviation of a weight matrix [out, in] or an embedding [rows, width]. */
static double deviation(const struct model_config *cfg, const struct tensor *t)
{
    const int embedding = !strncmp(t->name, "embed.", 6);
    if (cfg->init == INIT_GPT2)     /* output projections share the stream's growth: nanoGPT */
        return ends_with(t->name, ".proj.weight") ? cfg->init_std / sqrt(2.0 * cfg->layers)
                                                  : cfg->init_std;
    if (embedding)                  /* fairseq: N(0, 1 / width) */
        return sqrt(1.0 / t->cols);
    return sqrt(2.0 / (t->rows + t->cols));
}

static float initial_value(const struct model_config *cfg, const struct tensor *t,
                           unsigned long long seed, size_t i)
{
    if (ends_with(t->name, ".gain"))
        return 1;
    if (ends_with(t->name, ".dt.weight"))
        return (float)cfg->dt;
    if (ends_with(t->name, ".bias"))
        return 0;
    const uint32_t site = random_site(t->name);
    const double std = deviation(cfg, t);
    if (cfg->init == INIT_XAVIER_UNIFORM && strncmp(t->name, "embed.", 6)) {
        const double unit = 2 * ((double)random_word(seed, site, 0, i) * 0x1p-32) - 1;
        return (float)(sqrt(3) * std * unit);
    }
    return (float)(std * random_normal(seed, site, 0, i));
}

/* Half sines, half cosines, as fairseq: frequency 10000^(-j / (width / 2 - 1)). */
static float sinusoid(int place, int column, int width)
{
    const int half = width / 2;
    if (column >= 2 * half)
        return 0;
    const int j = column % half;
    const double angle = place * (half > 1 ? exp(-j * log(10000.0) / (half - 1)) : 1);
    return (float)(column < half ? sin(angle) : cos(angle));
}

void model_init_positions(struct model *m)
{
    struct tensor *t = plan_find(m->plan, "embed.position.weight");
    if (m->cfg.positions != POSITIONS_SINUSOIDAL)
        return;
    float *host = zalloc(tensor_size(t), sizeof *host);
    for (int r = 0; r < t->rows; r++)
        for (int i = 0; i < t->cols; i++)
            host[(size_t)r * (size_t)t->cols + (size_t)i] = sinusoid(r, i, t->cols);
    plan_put(m->plan, t, t->data, host);
    free(host);
}

void model_init(struct model *m, unsigned long long seed)
{
    model_init_positions(m);
    for (size_t k = 0; k < m->plan->n_tensors; k++) {
        struct tensor *t = m->plan->tensors[k];
        const size_t n = tensor_size(t);
        if (t->kind != TENSOR_PARAM || t->base)
            continue;
        float *host = zalloc(n, sizeof *host);
        for (size_t i = 0; i < n; i++)
            host[i] = initial_value(&m->cfg, t, seed, i);
        plan_put(m->plan, t, t->data, host);
        free(host);
    }
}
