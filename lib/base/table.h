/* table.h - read what tsv.h writes: `# key=value` notes, a header row, rows. */
#pragma once
#include <stddef.h>

struct table {
    char **keys, **values;      /* the notes, wherever in the table they stand */
    size_t n_notes;
    char **columns;             /* the header row */
    size_t n_columns;
    char **cells;               /* [n_rows, n_columns] */
    long *lines;                /* [n_rows]: where each row stands, for messages */
    size_t n_rows;
};

/* Read one table from the bytes [*at, end), any bytes, which it changes; the table's texts lie
 * among them.  Another header row like the first begins another table: the reader stops before
 * its notes, so that `cat a.tsv b.tsv` are two.  *at moves past what was read and *line (lines
 * read before) past its lines.  NULL, or what is wrong with line *line; table_free() either way. */
const char *table_parse(struct table *t, char **at, char *end, long *line);
void table_free(struct table *t);

/* The column or note of that name: a row's cell, or the note's value for every row. */
struct field {
    size_t column;              /* n_columns: it is a note */
    const char *note;
};
/* Find it, columns first; 0 when there is none. */
int table_field(const struct table *t, const char *name, struct field *f);
const char *table_cell(const struct table *t, size_t row, const struct field *f);
