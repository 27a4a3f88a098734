#include "plot-data/series.h"
#include "base/base.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void list_names(FILE *f, const struct table *t)
{
    for (size_t i = 0; i < t->n_columns; i++)
        fprintf(f, "%s%s", i ? ", " : "", t->columns[i]);
    for (size_t i = 0; i < t->n_notes; i++)
        fprintf(f, "%s%s", i ? ", " : "; notes ", t->keys[i]);
}

static struct field find(const struct table *t, const char *name, const char *file)
{
    struct field f;
    char *there;
    size_t size;
    if (table_field(t, name, &f))
        return f;
    FILE *list = open_memstream(&there, &size);
    if (!list)
        die("out of memory");
    list_names(list, t);
    fclose(list);
    die("%s: no column or note '%s'; there are %s", file, name, there);
}

/* The number in a cell; 0 when the cell is empty. */
static int number(const struct table *t, size_t row, const struct field *f, const char *file,
                  double *v)
{
    const char *text = table_cell(t, row, f);
    char *end;
    if (!*text)
        return 0;
    *v = strtod(text, &end);
    if (end == text || *end)
        die("%s:%ld: '%s' is not a number", file, t->lines[row], text);
    return 1;
}

/* The index of a group, by its label; the label is taken over. */
static size_t group_of(struct samples *s, char *label)
{
    for (size_t i = s->n_labels; i-- > 0;)
        if (!strcmp(s->labels[i], label)) {
            free(label);
            return i;
        }
    s->labels = grow(s->labels, s->n_labels, sizeof *s->labels);
    s->labels[s->n_labels] = label;
    return s->n_labels++;
}

static size_t group_of_row(struct samples *s, const struct table *t, size_t row,
                           const struct field *fields, int n)
{
    char *label = copy_text("");
    for (int i = 0; i < n; i++) {
        char *longer = text_of("%s%s%s", label, i ? "\t" : "", table_cell(t, row, &fields[i]));
        free(label);
        label = longer;
    }
    return group_of(s, label);
}

static void add(struct sample **list, size_t *n, struct sample one)
{
    *list = grow(*list, *n, sizeof **list);
    (*list)[(*n)++] = one;
}

static int by_series(const void *a, const void *b)
{
    const struct sample *x = *(struct sample *const *)a, *y = *(struct sample *const *)b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return x->y != y->y ? x->y - y->y : (x > y) - (x < y);
}

/* Smooth n values in place; those that are not numbers stay and are passed over. */
static void smooth(struct sample *v, size_t n, const struct selection *want)
{
    double *ring = zalloc((size_t)want->smooth, sizeof *ring), mean = 0, weight = 0;
    size_t seen = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(v[i].value))
            continue;
        if (want->smooth) {
            const size_t room = (size_t)want->smooth;
            double sum = 0;
            ring[seen++ % room] = v[i].value;
            const size_t have = seen < room ? seen : room;
            for (size_t k = 0; k < have; k++)
                sum += ring[k];
            v[i].value = sum / (double)have;
        }
        if (want->decay > 0) {
            mean = want->decay * mean + (1 - want->decay) * v[i].value;
            weight = want->decay * weight + (1 - want->decay);
            v[i].value = mean / weight;
        }
    }
    free(ring);
}

/* Take over one series: what it is worth, and where it diverged. */
static void finish_series(struct samples *s, const struct selection *want, struct sample *v,
                          size_t n, int diverged)
{
    size_t last = n;
    while (last && !isfinite(v[last - 1].value))
        last--;
    if (!last)
        return;
    smooth(v, last, want);
    diverged |= last < n;
    for (size_t i = want->x ? 0 : last - 1; i < last; i++)
        if (isfinite(v[i].value) && (want->x || !diverged))
            add(&s->all, &s->n, v[i]);
    if (diverged) {
        struct sample end = v[last < n ? last : n - 1];
        end.value = NAN;
        add(&s->all, &s->n, end);
        add(&s->ends, &s->n_ends, v[last - 1]);
    }
}

static int wanted(const struct table *t, size_t row, const struct field *where,
                  const struct selection *want)
{
    for (int i = 0; i < want->where.n; i++)
        if (strcmp(table_cell(t, row, &where[i]), want->equals.name[i]))
            return 0;
    return 1;
}

void samples_add(struct samples *s, const struct selection *want, const struct table *t,
                 const char *file)
{
    struct field x = {0}, y[MAX_NAMES], group[MAX_NAMES], where[MAX_NAMES], verdict;
    struct sample *raw = NULL;
    size_t n = 0;

    if (want->x)
        x = find(t, want->x, file);
    for (int i = 0; i < want->y.n; i++)
        y[i] = find(t, want->y.name[i], file);
    for (int i = 0; i < want->group.n; i++)
        group[i] = find(t, want->group.name[i], file);
    for (int i = 0; i < want->where.n; i++)
        where[i] = find(t, want->where.name[i], file);

    for (size_t r = 0; r < t->n_rows; r++) {
        struct sample one = {0};
        if (!wanted(t, r, where, want)
            || (want->x && (!number(t, r, &x, file, &one.x) || !isfinite(one.x))))
            continue;
        one.group = group_of_row(s, t, r, group, want->group.n);
        for (one.y = 0; one.y < want->y.n; one.y++)
            if (number(t, r, &y[one.y], file, &one.value))
                add(&raw, &n, one);
    }

    const int diverged = table_field(t, "diverged", &verdict) && verdict.note;
    struct sample **order = zalloc(n, sizeof *order), *run = zalloc(n, sizeof *run);
    for (size_t i = 0; i < n; i++)
        order[i] = &raw[i];
    qsort(order, n, sizeof *order, by_series);
    for (size_t i = 0; i < n; i++)
        run[i] = *order[i];
    for (size_t i = 0, next; i < n; i = next) {
        for (next = i + 1; next < n && run[next].group == run[i].group && run[next].y == run[i].y;)
            next++;
        finish_series(s, want, run + i, next - i, diverged);
    }
    free(order);
    free(run);
    free(raw);
}

void samples_free(struct samples *s)
{
    for (size_t i = 0; i < s->n_labels; i++)
        free(s->labels[i]);
    free(s->labels);
    free(s->all);
    free(s->ends);
}
