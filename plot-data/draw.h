/* draw.h - a plot of points, as a script for gnuplot. */
#pragma once
#include "plot-data/summary.h"
#include <stdio.h>

enum picture { PICTURE_PNG, PICTURE_SVG, PICTURE_TERMINAL };

struct range { double low, high; };     /* nan: chosen from the points */

struct drawing {
    const char *title, *x_label, *y_label;      /* NULL: none, the columns' names */
    int log_x, log_y;
    struct range x, y;
    int width, height;          /* pixels, or characters in a terminal */
};

/* Write the script: a line for each group and y column, a band where there is an interval, a
 * cross where a series diverged.  Dies when there is not a single number to draw. */
void draw(FILE *script, enum picture kind, const struct drawing *d, const struct selection *want,
          const struct samples *s, const struct point *points, size_t n);
