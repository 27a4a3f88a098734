#include "base/opt.h"
#include "base/base.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int opt_quiet, opt_threads;
char *opt_command;

enum { MAX_OPTS = 128, LONG_ONLY = 256 /* above every letter */, VERSION = LONG_ONLY + MAX_OPTS };

static const struct opt common[] = {
    {'j', "threads", OPT_INT, &opt_threads, 0, 1024, "threads; 0: one for each core", NULL},
    {'q', "quiet", OPT_FLAG, &opt_quiet, 0, 0, "no progress line", NULL},
    {0},
};

static const struct opt *given[MAX_OPTS];
static int n_given;

static void print_option(FILE *f, const struct opt *o)
{
    char left[64];
    if (o->letter)
        snprintf(left, sizeof left, "-%c, --%s", o->letter, o->name);
    else
        snprintf(left, sizeof left, "    --%s", o->name);
    fprintf(f, "  %-24s %s", left, o->help);
    if (o->kind == OPT_CHOICE) {
        fputs(": ", f);
        for (int i = 0; o->names[i]; i++)
            fprintf(f, "%s%s", i ? ", " : "", o->names[i]);
    }
    char *value = o->kind == OPT_FLAG ? NULL : opt_value(o);
    if (value)
        fprintf(f, " [%s]", value);
    fputc('\n', f);
    free(value);
}

static void print_usage(const struct opt *const tables[], const char *synopsis)
{
    printf("usage: %s %s\n", program, synopsis);
    for (; *tables; tables++)
        for (const struct opt *o = *tables; o->name; o++)
            print_option(stdout, o);
    for (const struct opt *o = common; o->name; o++)
        print_option(stdout, o);
    printf("  -h, --help               this text\n"
           "      --version            the version\n");
}

/* A whole number, also as 1e6 or 2.5e3 where a double holds it exactly. */
static int read_whole(const char *text, long long *v)
{
    char *end;
    errno = 0;
    *v = strtoll(text, &end, 10);
    if (end > text && !*end && !errno)
        return 1;
    errno = 0;
    const double d = strtod(text, &end);
    if (end == text || *end || errno || d != floor(d) || !(fabs(d) <= 0x1p53))
        return 0;
    *v = (long long)d;
    return 1;
}

static int read_real(const char *text, double *v)
{
    char *end;
    errno = 0;
    *v = strtod(text, &end);
    return end > text && !*end && !errno;
}

static const char *set_number(const struct opt *o, const char *text)
{
    static char why[128];
    const int whole = o->kind != OPT_REAL;
    long long n = 0;
    double v = 0;

    const int good = whole ? read_whole(text, &n) : read_real(text, &v);
    if (whole)
        v = (double)n;
    if (!good || !(v >= o->min && v <= o->max)) {
        snprintf(why, sizeof why, "is not %s in [%.10g, %.10g]", whole ? "an integer" : "a number",
                 o->min, o->max);
        return why;
    }
    if (o->kind == OPT_INT)
        *(int *)o->value = (int)n;
    else if (o->kind == OPT_COUNT)
        *(long long *)o->value = n;
    else
        *(double *)o->value = v;
    return NULL;
}

static const char *set_choice(const struct opt *o, const char *text)
{
    static char why[512];
    size_t at = (size_t)snprintf(why, sizeof why, "is none of");
    for (int i = 0; o->names[i]; i++) {
        if (!strcmp(o->names[i], text)) {
            *(int *)o->value = i;
            return NULL;
        }
        if (at < sizeof why)
            at += (size_t)snprintf(why + at, sizeof why - at, "%s %s", i ? "," : "", o->names[i]);
    }
    return why;
}

const char *opt_set(const struct opt *o, const char *text)
{
    switch (o->kind) {
    case OPT_FLAG:
        if (strcmp(text, "0") && strcmp(text, "1"))
            return "is neither 0 nor 1";
        *(int *)o->value = *text == '1';
        return NULL;
    case OPT_TEXT:
        *(const char **)o->value = text;
        return NULL;
    case OPT_CHOICE:
        return set_choice(o, text);
    default:
        return set_number(o, text);
    }
}

char *opt_value(const struct opt *o)
{
    switch (o->kind) {
    case OPT_FLAG:
    case OPT_INT:    return text_of("%d", *(int *)o->value);
    case OPT_COUNT:  return text_of("%lld", *(long long *)o->value);
    case OPT_TEXT:   return *(char **)o->value ? copy_text(*(char **)o->value) : NULL;
    case OPT_CHOICE: return copy_text(o->names[*(int *)o->value]);
    case OPT_REAL:   break;
    }
    /* The shortest form that reads back as the same number. */
    for (int digits = 6; digits < 17; digits++) {
        char *text = text_of("%.*g", digits, *(double *)o->value);
        if (strtod(text, NULL) == *(double *)o->value)
            return text;
        free(text);
    }
    return text_of("%.17g", *(double *)o->value);
}

const struct opt *opt_find(const struct opt *table, const char *name)
{
    for (; table->name; table++)
        if (!strcmp(table->name, name))
            return table;
    return NULL;
}

int opt_given(const char *name)
{
    for (int i = 0; i < n_given; i++)
        if (!strcmp(given[i]->name, name))
            return 1;
    return 0;
}

/* Append a word, quoted where a shell would otherwise change it. */
static void quote(FILE *f, const char *word)
{
    static const char plain[] = "-_=+./,:@%";
    const char *c = word;
    while (isalnum((unsigned char)*c) || (*c && strchr(plain, *c)))
        c++;
    if (*word && !*c) {
        fputs(word, f);
        return;
    }
    fputc('\'', f);
    for (c = word; *c; c++)
        if (*c == '\'')
            fputs("'\\''", f);
        else
            fputc(*c == '\n' || *c == '\t' ? ' ' : *c, f);
    fputc('\'', f);
}

static void keep_command(int argc, char **argv)
{
    size_t size;
    FILE *f = open_memstream(&opt_command, &size);
    if (!f)
        die("out of memory");
    fputs(program, f);
    for (int i = 1; i < argc; i++) {
        fputc(' ', f);
        quote(f, argv[i]);
    }
    if (fclose(f))
        die("out of memory");
}

static void take(const struct opt *o, const char *text)
{
    const char *why = opt_set(o, o->kind == OPT_FLAG ? "1" : text);
    if (why)
        misuse("--%s: '%s' %s", o->name, text, why);
    if (n_given < MAX_OPTS && !opt_given(o->name))
        given[n_given++] = o;
}

/* What getopt_long() found wrong: it leaves the letter in optopt, or an index, or 0. */
__attribute__((noreturn)) static void refuse(char **argv, int c)
{
    const char *why = c == ':' ? "a value is missing"
                    : optopt >= LONG_ONLY ? "takes no value" : "no such option";
    const char letter[] = {'-', (char)optopt, 0};
    misuse("%s: %s; see %s -h", optopt && optopt < LONG_ONLY ? letter : argv[optind - 1], why,
           program);
}

/* A file opened later must not become a standard stream that was closed: those
 * give errors instead. */
static void fill_closed_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

int opt_parse(int argc, char **argv, const struct opt *const tables[], const char *synopsis)
{
    struct option longs[MAX_OPTS + 3] = {{"help", no_argument, NULL, 'h'},
                                         {"version", no_argument, NULL, VERSION}};
    const struct opt *rows[MAX_OPTS];
    char shorts[2 * MAX_OPTS + 4] = ":h", *s = shorts + 2;
    int n = 0;
    const char *slash = strrchr(argv[0], '/');

    fill_closed_streams();
    program = slash ? slash + 1 : argv[0];
    keep_command(argc, argv);
    for (int t = -1; t < 0 || tables[t]; t++)
        for (const struct opt *o = t < 0 ? common : tables[t]; o->name; o++, n++) {
            if (n >= MAX_OPTS)
                die("more than %d options", MAX_OPTS);
            rows[n] = o;
            longs[n + 2] = (struct option){o->name, o->kind != OPT_FLAG, NULL, LONG_ONLY + n};
            if (o->letter)
                *s++ = (char)o->letter;
            if (o->letter && o->kind != OPT_FLAG)
                *s++ = ':';
        }
    for (int c; (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        int i = c >= LONG_ONLY ? c - LONG_ONLY : 0;
        if (c == 'h') {
            print_usage(tables, synopsis);
            exit(finish());
        }
        if (c == VERSION) {
            printf("keel %s %s\n", program, KEEL_VERSION);
            exit(finish());
        }
        if (c == '?' || c == ':')
            refuse(argv, c);
        if (c < LONG_ONLY)
            while (rows[i]->letter != c)
                i++;
        take(rows[i], optarg);
    }
    return optind;
}
