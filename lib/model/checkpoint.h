/* checkpoint.h - a model on disk, and a training run's folder (checkpoint(5)).
 *
 * RUN/step-00000100/ holds model.safetensors (Hugging Face's names where the
 * architecture has some; keel's options in __metadata__), config.json for
 * transformers, vocabulary files if the data brought some, and, for the run to be
 * resumed, state.safetensors (the optimiser's).  A folder is written beside its
 * place and renamed: a checkpoint is whole or not there. */
#pragma once
#include "data/tokens.h"
#include "model/model.h"

struct checkpoint;      /* an open model.safetensors: settings read, tensors mapped */

/* Open a run folder (its newest checkpoint), a checkpoint folder, a folder that transformers
 * saved (config.json, model.safetensors) or a .safetensors file, and verify its checksum.
 * Sets model_config, but for options given by hand.  Dies with the reason. */
struct checkpoint *checkpoint_open(const char *path);
void checkpoint_close(struct checkpoint *c);
/* The folder it was found in; the step it was taken at; what its ids mean (size 0: not known). */
const char *checkpoint_folder(const struct checkpoint *c);
long long checkpoint_step(const struct checkpoint *c);
const struct token_kind *checkpoint_kind(const struct checkpoint *c);
/* Dies unless data of that kind, at `path`, has the model's vocabulary, word for word. */
void checkpoint_check_kind(const struct checkpoint *c, const struct token_kind *data,
                           const char *path);
/* A recorded setting ("seed"), or NULL. */
const char *checkpoint_setting(const struct checkpoint *c, const char *name);
/* Set the rows of a table, but those given by hand, to what was recorded.  Texts are the
 * checkpoint's: keep it open. */
void checkpoint_settings(const struct checkpoint *c, const struct opt *table);
/* A table's notes on where its model comes from: "step", "train-seed", and those settings of its
 * training that plots are grouped by. */
void checkpoint_notes(const struct checkpoint *c, FILE *f);
/* Fill a placed model's parameters; dies naming the tensor that is missing or misshapen. */
void checkpoint_load(const struct checkpoint *c, struct model *m);

/* What a checkpoint records beside the model. */
struct checkpoint_record {
    long long step;
    const struct token_kind *kind;
    const struct opt *const *tables;    /* ended by NULL */
    const char *(*more)[2];             /* further names and values, ended by a NULL name */
};
/* Write model.safetensors, config.json and the data's own vocabulary into a folder begun by
 * outdir_begin(). */
void checkpoint_write(const char *folder, const struct model *m, const struct checkpoint_record *r);

/* RUN/step-00000100; the caller frees it. */
char *checkpoint_path(const char *run, long long step);
/* The steps of a run's checkpoints, ascending, a new array; *n is their number. */
long long *checkpoint_list(const char *run, size_t *n);
