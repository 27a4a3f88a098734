/* data - tokens a second of the data layer: token text parsed and written, and windows read.
 *
 * data FILE DATA prints a line for each: what, millions of tokens a second and a second of the
 * CPU's time (which tells on a busy machine), medians of five. */
#include "base/base.h"
#include "base/progress.h"
#include "data/batch.h"
#include <stdlib.h>
#include <time.h>

enum { REPEATS = 5, BATCH = 16, TIME = 1024 };

static int ascending(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

/* run gives the number of tokens. */
static void report(const char *what, double (*run)(const char *), const char *arg)
{
    double wall[REPEATS], cpu[REPEATS];
    for (int i = 0; i < REPEATS; i++) {
        const double begin = seconds_now();
        const clock_t cpu_begin = clock();
        const double tokens = run(arg);
        wall[i] = tokens / (seconds_now() - begin);
        cpu[i] = tokens / ((double)(clock() - cpu_begin) / CLOCKS_PER_SEC);
    }
    qsort(wall, REPEATS, sizeof *wall, ascending);
    qsort(cpu, REPEATS, sizeof *cpu, ascending);
    printf("%s\t%.0f\t%.0f\n", what, wall[REPEATS / 2] / 1e6, cpu[REPEATS / 2] / 1e6);
    fflush(stdout);
}

/* Read a stream; with `out`, write it again. */
static double copy(const char *path, FILE *out)
{
    FILE *f = fopen(path, "rb");
    struct token_reader *r;
    struct token_kind kind;
    struct token_part part;
    struct token_writer *w = NULL;
    const char *why;
    double tokens = 0;
    int more = 1;

    if (!f)
        die("%s:", path);
    why = tokens_open(f, &r, &kind);
    if (!why && out)
        w = tokens_begin(out, &kind);
    while (!why && !(why = tokens_part(r, &part, &more)) && more) {
        tokens += (double)part.n;
        if (w)
            tokens_side(w, part.ids, part.n, part.side);
        if (w && part.end)
            tokens_end_document(w);
    }
    if (why)
        die("%s: %s", path, why);
    if (w)
        tokens_end(w);
    tokens_close(r);
    fclose(f);
    return tokens;
}

static double parse(const char *path)
{
    return copy(path, NULL);
}

static double parse_and_write(const char *path)
{
    FILE *null = fopen("/dev/null", "wb");
    if (!null)
        die("/dev/null:");
    const double tokens = copy(path, null);
    fclose(null);
    return tokens;
}

static enum window_order order;

/* As many windows as the set has, of a set that was just opened: nothing is decoded yet. */
static double windows(const char *data)
{
    struct shards *s = shards_open(data, "train");
    struct batches *b = batches_open(s, BATCH, TIME, order, NULL, 1, 0);
    const uint64_t n = batches_windows(b) / BATCH;
    for (uint64_t i = 0; i < n; i++)
        batches_next(b);
    batches_close(b);
    shards_close(s);
    return (double)n * BATCH * TIME;
}

int main(int argc, char **argv)
{
    program = "data";
    if (argc != 3)
        misuse("data FILE-OF-TOKENS DATA");
    report("parse token text", parse, argv[1]);
    report("parse and write token text", parse_and_write, argv[1]);
    order = WINDOWS_IN_ORDER;
    report("windows in order", windows, argv[2]);
    order = WINDOWS_PERMUTED;
    report("windows permuted", windows, argv[2]);
    order = WINDOWS_RANDOM;
    report("windows at random", windows, argv[2]);
    return finish();
}
