/* train.h - the parts of train: the run's folder, its table, the loop. */
#pragma once
#include "data/batch.h"
#include "learn/state.h"

/* Options of a run beside the model's and the learner's. */
struct run_config {
    long long eval_every, eval_batches, checkpoint_every, keep, log_every;
};

extern struct run_config run_config;
extern const struct opt run_options[];
extern const struct opt *const recorded[];      /* the tables that a run records */

struct table {
    char *path;
    FILE *f;
    double tokens, seconds;     /* trained since the last row */
};

struct run {
    const char *folder;
    char *data, *command;       /* DATA's full path; what began the run */
    const struct backend *be;
    struct shards *train, *val; /* val NULL: shorter than a window */
    struct masking mask;        /* of an encoder's windows */
    struct learner *learner;
    struct state state;
    struct table table;
};

/* A new run of DATA in a folder that has none yet; a run's newest checkpoint with its settings
 * (DATA from the record when NULL).  Both die with the reason. */
struct run *run_begin(const char *folder, const char *data);
struct run *run_resume(const char *folder, const char *data);
void run_end(struct run *r);
/* Publish a checkpoint of the current step, unless there is one. */
void run_checkpoint(struct run *r);

/* Train to the end: an exit status. */
int run_train(struct run *r);

/* train.tsv: begin it; drop what follows `step` and go on; add a row (val NULL: not measured,
 * an empty cell); say when and why the run diverged. */
void table_begin(struct table *t, const char *folder);
void table_resume(struct table *t, const char *folder, long long step);
void table_row(struct table *t, const struct learner *l, long long step,
               const struct step_record *s, const double *val, double ma);
void table_diverged(struct table *t, long long step, const char *why);
/* On disk, so that a checkpoint is never ahead of it. */
void table_sync(struct table *t);

/* Print what the model costs, without allocating it. */
void dry_run(const char *data);
