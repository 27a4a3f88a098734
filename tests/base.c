/* base.c - the base layer: random numbers, options, tables. */
#include "base/base.h"
#include "base/opt.h"
#include "base/random.h"
#include "base/tsv.h"
#include "tests/tap.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The known answers that Random123 publishes for philox4x32-10 (its tests/kat_vectors). */
static void test_philox(void)
{
    static const struct { uint32_t counter[4], key[2], want[4]; } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const uint32_t *c = known[i].counter, *k = known[i].key;
        const struct random4 r = random_at((uint64_t)k[1] << 32 | k[0], c[3], c[2],
                                           (uint64_t)c[1] << 32 | c[0]);
        ok(!memcmp(r.v, known[i].want, sizeof r.v), "philox known answer %zu", i);
    }
}

/* Moments of n draws against the normal distribution's, at five standard errors:
 * variance of x^k's mean is (E x^2k - (E x^k)^2) / n, and E x^2, 4, 6, 8 are 1, 3, 15, 105. */
static void test_normal(void)
{
    enum { N = 1000000 };
    static const double moment[5] = {1, 0, 1, 0, 3}, spread[5] = {0, 1, 2, 15, 96};
    double sum[5] = {0}, neighbours = 0, before = 0;
    for (int i = 0; i < N; i++) {
        const double x = random_normal(7, random_site("test"), 0, (uint64_t)i);
        double power = 1;
        for (int k = 0; k < 5; k++, power *= x)
            sum[k] += power;
        neighbours += x * before;
        before = x;
    }
    for (int k = 1; k < 5; k++)
        ok(fabs(sum[k] / N - moment[k]) < 5 * sqrt(spread[k] / N), "normal moment %d: %.4f", k,
           sum[k] / N);
    ok(fabs(neighbours / N) < 5 / sqrt(N), "neighbours are uncorrelated: %.5f", neighbours / N);
}

static void test_below(void)
{
    enum { N = 60000, SIDES = 6 };
    int count[SIDES] = {0};
    double chi = 0;
    for (int i = 0; i < N; i++)
        count[random_below(3, 1, 0, (uint64_t)i, SIDES)]++;
    for (int i = 0; i < SIDES; i++)
        chi += pow(count[i] - N / SIDES, 2) / (N / SIDES);
    ok(chi < 25.7, "six sides come up equally often: chi square %.1f", chi);  /* p = 1e-4 at 5 */
    int inside = 1;
    for (uint64_t i = 0; i < 1000; i++)
        inside &= random_below(3, 2, 0, i, UINT64_MAX / 3 * 2) < UINT64_MAX / 3 * 2
               && !random_below(3, 2, 0, i, 1);
    ok(inside, "never outside the range, large or of one");
}

static int flag, number, choice;
static long long count = 5;
static double real = 0.1;
static const char *text;
static const char *const choices[] = {"none", "post", "pre", NULL};
static const struct opt rows[] = {
    {'f', "flag", OPT_FLAG, &flag, 0, 0, "a switch", NULL},
    {'n', "number", OPT_INT, &number, -3, 2147483647, "a number", NULL},
    {'c', "count", OPT_COUNT, &count, 0, 0x1p63, "a count", NULL},
    {'r', "real", OPT_REAL, &real, -HUGE_VAL, HUGE_VAL, "a real", NULL},
    {'t', "text", OPT_TEXT, &text, 0, 0, "a text", NULL},
    {0, "choice", OPT_CHOICE, &choice, 0, 0, "a choice", choices},
    {0},
};
static const struct opt *const tables[] = {rows, NULL};

static int reads_back(const char *name, const char *given, const char *want)
{
    const struct opt *o = opt_find(rows, name);
    const char *why = opt_set(o, given);
    char *value = opt_value(o);
    char *again = NULL;
    int good = !why && value && !strcmp(value, want);
    if (good && !opt_set(o, value))
        again = opt_value(o);
    good = good && again && !strcmp(again, want);
    if (o->kind == OPT_TEXT)
        text = NULL;
    free(value);
    free(again);
    return good;
}

static void test_values(void)
{
    static const char *const good[][3] = {
        {"flag", "1", "1"}, {"number", "1e3", "1000"}, {"number", "2147483647", "2147483647"},
        {"number", "-3", "-3"}, {"count", "9223372036854775807", "9223372036854775807"},
        {"count", "1.5e6", "1500000"}, {"real", "0.1", "0.1"}, {"real", "1e-300", "1e-300"},
        {"real", "0.30000000000000004", "0.30000000000000004"}, {"real", "3e-2", "0.03"},
        {"text", "a b\tc", "a b\tc"}, {"text", "", ""}, {"choice", "pre", "pre"},
    };
    static const char *const bad[][2] = {
        {"flag", "yes"}, {"number", ""}, {"number", "x"}, {"number", "3x"}, {"number", "1.5"},
        {"number", "nan"}, {"number", "inf"}, {"number", "-4"}, {"number", "2147483648"},
        {"count", "-1"}, {"count", "9223372036854775808"}, {"count", "1e17"}, {"real", "nan"},
        {"real", "1e999"}, {"real", "0.1 "}, {"real", "1,5"}, {"choice", "Pre"}, {"choice", ""},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ok(reads_back(good[i][0], good[i][1], good[i][2]), "--%s '%s' is taken and given back",
           good[i][0], good[i][1]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ok(opt_set(opt_find(rows, bad[i][0]), bad[i][1]) != NULL, "--%s '%s' is refused",
           bad[i][0], bad[i][1]);
    ok(!opt_find(rows, "absent"), "a row that is not there is not found");
}

struct line { int argc; char *argv[8]; };

static void parse(void *arg)
{
    struct line *l = arg;
    opt_parse(l->argc, l->argv, tables, "[option ...]");
}

static void test_parse(void)
{
    static struct line good = {8, {"bin/try", "-fn", "7", "one", "--real=2", "-t", "it's", "two"}};
    static const struct { struct line line; const char *want; } bad[] = {
        {{2, {"bin/try", "-Z"}}, "try: -Z: no such option; see try -h\n"},
        {{2, {"bin/try", "-Zf"}}, "try: -Z: no such option; see try -h\n"},
        {{2, {"bin/try", "--zero"}}, "try: --zero: no such option; see try -h\n"},
        {{2, {"bin/try", "--flag=3"}}, "try: --flag=3: takes no value; see try -h\n"},
        {{2, {"bin/try", "-n"}}, "try: -n: a value is missing; see try -h\n"},
        {{2, {"bin/try", "--real"}}, "try: --real: a value is missing; see try -h\n"},
        {{3, {"bin/try", "-n", "-4"}},
         "try: --number: '-4' is not an integer in [-3, 2147483647]\n"},
        {{3, {"bin/try", "--choice", "x"}}, "try: --choice: 'x' is none of none, post, pre\n"},
    };
    char heard[512];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct line l = bad[i].line;
        const int status = exit_status(parse, &l, heard, sizeof heard);
        const int length = (int)strcspn(heard, "\n");
        ok(status == 2 && !strcmp(heard, bad[i].want), "a bad line exits with 2: %.*s", length,
           heard);
    }
    const int first = opt_parse(good.argc, good.argv, tables, "[option ...]");
    ok(first == 6 && !strcmp(good.argv[6], "one") && !strcmp(good.argv[7], "two"),
       "operands may stand between options");
    ok(flag && number == 7 && real == 2 && !strcmp(text, "it's"), "the options are set");
    ok(opt_given("number") && !opt_given("count"), "what was given is known");
    ok(!strcmp(opt_command, "try -fn 7 one --real=2 -t 'it'\\''s' two"), "the command is kept: %s",
       opt_command);
}

/* A float survives the way through a table, whatever its bits. */
static void test_tsv(void)
{
    int wrong = 0;
    for (uint64_t i = 0; i < 100000; i++) {
        const uint32_t bits = random_word(1, 2, 3, i);
        char cell[64] = "";
        float v, back;
        memcpy(&v, &bits, sizeof v);
        FILE *f = fmemopen(cell, sizeof cell, "w");
        tsv_number(f, (double)v);
        fclose(f);
        back = strtof(cell, NULL);
        wrong += isnan(v) ? !isnan(back) || strcmp(cell, "nan") : back != v;
    }
    ok(!wrong, "100000 floats read back from a table; %d differ", wrong);

    char *note = NULL;
    size_t size;
    FILE *f = open_memstream(&note, &size);
    tsv_note(f, "file", "two\nlines");
    tsv_note(f, "none", NULL);
    tsv_cell(f, -HUGE_VAL);
    tsv_cell(f, 1e6);
    fclose(f);
    ok(!strcmp(note, "# file=two lines\n\t-inf\t1000000"), "notes hold one line, cells are plain");
    free(note);
}

int main(void)
{
    test_philox();
    test_normal();
    test_below();
    test_values();
    test_parse();
    test_tsv();
    free(opt_command);
    return tap_end();
}
