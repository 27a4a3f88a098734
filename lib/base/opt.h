/* opt.h - command-line options: one table row gives parsing, range check,
 * default, usage line, and the name=value form kept in a run's records. */
#pragma once
#include <stdio.h>

enum opt_kind {
    OPT_FLAG,       /* int *: 1 when given */
    OPT_INT,        /* int * */
    OPT_COUNT,      /* long long *: may be written 1e6 */
    OPT_REAL,       /* double * */
    OPT_TEXT,       /* const char ** */
    OPT_CHOICE,     /* int *: index into names */
};

struct opt {
    int letter;                 /* -x, or 0: long form only */
    const char *name;           /* --long-name; NULL ends the table */
    enum opt_kind kind;
    void *value;                /* holds the default */
    double min, max;            /* inclusive range of a number */
    const char *help;           /* one line, with the unit */
    const char *const *names;   /* the choices, ended by NULL */
};

/* The options that every program has (-h, --version, -q, -j) are known to opt_parse. */
extern int opt_quiet;           /* -q, --quiet: no progress line */
extern int opt_threads;         /* -j, --threads: 0 means as many as there are cores */
extern char *opt_command;       /* the command line as it was given, quoted for a shell */

/* Parse argv by the tables (NULL ends their list) and return the index of the
 * first operand.  -h prints usage to stdout and exits 0; a bad option says why
 * on stderr and exits 2.  Options may stand after operands, as GNU tools allow. */
int opt_parse(int argc, char **argv, const struct opt *const tables[], const char *synopsis);
/* opt_parse's answer for rows given on the command line: was --name there? */
int opt_given(const char *name);

/* Set one row's value from text: NULL, or what is wrong with it (static text). */
const char *opt_set(const struct opt *o, const char *text);
/* The value as text that opt_set() takes back exactly; the caller frees it.
 * NULL for an unset OPT_TEXT. */
char *opt_value(const struct opt *o);
/* The row of that long name, or NULL. */
const struct opt *opt_find(const struct opt *table, const char *name);
