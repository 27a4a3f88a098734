/* series.h - from tables to samples: which cells, in which group, at which x.
 *
 * A series is what one table gives one group and one y column, in the order of
 * the rows.  Empty cells are left out.  A series that ends in nan or inf after a
 * number has diverged there, and so has at its end every series of a table with the note
 * "diverged"; a nan or inf with a number after it is a gap, and a series without any
 * number is nothing. */
#pragma once
#include "base/table.h"

enum { MAX_NAMES = 16 };

/* A comma-separated list on the command line. */
struct names {
    const char *name[MAX_NAMES];
    int n;
};

struct selection {
    const char *x;              /* NULL: the last value of each series, at x = 0 */
    struct names y, group;
    struct names where, equals; /* keep rows whose `where` is `equals` */
    int smooth;                 /* mean of the last so many values; 0: off */
    double decay;               /* of an exponential mean; 0: off */
};

struct sample {
    size_t group;               /* index into labels */
    int y;                      /* index into selection's y */
    double x, value;            /* value nan: the series diverged here */
};

struct samples {
    struct sample *all;
    size_t n;
    struct sample *ends;        /* the last number of each diverged series */
    size_t n_ends;
    char **labels;              /* of each group: its values, set off by tabs; as they appear */
    size_t n_labels;
};

/* Add what a table holds; dies, naming `file`, when a column or a number is missing. */
void samples_add(struct samples *s, const struct selection *want, const struct table *t,
                 const char *file);
void samples_free(struct samples *s);
