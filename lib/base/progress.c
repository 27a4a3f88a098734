#include "base/progress.h"
#include "base/base.h"
#include "base/opt.h"
#include <stdio.h>
#include <time.h>
#include <unistd.h>

double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct progress progress_begin(const char *unit, double first, double total)
{
    return (struct progress){.unit = unit, .total = total, .begin = seconds_now(), .first = first,
                             .on = !opt_quiet && isatty(STDERR_FILENO)};
}

/* 1234567 as 1.23M. */
static void print_short(double v)
{
    const char *suffix = " kMGT";
    while (v >= 1000 && suffix[1]) {
        v /= 1000;
        suffix++;
    }
    fprintf(stderr, v < 10 ? "%.2f" : v < 100 ? "%.1f" : "%.0f", v);
    if (*suffix != ' ')
        fputc(*suffix, stderr);
}

void progress_show(struct progress *p, double done, const char *note)
{
    const double now = seconds_now(), spent = now - p->begin;
    if (!p->on || (p->shown && now - p->shown < 0.1))
        return;
    p->shown = now;
    const double rate = spent > 0 ? (done - p->first) / spent : 0;

    fputc('\r', stderr);
    print_short(done);
    if (p->total > 0) {
        fputc('/', stderr);
        print_short(p->total);
    }
    fprintf(stderr, " %s  ", p->unit);
    print_short(rate);
    fputs("/s", stderr);
    if (p->total > done && rate > 0) {
        const long left = (long)((p->total - done) / rate);
        fprintf(stderr, "  %ld:%02ld:%02ld left", left / 3600, left / 60 % 60, left % 60);
    }
    fprintf(stderr, "  %s\033[K", note ? note : "");
    fflush(stderr);
    line_open = 1;
}

void progress_end(struct progress *p)
{
    if (p->on && line_open)
        fputs("\r\033[K", stderr);
    p->shown = line_open = 0;
}
