/* growth.h - by which law does a quantity grow with depth? */
#pragma once

struct growth {
    double rate;                            /* C_fit: e^slope - 1 of ln y against the index */
    double exponential, linear, quadratic;  /* R^2 of the least-squares fits, of y itself */
};

/* Of y[0] .. y[n - 1] > 0 at equal distances; nan where there are too few points, or a y that is
 * no positive number.  The exponential is fitted to ln y; its R^2 is of y, as the others', and
 * may be negative. */
struct growth growth_of(const double *y, int n);
