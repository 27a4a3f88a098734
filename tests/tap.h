/* tap.h - what a C test prints: one line "ok" or "not ok" a check, the number at the end. */
#pragma once
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3))) static inline void ok(int good, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    printf("%s %d ", good ? "ok" : "not ok", ++tap_count);
    vprintf(fmt, ap);
    printf("\n");
    va_end(ap);
    fflush(stdout);
    tap_failed += !good;
}

/* main's last line: `return tap_end();` */
static inline int tap_end(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed > 0;
}

/* The exit status of f(arg) in a process of its own, its stderr left in `text`;
 * 128 + the signal that ended it; -1 if f returns. */
static inline int exit_status(void (*f)(void *), void *arg, char *text, size_t room)
{
    int ends[2], status;
    size_t n = 0;
    fflush(stdout);
    if (pipe(ends))
        return -2;
    const pid_t child = fork();
    if (!child) {
        dup2(ends[1], STDERR_FILENO);
        f(arg);
        _exit(255);
    }
    close(ends[1]);
    for (ssize_t got; n + 1 < room && (got = read(ends[0], text + n, room - 1 - n)) > 0;)
        n += (size_t)got;
    text[n] = 0;
    close(ends[0]);
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        return 128 + WTERMSIG(status);
    return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}
