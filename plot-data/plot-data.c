/* plot-data - tables in; grouped, aggregated tables or a plot out. */
#include "base/base.h"
#include "base/file.h"
#include "base/tsv.h"
#include "plot-data/draw.h"
#include "plot-data/gnuplot.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *x, *y, *group, *where, *output, *png, *svg, *size, *x_range, *y_range;
static struct selection want;
static struct drawing drawing;
static int terminal;

static const struct opt options[] = {
    {'x', "x", OPT_TEXT, &x, 0, 0, "column of the horizontal axis; none: how series end", NULL},
    {'y', "y", OPT_TEXT, &y, 0, 0, "columns to aggregate, set off by commas", NULL},
    {'g', "group", OPT_TEXT, &group, 0, 0, "columns or '# key=' notes that make a group", NULL},
    {'w', "where", OPT_TEXT, &where, 0, 0, "KEY=VALUE,...: keep rows that have these", NULL},
    {'o', "output", OPT_TEXT, &output, 0, 0, "TSV file; standard output without it", NULL},
    {0, "png", OPT_TEXT, &png, 0, 0, "draw a PNG file", NULL},
    {0, "svg", OPT_TEXT, &svg, 0, 0, "draw an SVG file", NULL},
    {0, "terminal", OPT_FLAG, &terminal, 0, 0, "draw in characters on standard output", NULL},
    {0, "smooth", OPT_INT, &want.smooth, 0, 1e6, "mean of the last N values; 0: none", NULL},
    {0, "decay", OPT_REAL, &want.decay, 0, 0.999999, "exponential mean; 0: none", NULL},
    {0, "log-x", OPT_FLAG, &drawing.log_x, 0, 0, "logarithmic horizontal axis", NULL},
    {0, "log-y", OPT_FLAG, &drawing.log_y, 0, 0, "logarithmic vertical axis", NULL},
    {0, "title", OPT_TEXT, &drawing.title, 0, 0, "above the plot", NULL},
    {0, "x-label", OPT_TEXT, &drawing.x_label, 0, 0, "of the axis; the column's name", NULL},
    {0, "y-label", OPT_TEXT, &drawing.y_label, 0, 0, "of the axis; the columns' names", NULL},
    {0, "x-range", OPT_TEXT, &x_range, 0, 0, "LOW:HIGH of the axis; either may be left out", NULL},
    {0, "y-range", OPT_TEXT, &y_range, 0, 0, "the same", NULL},
    {0, "size", OPT_TEXT, &size, 0, 0, "WIDTHxHEIGHT: pixels [900x560], or characters", NULL},
    {0},
};

static struct names split(const char *list, const char *option)
{
    struct names names = {0};
    char *rest = list ? copy_text(list) : NULL;
    for (char *name; (name = strsep(&rest, ","));) {
        if (names.n == MAX_NAMES)
            misuse("%s: more than %d names", option, MAX_NAMES);
        if (!*name)
            misuse("%s: '%s' holds an empty name", option, list);
        names.name[names.n++] = name;
    }
    return names;
}

/* "a=1,b=2" into names and what they must equal. */
static void split_where(void)
{
    want.where = split(where, "--where");
    want.equals.n = want.where.n;
    for (int i = 0; i < want.where.n; i++) {
        char *equals = strchr(want.where.name[i], '=');
        if (!equals)
            misuse("--where: '%s' is not KEY=VALUE", want.where.name[i]);
        *equals = 0;
        want.equals.name[i] = equals + 1;
    }
}

static struct range parse_range(const char *text, const char *option, int is_log)
{
    struct range r = {NAN, NAN};
    char *colon = text ? strchr(text, ':') : NULL, *end;
    if (!text)
        return r;
    if (!colon)
        misuse("%s: '%s' is not LOW:HIGH", option, text);
    if (colon != text && (r.low = strtod(text, &end), end != colon || !isfinite(r.low)))
        misuse("%s: '%s' does not begin with a number", option, text);
    if (colon[1] && (r.high = strtod(colon + 1, &end), *end || !isfinite(r.high)))
        misuse("%s: '%s' does not end with a number", option, text);
    if (r.low >= r.high || (is_log && (r.low <= 0 || r.high <= 0)))
        misuse("%s: '%s' is empty, or not above 0 on a logarithmic axis", option, text);
    return r;
}

static void settle_options(void)
{
    char more;
    if (!y)
        misuse("-y is needed: the columns to aggregate; see %s -h", program);
    want.x = x;
    want.y = split(y, "--y");
    want.group = split(group, "--group");
    split_where();
    if (!x && (png || svg || terminal))
        misuse("-x is needed to draw: the column of the horizontal axis");
    drawing.x = parse_range(x_range, "--x-range", drawing.log_x);
    drawing.y = parse_range(y_range, "--y-range", drawing.log_y);
    if (size && (sscanf(size, "%dx%d%c", &drawing.width, &drawing.height, &more) != 2
                 || drawing.width < 20 || drawing.height < 10 || drawing.width > 10000
                 || drawing.height > 10000))
        misuse("--size: '%s' is not WIDTHxHEIGHT between 20x10 and 10000x10000", size);
}

static char *read_all(const char *path, size_t *n)
{
    FILE *f = strcmp(path, "-") ? fopen(path, "rb") : stdin;
    char *bytes = NULL;
    size_t room = 0;
    *n = 0;
    if (!f)
        die("%s:", path);
    for (size_t got = 1; got; *n += got) {
        if (room - *n < 65536) {
            room = 2 * room + 131072;
            bytes = realloc(bytes, room);
            if (!bytes)
                die("out of memory");
        }
        got = fread(bytes + *n, 1, room - *n, f);
    }
    if (ferror(f))
        die("%s:", path);
    if (f != stdin)
        fclose(f);
    return bytes;
}

static void read_tables(struct samples *s, const char *path)
{
    size_t n;
    char *bytes = read_all(path, &n), *at = bytes;
    long line = 0;
    do {
        struct table t;
        const char *err = table_parse(&t, &at, bytes + n, &line);
        if (err)
            die("%s:%ld: %s", path, line, err);
        samples_add(s, &want, &t, path);
        table_free(&t);
    } while (at < bytes + n);
    free(bytes);
}

static void write_table(FILE *f, const struct samples *s, const struct point *p, size_t n)
{
    static const struct opt *const tables[] = {options, NULL};
    tsv_provenance(f, tables);
    for (int i = 0; i < want.group.n; i++)
        fprintf(f, "%s\t", want.group.name[i]);
    fprintf(f, "y\t%s%sn\tmean\tsd\tlow\thigh\tmin\tmax\tdiverged\n", want.x ? want.x : "",
            want.x ? "\t" : "");
    for (size_t i = 0; i < n; i++) {
        fprintf(f, "%s%s%s", s->labels[p[i].group], want.group.n ? "\t" : "",
                want.y.name[p[i].y]);
        if (want.x)
            tsv_cell(f, p[i].x);
        tsv_cell(f, (double)p[i].n);
        const double cells[] = {p[i].mean, p[i].sd, p[i].low, p[i].high, p[i].min, p[i].max};
        for (size_t k = 0; k < sizeof cells / sizeof *cells; k++)
            tsv_cell(f, cells[k]);
        tsv_cell(f, (double)p[i].diverged);
        fputc('\n', f);
    }
}

/* Draw into a file, or on standard output. */
static void picture(enum picture kind, const char *path, const struct samples *s,
                    const struct point *points, size_t n)
{
    struct drawing d = drawing;
    struct winsize w;
    char *script;
    size_t length;
    FILE *f = open_memstream(&script, &length);
    if (!f)
        die("out of memory");
    if (!size && kind != PICTURE_TERMINAL)
        d.width = 900, d.height = 560;
    else if (!size && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col >= 20 && w.ws_row >= 10)
        d.width = w.ws_col, d.height = w.ws_row - 1;
    else if (!size)
        d.width = 79, d.height = 24;
    draw(f, kind, &d, &want, s, points, n);
    fclose(f);
    struct outfile *o = path ? outfile_open(path) : NULL;
    gnuplot_run(script, length, o ? o->f : stdout, path ? path : "stdout");
    if (o)
        outfile_commit(o);
    free(script);
}

int main(int argc, char **argv)
{
    static const struct opt *const tables[] = {options, NULL};
    struct samples s = {0};
    size_t n;

    int first = opt_parse(argc, argv, tables, "[-x COLUMN] -y COLUMN,... [option ...] [TABLE ...]");
    settle_options();
    if (first == argc)
        read_tables(&s, "-");
    for (; first < argc; first++)
        read_tables(&s, argv[first]);

    struct point *points = summarise(&s, &n);
    if (png)
        picture(PICTURE_PNG, png, &s, points, n);
    if (svg)
        picture(PICTURE_SVG, svg, &s, points, n);
    if (terminal)
        picture(PICTURE_TERMINAL, NULL, &s, points, n);
    if (output) {
        struct outfile *o = outfile_open(output);
        write_table(o->f, &s, points, n);
        outfile_commit(o);
    } else if (!png && !svg && !terminal) {
        write_table(stdout, &s, points, n);
    }
    free(points);
    samples_free(&s);
    return finish();
}
