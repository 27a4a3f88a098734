#include "plot-data/draw.h"
#include "base/base.h"
#include "base/opt.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Okabe and Ito's colours, which colour-blind readers can tell apart; black and a grey for the
 * yellow that white paper swallows. */
static const char *const colours[] = {"0072B2", "D55E00", "009E73", "CC79A7",
                                      "E69F00", "56B4E9", "000000", "888888"};
static const int shapes[] = {7, 5, 9, 13, 11, 6, 4, 8};     /* filled ones first */
enum { COLOURS = 8, FEW_POINTS = 40 };

/* The points of one group and y column. */
struct curve {
    size_t group;
    int y;
    const struct point *points;
    size_t n, numbers, bands;   /* points; those with a number; those with an interval */
};

/* A text as gnuplot reads it literally. */
static void quote(FILE *f, const char *text)
{
    fputc('\'', f);
    for (; *text; text++) {
        if (*text == '\'')
            fputc('\'', f);
        if (*text == '\t')
            fputs(", ", f);
        else
            fputc(*text == '\n' ? ' ' : *text, f);
    }
    fputc('\'', f);
}

static void quote_names(FILE *f, const struct names *list)
{
    char *all = copy_text("");
    for (int i = 0; i < list->n; i++) {
        char *longer = text_of("%s%s%s", all, i ? ", " : "", list->name[i]);
        free(all);
        all = longer;
    }
    quote(f, all);
    free(all);
}

static int diverges(const struct curve *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->points[i].diverged)
            return 1;
    return 0;
}

static struct curve *find_curves(const struct point *points, size_t n, size_t *n_curves)
{
    struct curve *c = NULL;
    *n_curves = 0;
    for (size_t i = 0, next; i < n; i = next) {
        struct curve one = {points[i].group, points[i].y, &points[i], 0, 0, 0};
        for (next = i; next < n && points[next].group == one.group && points[next].y == one.y;
             next++) {
            one.numbers += points[next].n > 0;
            one.bands += points[next].n > 1;
        }
        one.n = next - i;
        if (!one.numbers)
            continue;
        if (diverges(&one))     /* its spread would paint over the others */
            one.bands = 0;
        c = grow(c, *n_curves, sizeof *c);
        c[(*n_curves)++] = one;
    }
    return c;
}

/* The heights worth showing: of the groups that stayed finite, if any did. */
static struct range heights(const struct curve *curves, size_t n, int log_y)
{
    struct range r = {INFINITY, -INFINITY};
    int steady = 0;
    for (size_t i = 0; i < n; i++)
        steady |= !diverges(&curves[i]);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < curves[i].n; k++) {
            const struct point *p = &curves[i].points[k];
            if ((steady && diverges(&curves[i])) || !p->n || (log_y && !(p->min > 0)))
                continue;
            r.low = fmin(r.low, p->n > 1 ? log_y ? p->min : fmin(p->low, p->mean) : p->mean);
            r.high = fmax(r.high, p->n > 1 ? fmax(p->high, p->mean) : p->mean);
        }
    if (!(r.low < r.high))
        return (struct range){NAN, NAN};
    if (log_y) {
        const double margin = pow(r.high / r.low, 0.04);
        return (struct range){r.low / margin, r.high * margin};
    }
    const double margin = 0.04 * (r.high - r.low);
    return (struct range){r.low - margin, r.high + margin};
}

static void put_range(FILE *f, char axis, struct range r)
{
    fprintf(f, "set %crange [", axis);
    if (isfinite(r.low))
        fprintf(f, "%.9g", r.low);
    fputc(':', f);
    if (isfinite(r.high))
        fprintf(f, "%.9g", r.high);
    fputs("]\n", f);
}

static void put_terminal(FILE *f, enum picture kind, const struct drawing *d)
{
    switch (kind) {
    case PICTURE_PNG:
        fprintf(f, "set terminal pngcairo noenhanced size %d,%d font 'sans,11' "
                "background '#ffffff'\n", d->width, d->height);
        break;
    case PICTURE_SVG:
        fprintf(f, "set terminal svg noenhanced size %d,%d font 'sans,14' "
                "background '#ffffff'\n", d->width, d->height);
        break;
    case PICTURE_TERMINAL:
        fprintf(f, "set terminal dumb noenhanced size %d,%d%s\n", d->width, d->height,
                isatty(STDOUT_FILENO) ? " ansi256" : "");
        break;
    }
}

static void put_axes(FILE *f, enum picture kind, const struct drawing *d,
                     const struct selection *want, struct range y)
{
    for (int i = 0; i < COLOURS; i++)
        fprintf(f, "set linetype %d lc rgb '#%s' pt %d\n", i + 1, colours[i], shapes[i]);
    fprintf(f, "set linetype cycle %d\n", COLOURS);
    if (d->title) {
        fputs("set title ", f);
        quote(f, d->title);
        fputc('\n', f);
    }
    fputs("set xlabel ", f);
    quote(f, d->x_label ? d->x_label : want->x);
    fputs("\nset ylabel ", f);
    d->y_label ? quote(f, d->y_label) : quote_names(f, &want->y);
    fprintf(f, "\nset border 3\nset tics nomirror\n%s%s", d->log_x ? "set logscale x\n" : "",
            d->log_y ? "set logscale y\n" : "");
    if (kind != PICTURE_TERMINAL)
        fputs("set grid lc rgb '#e0e0e0' lw 1 dt 1\n"
              "set key outside right top vertical Left reverse samplen 3 spacing 1.2\n", f);
    else
        fputs("set key outside bottom center horizontal width 2\n", f);
    if (want->group.n) {
        fputs("set key title ", f);
        quote_names(f, &want->group);
        fputc('\n', f);
    }
    put_range(f, 'x', d->x);
    put_range(f, 'y', y);
}

static void put_curve_data(FILE *f, const struct curve *c, size_t id, int log_y)
{
    fprintf(f, "$curve%zu << END\n", id);
    for (size_t i = 0; i < c->n; i++) {
        const struct point *p = &c->points[i];
        if (!p->n || (log_y && !(p->mean > 0)))
            continue;
        const double low = p->n < 2 ? p->mean : log_y && p->low <= 0 ? p->min : p->low;
        fprintf(f, "%.9g %.9g %.9g %.9g\n", p->x, p->mean, low, p->n < 2 ? p->mean : p->high);
    }
    fputs("END\n", f);
}

/* The ends of diverged series, held inside the picture; the third column is a colour. */
static void put_ends(FILE *f, const struct samples *s, struct range y)
{
    fputs("$ends << END\n", f);
    for (size_t i = 0; i < s->n_ends; i++) {
        double v = s->ends[i].value;
        v = v > y.high ? y.high : v < y.low ? y.low : v;
        fprintf(f, "%.9g %.9g 0x%s\n", s->ends[i].x, v, colours[s->ends[i].group % COLOURS]);
    }
    fputs("END\n", f);
}

static void put_label(FILE *f, const struct curve *c, const struct selection *want,
                      const struct samples *s)
{
    const char *group = s->labels[c->group], *y = want->y.name[c->y];
    char *text = want->y.n == 1 ? copy_text(*group ? group : y)
               : *group ? text_of("%s: %s", group, y) : copy_text(y);
    quote(f, text);
    free(text);
}

static void put_plot(FILE *f, enum picture kind, const struct selection *want,
                     const struct samples *s, const struct curve *curves, size_t n)
{
    const char *comma = "plot ";
    for (size_t i = 0; i < n && kind != PICTURE_TERMINAL; i++)
        if (curves[i].bands) {
            fprintf(f, "%s$curve%zu using 1:3:4 with filledcurves fc rgb '#d0%s' notitle", comma,
                    i, colours[curves[i].group % COLOURS]);
            comma = ", ";
        }
    for (size_t i = 0; i < n; i++) {
        const struct curve *c = &curves[i];
        /* A colour for a group, a dash for a y column; without groups a colour for the column. */
        const size_t colour = want->group.n ? c->group : (size_t)c->y;
        fprintf(f, "%s$curve%zu using 1:2 with %s lt %zu dt %d lw 2 title ", comma, i,
                c->numbers <= FEW_POINTS ? "linespoints ps 0.8" : "lines", colour % COLOURS + 1,
                want->group.n ? c->y + 1 : 1);
        put_label(f, c, want, s);
        comma = ", ";
    }
    if (s->n_ends)
        fprintf(f, "%s$ends using 1:2:3 with points pt 2 ps 1.8 lw 3 lc rgb variable notitle, "
                "NaN with points pt 2 ps 1.8 lw 3 lc rgb '#555555' title 'diverged'", comma);
    fputc('\n', f);
}

void draw(FILE *f, enum picture kind, const struct drawing *d, const struct selection *want,
          const struct samples *s, const struct point *points, size_t n)
{
    size_t n_curves;
    struct curve *curves = find_curves(points, n, &n_curves);
    struct range y = heights(curves, n_curves, d->log_y);

    if (!n_curves)
        die("nothing to draw: there is not one number in the rows and columns chosen");
    if (!isnan(d->y.low))
        y.low = d->y.low;
    if (!isnan(d->y.high))
        y.high = d->y.high;
    put_terminal(f, kind, d);
    put_axes(f, kind, d, want, y);
    for (size_t i = 0; i < n_curves; i++)
        put_curve_data(f, &curves[i], i, d->log_y);
    if (s->n_ends)
        put_ends(f, s, y);
    put_plot(f, kind, want, s, curves, n_curves);
    free(curves);
}
