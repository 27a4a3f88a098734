/* probe - what a model's hidden states are like, sub-layer by sub-layer, and how they and the
 * loss answer to change, beside what theory says of it.  See probe(1). */
#include "probe/probe.h"
#include "base/base.h"
#include "base/file.h"
#include "base/tsv.h"
#include "graph/device.h"
#include <omp.h>
#include <stdlib.h>
#include <string.h>

struct options want = {.batch = 8, .seed = 1, .split = "val", .tolerance = 1e-4};

static const struct opt options[] = {
    {0, "init", OPT_FLAG, &want.init, 0, 0, "no checkpoint: a model as it begins", NULL},
    {0, "jacobian", OPT_FLAG, &want.jacobian, 0, 0, "norms of Jacobians and adjoints instead",
     NULL},
    {0, "gradients", OPT_FLAG, &want.gradients, 0, 0, "norms of parameters' gradients instead",
     NULL},
    {0, "scale-out", OPT_TEXT, &want.scale_out, 0, 0,
     "Jacobians with the output maps times these factors", NULL},
    {0, "scale-in", OPT_TEXT, &want.scale_in, 0, 0,
     "Jacobians with the states times these factors", NULL},
    {0, "claims", OPT_FLAG, &want.claims, 0, 0, "what theory claims, measured: holds or fails",
     NULL},
    {0, "tolerance", OPT_REAL, &want.tolerance, 1e-6, 0.1, "relative, of a Jacobian's norm", NULL},
    {0, "windows", OPT_COUNT, &want.windows, 0, 1e9,
     "windows to measure, at most; 0: 64, or 4 with Jacobians", NULL},
    {0, "batch", OPT_INT, &want.batch, 1, 65536, "windows in a pass", NULL},
    {0, "split", OPT_TEXT, &want.split, 0, 0, "of the shard set: train or val", NULL},
    {'s', "seed", OPT_COUNT, &want.seed, 0, 1e18, "of the choice of windows, and of --init", NULL},
    {'o', "output", OPT_TEXT, &want.output, 0, 0, "write FILE, whole or not at all", NULL},
    {0},
};

static const struct opt *const tables[] = {options, device_options, model_options, NULL};

/* The model's options and the data's vocabulary must be one. */
static void settle(const struct checkpoint *c, const struct shards *data, const char *path)
{
    const struct token_kind *kind = shards_kind(data);
    if (!c) {
        model_config_settle();
        const struct masking mask = masking_for(kind, model_mask_share(&model_config));
        model_config_for_vocab(masking_ids(&mask));
        return;
    }
    checkpoint_check_kind(c, kind, path);
}

void subject_fill(const struct subject *s, struct model *m)
{
    if (s->checkpoint)
        checkpoint_load(s->checkpoint, m);
    else
        model_init(m, (unsigned long long)want.seed);
}

struct batches *subject_windows(const struct subject *s, int size, long long usual)
{
    const uint64_t held = shards_tokens(s->data), window = (uint64_t)model_config.context;
    const long long most = (long long)((held - 1) / window);
    if (!want.windows)
        want.windows = usual;
    if (want.windows > most)
        want.windows = most;
    if (want.batch > want.windows)
        want.batch = (int)want.windows;
    const struct masking mask = masking_for(shards_kind(s->data), model_mask_share(&model_config));
    return batches_open(s->data, size < want.windows ? size : (int)want.windows,
                        model_config.context, WINDOWS_PERMUTED, &mask, (uint64_t)want.seed,
                        0);
}

void table_note(FILE *f, const char *key, double value)
{
    fprintf(f, "# %s=", key);
    tsv_number(f, value);
    fputc('\n', f);
}

void table_notes(FILE *f, const struct subject *s)
{
    tsv_provenance(f, tables);
    if (s->checkpoint)
        checkpoint_notes(s->checkpoint, f);
}

void sublayer_cells(FILE *f, int k)
{
    fprintf(f, "%d\t%d\t%s", k, (k + 1) / 2, !k ? "embed" : k % 2 ? "attn" : "mlp");
}

static struct subject open_subject(int n, char **operands)
{
    if (n != 2 - want.init)
        misuse(want.init ? "--init takes one operand, a shard set; see %s -h"
                         : "a run and a shard set are needed, or --init and a shard set; see %s -h",
               program);
    const char *path = operands[n - 1];
    struct subject s = {.checkpoint = want.init ? NULL : checkpoint_open(operands[0]),
                        .data = shards_open(path, want.split)};
    settle(s.checkpoint, s.data, path);
    const uint64_t held = shards_tokens(s.data), window = (uint64_t)model_config.context;
    if (held < window + 1)
        die("%s: split %s has %llu tokens, one window takes %llu", path, want.split,
            (unsigned long long)held, (unsigned long long)window + 1);
    s.be = device_open();
    return s;
}

int main(int argc, char **argv)
{
    const int first = opt_parse(argc, argv, tables,
                                "[option ...] RUN DATA | --init [option ...] DATA");
    const int scaled = want.scale_out || want.scale_in;
    if (want.jacobian + want.gradients + scaled + want.claims > 1)
        misuse("--jacobian, --gradients, --scale-out or --scale-in, and --claims exclude each "
               "other");
    if (opt_threads)
        omp_set_num_threads(opt_threads);

    struct subject s = open_subject(argc - first, argv + first);
    struct outfile *o = want.output ? outfile_open(want.output) : NULL;
    FILE *f = o ? o->f : stdout;
    void (*const run)(const struct subject *, FILE *) = want.jacobian ? run_jacobian
        : want.gradients ? run_gradients : scaled ? run_scaled : want.claims ? run_claims
        : run_states;
    run(&s, f);
    if (o)
        outfile_commit(o);
    shards_close(s.data);
    if (s.checkpoint)
        checkpoint_close(s.checkpoint);
    return finish();
}
