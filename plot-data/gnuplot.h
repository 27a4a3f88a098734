/* gnuplot.h - gnuplot as a child process: a script in, a picture out. */
#pragma once
#include <stddef.h>
#include <stdio.h>

/* Feed the script through a pipe and copy what gnuplot prints to `out`; dies with the reason,
 * naming `path`, the file that `out` is, when it cannot be written.  The script's only drawing
 * command must be its last line: before that gnuplot prints nothing, so neither side waits. */
void gnuplot_run(const char *script, size_t n, FILE *out, const char *path);
