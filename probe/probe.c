/* probe - what a model's hidden states are like, sub-layer by sub-layer, beside the bounds
 * that theory gives for them.  See probe(1). */
#include "base/base.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/tsv.h"
#include "data/batch.h"
#include "measure/layers.h"
#include "model/checkpoint.h"
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static struct {
    int init, batch, device, level;
    long long windows, seed;
    const char *split, *output;
} want = {.batch = 8, .windows = 64, .seed = 1, .split = "val"};

static const char *const device_names[] = {"cpu", "cuda", NULL};
static const char *const level_names[] = {"best", "v2", "v3", "v4", "v4bf16", NULL};

static const struct opt options[] = {
    {0, "init", OPT_FLAG, &want.init, 0, 0, "no checkpoint: a model as it begins", NULL},
    {0, "windows", OPT_COUNT, &want.windows, 1, 1e9, "windows to measure, at most", NULL},
    {0, "batch", OPT_INT, &want.batch, 1, 65536, "windows in a pass", NULL},
    {0, "split", OPT_TEXT, &want.split, 0, 0, "of the shard set: train or val", NULL},
    {'s', "seed", OPT_COUNT, &want.seed, 0, 1e18, "of the choice of windows, and of --init", NULL},
    {'o', "output", OPT_TEXT, &want.output, 0, 0, "write FILE, whole or not at all", NULL},
    {0, "device", OPT_CHOICE, &want.device, 0, 0, "where to compute", device_names},
    {0, "level", OPT_CHOICE, &want.level, 0, 0, "instruction set of the CPU", level_names},
    {0},
};

/* The columns after `layer` and `sub`, and where a row holds them. */
static const struct { const char *name; size_t at; } columns[] = {
#define COLUMN(name, field) {name, offsetof(struct layer, field)}
    COLUMN("mean", moments.mean), COLUMN("MA", moments.ma),
    COLUMN("var_entry", moments.var_entry), COLUMN("var_data", var_data),
    COLUMN("var_token", moments.var_token), COLUMN("max_abs", moments.max_abs),
    COLUMN("fro", moments.fro), COLUMN("growth", growth),
    COLUMN("fro_f", fro_f), COLUMN("cos_f", cos_f),
    COLUMN("bound_MA", bound_ma), COLUMN("ratio_MA", ratio_ma),
    COLUMN("bound_Var", bound_var), COLUMN("ratio_Var", ratio_var),
    COLUMN("bound_exp", bound_exp), COLUMN("ratio_exp", ratio_exp),
    COLUMN("q", norm.q), COLUMN("q_lemma", norm.lemma),
    COLUMN("q_error", norm.error), COLUMN("plane", norm.plane),
#undef COLUMN
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* What a checkpoint records of its training, for plot-data to group by. */
static const char *const training[] = {"lr", "warmup", "weight-decay", "optimizer", "schedule",
                                       "batch", NULL};

/* The model's options and the data's vocabulary must be one. */
static void settle(const struct checkpoint *c, const struct shards *data, const char *path)
{
    const struct token_kind *kind = shards_kind(data);
    if (!c) {
        model_config_settle();
        model_config_for_vocab(kind->size);
        return;
    }
    const struct token_kind *own = checkpoint_kind(c);
    if (own->size && (own->size != kind->size || own->eot != kind->eot))
        die("%s: its %d token ids (%s) are not the model's %d (%s)", path, kind->size,
            kind->vocab, own->size, own->vocab);
    model_config_for_vocab(kind->size);
}

static struct layers_result *measure(struct model *m, struct layers *l, struct shards *data)
{
    struct batches *b = batches_open(data, want.batch, m->time, WINDOWS_PERMUTED,
                                     (uint64_t)want.seed, 0);
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
    batches_close(b);
    return layers_end(l);
}

static void note(FILE *f, const char *key, double value)
{
    fprintf(f, "# %s=", key);
    tsv_number(f, value);
    fputc('\n', f);
}

static void write_notes(FILE *f, const struct checkpoint *c, const struct layers_result *r)
{
    static const struct opt *const tables[] = {options, model_options, NULL};
    tsv_provenance(f, tables);
    note(f, "measured", (double)r->windows);
    if (c) {
        note(f, "step", (double)checkpoint_step(c));
        tsv_note(f, "train-seed", checkpoint_setting(c, "seed"));
        for (int i = 0; training[i]; i++)
            if (!opt_find(options, training[i]))
                tsv_note(f, training[i], checkpoint_setting(c, training[i]));
    }
    note(f, "g_max", r->g_max);
    note(f, "b_max", r->b_max);
    note(f, "C_hat", r->c_hat);
    note(f, "C_fit", r->growth.rate);
    note(f, "R2_exponential", r->growth.exponential);
    note(f, "R2_linear", r->growth.linear);
    note(f, "R2_quadratic", r->growth.quadratic);
}

static void write_rows(FILE *f, const struct layers_result *r, int n)
{
    fputs("sublayer\tlayer\tsub\tdepth\tfraction", f);
    for (int i = 0; i < COLUMNS; i++)
        fprintf(f, "\t%s", columns[i].name);
    fputc('\n', f);
    for (int k = 0; k < n; k++) {
        fprintf(f, "%d\t%d\t%s", k, (k + 1) / 2, !k ? "embed" : k % 2 ? "attn" : "mlp");
        tsv_cell(f, k / 2.0);
        tsv_cell(f, (double)k / (n - 1));
        for (int i = 0; i < COLUMNS; i++)
            tsv_cell(f, *(const double *)((const char *)&r->layer[k] + columns[i].at));
        fputc('\n', f);
    }
}

static void write_table(const struct model *m, const struct checkpoint *c,
                        const struct layers_result *r)
{
    struct outfile *o = want.output ? outfile_open(want.output) : NULL;
    FILE *f = o ? o->f : stdout;
    write_notes(f, c, r);
    write_rows(f, r, m->n_stream);
    if (o)
        outfile_commit(o);
}

/* Lemma 1 holds for any weights: where it fails, the numbers are not to be trusted. */
static void check_lemma(const struct layers_result *r, int n)
{
    for (int k = 0; k < n; k++)
        if (r->layer[k].norm.error > 1e-5) {
            warn("sub-layer %d: a norm misses Lemma 1 by %.3g, more than f32 rounding explains",
                 k, r->layer[k].norm.error);
            return;
        }
}

int main(int argc, char **argv)
{
    static const struct opt *const tables[] = {options, model_options, NULL};
    const int first = opt_parse(argc, argv, tables,
                                "[option ...] RUN DATA | --init [option ...] DATA");
    if (argc - first != 2 - want.init)
        misuse(want.init ? "--init takes one operand, a shard set; see %s -h"
                         : "a run and a shard set are needed, or --init and a shard set; see %s -h",
               program);
    if (opt_threads)
        omp_set_num_threads(opt_threads);

    struct checkpoint *c = want.init ? NULL : checkpoint_open(argv[first]);
    const char *path = argv[argc - 1];
    struct shards *data = shards_open(path, want.split);
    settle(c, data, path);
    const uint64_t held = shards_tokens(data), window = (uint64_t)model_config.context;
    if (held < window + 1)
        die("%s: split %s has %llu tokens, one window takes %llu", path, want.split,
            (unsigned long long)held, (unsigned long long)window + 1);
    if ((uint64_t)want.windows > (held - 1) / window)
        want.windows = (long long)((held - 1) / window);
    if (want.batch > want.windows)
        want.batch = (int)want.windows;

    const struct backend *be = backend_open(device_names[want.device],
                                            want.level ? level_names[want.level] : NULL);
    struct model *m = model_build(be, &model_config, want.batch, MODEL_LOSS, 0);
    struct layers *l = layers_new(m, want.windows);
    plan_place(m->plan, NULL);
    if (c)
        checkpoint_load(c, m);
    else
        model_init(m, (unsigned long long)want.seed);
    struct layers_result *r = measure(m, l, data);
    write_table(m, c, r);
    check_lemma(r, m->n_stream);
    free(r);
    model_free(m);
    shards_close(data);
    if (c)
        checkpoint_close(c);
    return finish();
}
