/* prf.h - precision, recall and F of many pairs: their means, and the intervals of a bootstrap. */
#pragma once
#include "base/numpy.h"
#include <stdio.h>

enum { PARTS = 3 };
extern const char *const prf_names[PARTS];      /* "precision", "recall", "f" */

/* Begins all zero; free `all`. */
struct prf {
    double sum[PARTS];
    double (*all)[PARTS];       /* of every pair: only with --bootstrap */
    size_t n;
};

void prf_add(struct prf *s, const double one[PARTS]);
/* The rows NAME_precision, NAME_recall and NAME_f, with --bootstrap each with its interval, for
 * which `t` draws the pairs. */
void prf_print(FILE *out, const char *name, const struct prf *s, struct twister *t);
/* "<TAB>0.1<TAB>0.2<TAB>0.15" */
void prf_cells(FILE *out, const double one[PARTS]);
