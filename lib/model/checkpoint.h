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
 * saved (config.json, model.safetensors) or a .safetensors file.  Sets model_config and what
 * else the option tables record.  Dies with the reason. */
struct checkpoint *checkpoint_open(const char *path);
void checkpoint_close(struct checkpoint *c);
/* The folder it was found in; the step it was taken at; what its ids mean (size 0: not known). */
const char *checkpoint_folder(const struct checkpoint *c);
long long checkpoint_step(const struct checkpoint *c);
const struct token_kind *checkpoint_kind(const struct checkpoint *c);
/* A recorded setting ("seed"), or NULL. */
const char *checkpoint_setting(const struct checkpoint *c, const char *name);
/* Fill a placed model's parameters; dies naming the tensor that is missing or misshapen. */
void checkpoint_load(const struct checkpoint *c, struct model *m);
