/* tsv.h - tables: `# key=value` lines of provenance, a header row, rows of
 * tab-separated values.  Numbers read back exactly; nan and inf are spelled out. */
#pragma once
#include "base/opt.h"
#include <stdio.h>

/* "# key=value", a line end in the value as a blank; a NULL value prints nothing. */
void tsv_note(FILE *f, const char *key, const char *value);
/* The lines every table begins with: command, version, and each row of the
 * option tables (NULL ends the list; the list may be NULL). */
void tsv_provenance(FILE *f, const struct opt *const tables[]);
/* A number that reads back exactly as a float; nan, inf and -inf. */
void tsv_number(FILE *f, double v);
/* The shortest form that reads back exactly as a double. */
void tsv_double(FILE *f, double v);
/* tsv_number() after a tab. */
void tsv_cell(FILE *f, double v);
