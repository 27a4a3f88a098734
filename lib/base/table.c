#include "base/table.h"
#include "base/base.h"
#include <stdlib.h>
#include <string.h>

/* The end of the line at `at`: its newline, or NULL when the bytes end first. */
static char *line_end(char *at, char *end)
{
    return at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
}

/* "# key=value"; a line without '=' is a remark. */
static void take_note(struct table *t, char *text)
{
    char *key = text + 1 + (text[1] == ' '), *equals = strchr(key, '=');
    if (!equals)
        return;
    *equals = 0;
    t->keys = grow(t->keys, t->n_notes, sizeof *t->keys);
    t->values = grow(t->values, t->n_notes, sizeof *t->values);
    t->keys[t->n_notes] = key;
    t->values[t->n_notes++] = equals + 1;
}

static void take_header(struct table *t, char *text)
{
    for (char *name; (name = strsep(&text, "\t"));) {
        t->columns = grow(t->columns, t->n_columns, sizeof *t->columns);
        t->columns[t->n_columns++] = name;
    }
}

static const char *take_row(struct table *t, char *text, long line)
{
    size_t n = t->n_rows * t->n_columns;
    const size_t full = n + t->n_columns;
    for (char *cell; (cell = strsep(&text, "\t"));) {
        if (n == full)
            return "more cells than the header has columns";
        t->cells = grow(t->cells, n, sizeof *t->cells);
        t->cells[n++] = cell;
    }
    if (n < full)
        return "fewer cells than the header has columns; the table was cut or damaged";
    t->lines = grow(t->lines, t->n_rows, sizeof *t->lines);
    t->lines[t->n_rows++] = line;
    return NULL;
}

/* After the notes at `at`, does the header row come again? */
static int another(const char *header, char *at, char *end)
{
    char *stop = line_end(at, end);
    while (stop && *at == '#') {
        at = stop + 1;
        stop = line_end(at, end);
    }
    return stop && (size_t)(stop - at) == strlen(header) && !memcmp(at, header, strlen(header));
}

static const char *read_lines(struct table *t, char **header, char **at, char *end, long *line)
{
    for (int in_notes = 0; *at < end; ) {
        char *stop = line_end(*at, end);
        if (*header && !in_notes && another(*header, *at, end))
            return NULL;
        ++*line;
        if (!stop)
            return "the last line has no end; the table was cut short";
        *stop = 0;
        in_notes = **at == '#';
        if (in_notes) {
            take_note(t, *at);
        } else if (!*header) {
            *header = copy_text(*at);
            take_header(t, *at);
        } else {
            const char *err = take_row(t, *at, *line);
            if (err)
                return err;
        }
        *at = stop + 1;
    }
    return *header ? NULL : "no header row; the table is empty";
}

const char *table_parse(struct table *t, char **at, char *end, long *line)
{
    char *header = NULL;
    *t = (struct table){0};
    const char *err = read_lines(t, &header, at, end, line);
    free(header);
    return err;
}

void table_free(struct table *t)
{
    free(t->keys);
    free(t->values);
    free(t->columns);
    free(t->cells);
    free(t->lines);
    *t = (struct table){0};
}

int table_field(const struct table *t, const char *name, struct field *f)
{
    for (size_t i = 0; i < t->n_columns; i++)
        if (!strcmp(t->columns[i], name)) {
            *f = (struct field){i, NULL};
            return 1;
        }
    for (size_t i = t->n_notes; i-- > 0;)       /* the last word counts: a run's end comes last */
        if (!strcmp(t->keys[i], name)) {
            *f = (struct field){t->n_columns, t->values[i]};
            return 1;
        }
    return 0;
}

const char *table_cell(const struct table *t, size_t row, const struct field *f)
{
    return f->note ? f->note : t->cells[row * t->n_columns + f->column];
}
