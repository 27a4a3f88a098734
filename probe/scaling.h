/* scaling.h - sub-layers' Jacobians under a scaled output map or state (Propositions 7, 8). */
#pragma once
#include "measure/sensitivity.h"
#include "probe/probe.h"

enum { MAX_FACTORS = 32 };

struct scaling {
    double s_f[MAX_FACTORS];    /* ||d f_k / d X_k||_2 at each factor, mean over windows */
    double slope;               /* of ln s_f against ln factor */
};

/* Every sub-layer k = 0 .. 2 layers - 1, its output map (or its state) times each factor. */
void scaling_of(const struct subject *s, const double *factors, int n, int outputs,
                struct scaling *rows);
/* Means over windows of what sensitivity.h has, rows [1 + 2 layers]. */
void jacobian_of(const struct subject *s, int norms, int to_end, struct sensitivity *rows);
