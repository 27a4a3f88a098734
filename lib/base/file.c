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

int each_entry(const char *path, void (*f)(const char *child, void *arg), void *arg)
{
    DIR *d = opendir(path);
    int n = 0;
    if (!d)
        return -1;
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
            char *child = text_of("%s/%s", path, e->d_name);
            if (f)
                f(child, arg);
            free(child);
            n++;
        }
    closedir(d);
    return n;
}

void make_folder(const char *path)
{
    char *part = copy_text(path);
    for (char *s = part; *s; s++)
        if (*s == '/' && s > part) {
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

static void remove_entry(const char *path, void *unused)
{
    (void)unused;
    remove_folder(path);
}

void remove_folder(const char *path)
{
    if (unlink(path) && errno == EISDIR) {
        each_entry(path, remove_entry, NULL);
        rmdir(path);
    }
}

int has_file(const char *folder, const char *name)
{
    char *path = text_of("%s/%s", folder, name);
    const int there = !access(path, F_OK);
    free(path);
    return there;
}

void widen_pipe(FILE *f)
{
    fcntl(fileno(f), F_SETPIPE_SZ, 1 << 20);    /* a hint: it may fail */
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
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        errno = S_ISDIR(st.st_mode) ? EISDIR : ESPIPE;
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

void file_forget(const struct mapped *m, size_t at, size_t n)
{
    /* Pages before those that were used come back with them: forget them, too. */
    const size_t around = (size_t)1 << 20, begin = at / around * around;
    if (n)
        madvise((unsigned char *)m->data + begin, at + n - begin, MADV_DONTNEED);
}

char *path_name(const char *path)
{
    size_t n = strlen(path), from;
    while (n > 1 && path[n - 1] == '/')
        n--;
    for (from = n; from && path[from - 1] != '/'; from--)
        ;
    return text_of("%.*s", (int)(n - from), path + from);
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
