#include "plot-data/gnuplot.h"
#include "base/base.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Start gnuplot; its standard input and output are the pipes' other ends. */
static pid_t start(int *to, int *from)
{
    char *const argv[] = {"gnuplot", "-", NULL};
    posix_spawn_file_actions_t ends;
    int in[2], out[2];
    pid_t child;

    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || posix_spawn_file_actions_init(&ends)
        || posix_spawn_file_actions_adddup2(&ends, in[0], STDIN_FILENO)
        || posix_spawn_file_actions_adddup2(&ends, out[1], STDOUT_FILENO))
        die("pipe:");
    errno = posix_spawnp(&child, "gnuplot", &ends, NULL, argv, environ);
    if (errno == ENOENT)
        die("gnuplot is not installed; apt install gnuplot-nox, or leave the picture out for TSV");
    if (errno)
        die("gnuplot:");
    posix_spawn_file_actions_destroy(&ends);
    close(in[0]);
    close(out[1]);
    *to = in[1];
    *from = out[0];
    return child;
}

void gnuplot_run(const char *script, size_t n, FILE *out, const char *path)
{
    char block[65536];
    int to, from, status;
    const pid_t child = start(&to, &from);

    /* Should gnuplot end early, its status says so; a signal would end us unheard. */
    void (*const before)(int) = signal(SIGPIPE, SIG_IGN);
    for (ssize_t wrote; n && (wrote = write(to, script, n)) > 0; n -= (size_t)wrote)
        script += wrote;
    close(to);
    signal(SIGPIPE, before);

    for (ssize_t got; (got = read(from, block, sizeof block)) > 0;)
        if (fwrite(block, 1, (size_t)got, out) != (size_t)got)
            die("%s:", path);
    close(from);
    if (waitpid(child, &status, 0) != child || status)
        die("gnuplot failed (wait status %d); its message stands above", status);
}
