/* judge.h - a checkpoint run over windows of tokens. */
#pragma once
#include "eval/windows.h"
#include "model/checkpoint.h"

struct judge {
    struct checkpoint *checkpoint;
    struct model *model;
    struct stream *stream;
};

/* What the model made of one window: [n] each, from its first scored token on. */
struct verdict {
    const int *ids, *targets;
    const float *loss;          /* nats */
    const int *best;            /* the arg-max */
    int n;
};

/* Open both, check that they speak the same vocabulary, and place the model.  There is one. */
struct judge *judge_open(const char *run, const char *data);
/* Call each(arg, verdict) for every window of the policy, in its order. */
void judge_run(struct judge *j, void (*each)(void *arg, const struct verdict *v), void *arg);
void judge_close(struct judge *j);
/* "# protocol=..." and the data's and checkpoint's provenance. */
void judge_notes(const struct judge *j, FILE *out);
