/* probe.h - what the modes of probe share: options, the model and windows they measure, and
 * how a table begins. */
#pragma once
#include "base/opt.h"
#include "data/batch.h"
#include "kernels/backend.h"
#include "model/checkpoint.h"
#include <stdio.h>

struct options {
    int init, batch;
    long long windows, seed;            /* windows 0: the mode's own number */
    const char *split, *output;
    int jacobian, gradients, claims;    /* modes; states without any */
    const char *scale_out, *scale_in;
    double tolerance;
};

extern struct options want;

/* What is measured: a checkpoint's model, or (checkpoint NULL) one as it begins. */
struct subject {
    const struct backend *be;
    struct checkpoint *checkpoint;
    struct shards *data;
};

/* Give a placed model its parameters. */
void subject_fill(const struct subject *s, struct model *m);
/* The windows to measure, `size` at a time; at most want.windows, which it settles. */
struct batches *subject_windows(const struct subject *s, int size, long long usual);
/* Provenance lines: every option, the checkpoint's step and training. */
void table_notes(FILE *f, const struct subject *s);
/* "# key=number" */
void table_note(FILE *f, const char *key, double value);
/* The first cells of a sub-layer's row: its number, its block and what it is. */
void sublayer_cells(FILE *f, int k);

/* The states' statistics, for the windows asked for (64 if not). */
struct layers_result;
struct layers_result *states_of(const struct subject *s);

void run_states(const struct subject *s, FILE *f);
void run_jacobian(const struct subject *s, FILE *f);
void run_gradients(const struct subject *s, FILE *f);
void run_scaled(const struct subject *s, FILE *f);
void run_claims(const struct subject *s, FILE *f);
