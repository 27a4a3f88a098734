/* outfile.c - publishing files and folders: written beside their place under
 * the name .NAME.PID.tmp, synced, renamed. */
#include "base/base.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Temporary names begun and not committed. */
enum { MAX_BEGUN = 64 };
static char *begun[MAX_BEGUN];

static void remove_begun(void)
{
    for (int i = 0; i < MAX_BEGUN; i++)
        if (begun[i])
            remove_folder(begun[i]);
}

/* The same in a signal handler, by calls that are safe there, then the signal's own end. */
static void remove_and_end(int sig)
{
    for (int i = 0; i < MAX_BEGUN; i++)
        if (begun[i] && unlink(begun[i]) && errno == EISDIR) {
            const pid_t child = fork();
            if (!child) {
                execl("/bin/rm", "rm", "-rf", "--", begun[i], (char *)NULL);
                _exit(EXIT_FAILED);
            }
            waitpid(child, NULL, 0);
        }
    signal(sig, SIG_DFL);
    raise(sig);
}

/* Signals that a program catches itself, or was told to ignore, stay as they are. */
static void clean_up_at_the_end(void)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
        struct sigaction now;
        if (!sigaction(ending[i], NULL, &now) && now.sa_handler == SIG_DFL)
            signal(ending[i], remove_and_end);
    }
    atexit(remove_begun);
}

static void note_begun(const char *temp)
{
    static int ready;
    if (!ready++)
        clean_up_at_the_end();
    for (int i = 0; i < MAX_BEGUN; i++)
        if (!begun[i]) {
            begun[i] = copy_text(temp);
            return;
        }
    die("more than %d files begun at once", MAX_BEGUN);
}

static void forget_begun(const char *temp)
{
    for (int i = 0; i < MAX_BEGUN; i++)
        if (begun[i] && !strcmp(begun[i], temp)) {
            char *name = begun[i];
            begun[i] = NULL;
            free(name);
        }
}

/* Remove `path` if it is named .NAME.PID.tmp, of a program that runs no more. */
static void remove_stale(const char *path, void *name)
{
    const char *own = strrchr(path, '/') + 1;
    const size_t n = strlen(name);
    if (own[0] != '.' || strncmp(own + 1, name, n) || own[n + 1] != '.')
        return;
    char *end;
    const char *digits = own + n + 2;
    const long pid = strtol(digits, &end, 10);
    if (end > digits && !strcmp(end, ".tmp") && kill((pid_t)pid, 0) && errno == ESRCH)
        remove_folder(path);
}

/* FOLDER/.NAME.PID.tmp, in path's folder so that the rename stays on one disk. */
static char *temp_beside(const char *path)
{
    char *folder = copy_text(path);
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/')
        folder[--n] = 0;
    char *slash = strrchr(folder, '/');
    char *name = copy_text(slash ? slash + 1 : folder);
    if (slash)
        slash[1] = 0;
    char *temp = text_of("%s.%s.%ld.tmp", slash ? folder : "", name, (long)getpid());
    each_entry(slash ? folder : ".", remove_stale, name);
    free(folder);
    free(name);
    return temp;
}

/* Some file systems cannot sync a folder; that is no failure of ours. */
static void sync_path(const char *path)
{
    const int fd = open(path, O_RDONLY);
    if (fd < 0 || (fsync(fd) && errno != EINVAL) || close(fd))
        die("%s:", path);
}

static void sync_tree(const char *path, void *unused)
{
    (void)unused;
    if (each_entry(path, sync_tree, NULL) < 0 && errno != ENOTDIR)
        die("%s:", path);
    sync_path(path);
}

static void sync_parent(const char *path)
{
    char *dir = copy_text(path), *slash;
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        dir[--n] = 0;
    slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir] = 0;
    sync_path(slash ? dir : ".");
    free(dir);
}

struct outfile *outfile_open(const char *path)
{
    struct outfile *o = zalloc(1, sizeof *o);
    struct stat st;
    const int there = !stat(path, &st);
    char *target = there ? realpath(path, NULL) : NULL;     /* what a link points to */

    if (there && S_ISDIR(st.st_mode))
        die("%s: is a folder, and a file is to be written", path);
    o->path = target ? target : copy_text(path);
    if (!there || S_ISREG(st.st_mode))
        o->temp = temp_beside(o->path);
    o->f = fopen(o->temp ? o->temp : o->path, "wb");
    if (!o->f)
        die("%s:", path);
    if (o->temp)
        note_begun(o->temp);
    return o;
}

void outfile_commit(struct outfile *o)
{
    errno = EIO;            /* the reason, where an earlier write failed and flush does not */
    if (ferror(o->f) | fflush(o->f) || (o->temp && fsync(fileno(o->f))) || fclose(o->f)
        || (o->temp && rename(o->temp, o->path)))
        die("%s:", o->path);
    if (o->temp) {
        sync_parent(o->path);
        forget_begun(o->temp);
    }
    free(o->path);
    free(o->temp);
    free(o);
}

char *outdir_begin(const char *path)
{
    const int entries = each_entry(path, NULL, NULL);
    if (entries > 0)
        die("%s: exists and is not empty; remove it or name another folder", path);
    if (entries < 0 && errno != ENOENT)
        die("%s:", path);
    char *temp = temp_beside(path);
    remove_folder(temp);
    if (mkdir(temp, 0777))
        die("%s:", path);
    note_begun(temp);
    return temp;
}

void outdir_commit(char *temp, const char *path)
{
    sync_tree(temp, NULL);
    if (rename(temp, path))
        die("%s:", path);
    sync_parent(path);
    forget_begun(temp);
    free(temp);
}
