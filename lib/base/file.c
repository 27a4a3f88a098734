#include "base/file.h"
#include "base/base.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names begun and not committed, for remove_begun(). */
static char **begun;
static size_t n_begun, begun_room;

static void remove_begun(void)
{
    for (size_t i = 0; i < n_begun; i++)
        if (begun[i] && unlink(begun[i]) && errno == EISDIR)
            remove_folder(begun[i]);
}

static void note_begun(const char *temp)
{
    if (!begun)
        atexit(remove_begun);
    for (size_t i = 0; i < n_begun; i++)
        if (!begun[i]) {
            begun[i] = copy_text(temp);
            return;
        }
    if (n_begun == begun_room) {
        begun_room = begun_room ? 2 * begun_room : 8;
        begun = reallocarray(begun, begun_room, sizeof *begun);
        if (!begun)
            die("out of memory");
    }
    begun[n_begun++] = copy_text(temp);
}

static void forget_begun(const char *temp)
{
    for (size_t i = 0; i < n_begun; i++)
        if (begun[i] && !strcmp(begun[i], temp)) {
            free(begun[i]);
            begun[i] = NULL;
        }
}

/* ".NAME.PID.tmp" in the folder of path, so that the rename stays on one disk. */
static char *temp_beside(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t dir = n;
    while (dir && path[dir - 1] != '/')
        dir--;
    return text_of("%.*s.%.*s.%ld.tmp", (int)dir, path, (int)(n - dir), path + dir, (long)getpid());
}

static void sync_path(const char *path)
{
    const int fd = open(path, O_RDONLY);
    if (fd < 0 || fsync(fd) || close(fd))
        die("%s:", path);
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
    o->path = copy_text(path);
    o->temp = temp_beside(path);
    o->f = fopen(o->temp, "wb");
    if (!o->f)
        die("%s:", path);
    note_begun(o->temp);
    return o;
}

void outfile_commit(struct outfile *o)
{
    if (fflush(o->f) || ferror(o->f) || fsync(fileno(o->f)) || fclose(o->f)
        || rename(o->temp, o->path))
        die("%s:", o->path);
    sync_parent(o->path);
    forget_begun(o->temp);
    free(o->path);
    free(o->temp);
    free(o);
}

/* Call f for each entry of a folder but . and ..; its path is lent to f. */
static void each_entry(const char *path, void (*f)(const char *))
{
    DIR *d = opendir(path);
    if (!d)
        die("%s:", path);
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
            char *child = text_of("%s/%s", path, e->d_name);
            f(child);
            free(child);
        }
    closedir(d);
}

char *outdir_begin(const char *path)
{
    char *temp = temp_beside(path);
    if (mkdir(temp, 0777) && errno != EEXIST)
        die("%s:", path);
    note_begun(temp);
    each_entry(temp, remove_folder);
    return temp;
}

void outdir_commit(char *temp, const char *path)
{
    each_entry(temp, sync_path);
    sync_path(temp);
    if (rename(temp, path))
        die("%s:", path);
    sync_parent(path);
    forget_begun(temp);
    free(temp);
}

void make_folder(const char *path)
{
    char *part = copy_text(path);
    for (char *s = part + 1; *s; s++)
        if (*s == '/') {
            *s = 0;
            if (mkdir(part, 0777) && errno != EEXIST)
                die("%s:", part);
            *s = '/';
        }
    struct stat st;
    if (mkdir(part, 0777) && (errno != EEXIST || stat(part, &st) || !S_ISDIR(st.st_mode)))
        die("%s:", part);
    free(part);
}

void remove_folder(const char *path)
{
    struct stat st;
    if (lstat(path, &st))
        return;
    if (!S_ISDIR(st.st_mode)) {
        unlink(path);
        return;
    }
    each_entry(path, remove_folder);
    rmdir(path);
}

int file_map(const char *path, struct mapped *m)
{
    struct stat st;
    const int fd = open(path, O_RDONLY);
    *m = (struct mapped){(const unsigned char *)"", 0};
    if (fd < 0)
        return -1;
    if (fstat(fd, &st)) {
        close(fd);
        return -1;
    }
    if (S_ISDIR(st.st_mode)) {
        close(fd);
        errno = EISDIR;
        return -1;
    }
    if (st.st_size) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) {
            close(fd);
            return -1;
        }
        *m = (struct mapped){p, (size_t)st.st_size};
    }
    close(fd);
    return 0;
}

void file_unmap(struct mapped *m)
{
    if (m->size)
        munmap((void *)m->data, m->size);
    m->size = 0;
}

char *share_path(const char *name)
{
    static const char *const beside[] = {"../share", "../../share/keel"};
    char here[4096];
    const ssize_t n = readlink("/proc/self/exe", here, sizeof here - 1);
    if (n < 0)
        die("/proc/self/exe:");
    here[n] = 0;
    *strrchr(here, '/') = 0;
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        char *path = text_of("%s/%s/%s", here, beside[i], name);
        if (!access(path, R_OK))
            return path;
        free(path);
    }
    die("share/%s is not beside %s; install keel again, or run it from its own folder", name, here);
}
