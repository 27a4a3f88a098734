/* progress.h - one line on a terminal: how far, how fast, how long still. */
#pragma once

struct progress {
    const char *unit;           /* "tokens", "bytes", "steps" */
    double total;               /* 0: not known */
    double begin, shown;        /* seconds; 0: not begun */
    double first;               /* what was done before this run (a resume) */
    int on;                     /* stderr is a terminal and -q was not given */
};

struct progress progress_begin(const char *unit, double first, double total);
/* Redraw at most ten times a second; `note` ends the line ("loss 3.21"), or is NULL. */
void progress_show(struct progress *p, double done, const char *note);
/* Clear the line. */
void progress_end(struct progress *p);
/* Seconds of a monotonic clock. */
double seconds_now(void);
