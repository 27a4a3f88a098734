/* train - train a Transformer on a shard set: a table and checkpoints in a run's folder. */
#include "train/train.h"
#include "base/base.h"
#include "graph/device.h"
#include "graph/profile.h"
#include <limits.h>
#include <omp.h>
#include <string.h>

static const char *output, *resume;
static int dry;

static const struct opt own_options[] = {
    {'o', "output", OPT_TEXT, &output, 0, 0, "the run's folder", NULL},
    {0, "resume", OPT_TEXT, &resume, 0, 0, "go on with the run in this folder", NULL},
    {0, "profile", OPT_FLAG, &device_profile, 0, 0,
     "at the end print where the time went, by operation", NULL},
    {0, "dry-run", OPT_FLAG, &dry, 0, 0, "print the model's size and cost, and end", NULL},
    {0},
};

struct run_config run_config = {
    .eval_every = 1000, .eval_batches = 200, .checkpoint_every = 1000, .log_every = 1,
};

#define EVERY(name, field, help) {0, name, OPT_COUNT, &run_config.field, 0, 1e12, help, NULL}

const struct opt run_options[] = {
    EVERY("eval-every", eval_every, "steps between validations; 0: at the end only"),
    EVERY("eval-batches", eval_batches, "batches in a validation; 0: the whole split"),
    EVERY("checkpoint-every", checkpoint_every, "steps between checkpoints; 0: at the end only"),
    EVERY("keep", keep, "newest checkpoints kept; 0: all"),
    {0, "log-every", OPT_COUNT, &run_config.log_every, 1, 1e12, "steps between rows", NULL},
    {0},
};

const struct opt *const recorded[] = {model_options, learn_options, run_options,
                                      device_options, NULL};

/* A run that goes on keeps what its results depend on. */
static void refuse_changes(void)
{
    static const char *const may_change[] = {"steps", "recompute", "diverge-margin",
                                             "diverge-above", NULL};
    for (int t = 0; t < 2; t++)
        for (const struct opt *o = recorded[t]; o->name; o++) {
            int k = 0;
            while (may_change[k] && strcmp(may_change[k], o->name))
                k++;
            if (opt_given(o->name) && !may_change[k])
                misuse("--%s: a run that is resumed keeps its own", o->name);
        }
}

int main(int argc, char **argv)
{
    static const struct opt *const tables[] = {own_options, model_options, learn_options,
                                               run_options, device_options, NULL};
    const int first = opt_parse(argc, argv, tables,
                                "-o RUN [option ...] DATA | --resume RUN | --dry-run [DATA]");
    const int operands = argc - first;
    const char *data = operands ? argv[first] : NULL;

    if (operands > 1)
        misuse("%s: one shard set is trained on, not %d", argv[first + 1], operands);
    if (resume ? output || dry : !output && !dry)
        misuse("one of -o RUN, --resume RUN and --dry-run is needed; see train -h");
    if (output && !dry && !data)
        misuse("the shard set to train on is missing; see train -h");
    if (opt_threads)
        omp_set_num_threads(opt_threads);
    if (resume) {
        refuse_changes();
    } else {
        model_config_settle();
        learn_config_settle();
        if ((long long)learn_config.batch * model_config.context > INT_MAX)
            misuse("--batch: %d windows of %d tokens are more than %d tokens in a pass",
                   learn_config.batch, model_config.context, INT_MAX);
    }
    if (dry) {
        dry_run(data);
        return finish();
    }
    struct run *r = resume ? run_resume(resume, data) : run_begin(output, data);
    const int status = run_train(r);
    if (device_profile)
        profile_print(stdout);
    run_end(r);
    finish();
    return status;
}
