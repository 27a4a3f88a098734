/* state.h - what a checkpoint holds for a run to go on as if it had never
 * stopped: state.safetensors beside the model (checkpoint(5)). */
#pragma once
#include "learn/learner.h"
#include "model/checkpoint.h"

/* Validation losses so far; NAN before the first. */
struct state {
    double last, best;
};

void state_write(const char *folder, const struct learner *l, const struct state *s);
/* Read the optimiser's memory, the step and *s; dies with the reason. */
void state_read(const char *folder, struct learner *l, struct state *s);
