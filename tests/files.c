/* files.c - files and folders are whole or not there, however the program ends. */
#include "base/base.h"
#include "base/file.h"
#include "tests/tap.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static char heard[512];

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f))
        die("%s:", path);
}

static int holds(const char *path, const char *text)
{
    char have[64] = "";
    FILE *f = fopen(path, "r");
    const size_t n = f ? fread(have, 1, sizeof have - 1, f) : 0;
    if (f)
        fclose(f);
    return f && n == strlen(text) && !memcmp(have, text, n);
}

/* A device of this test's own where root may make one: a fault here must not cost /dev/null. */
static char *device(const char *name, unsigned minor)
{
    return mknod(name, S_IFCHR | 0666, makedev(1, minor)) ? text_of("/dev/%s", name)
                                                          : copy_text(name);
}

static int entries(const char *path)
{
    return each_entry(path, NULL, NULL);
}

/* Each of these runs in a process of its own. */

static void publish(void *path)
{
    struct outfile *o = outfile_open(path);
    fputs("new", o->f);
    outfile_commit(o);
    exit(finish());
}

static void abandon(void *path)
{
    struct outfile *o = outfile_open(path);
    fputs("new", o->f);
    free(outdir_begin("abandoned"));
    die("%s: something is wrong", (char *)path);
}

static void be_killed(void *sig)
{
    struct outfile *o = outfile_open("file");
    char *temp = outdir_begin("folder"), *inside = text_of("%s/inside", temp);
    fputs("new", o->f);
    make_folder(inside);
    raise(*(int *)sig);
}

static void publish_folder(void *path)
{
    char *temp = outdir_begin(path), *inside = text_of("%s/a/b", temp);
    make_folder(inside);
    outdir_commit(temp, path);
    free(inside);
    exit(finish());
}

static void make_empty(void *unused)
{
    (void)unused;
    make_folder("");
}

static void test_files(void)
{
    struct stat st;
    write_text("file", "old");
    ok(exit_status(abandon, "file", heard, sizeof heard) == 1 && holds("file", "old"),
       "a failure leaves what was there");
    ok(entries(".") == 1, "and nothing beside it");
    ok(exit_status(publish, "file", heard, sizeof heard) == 0 && holds("file", "new")
       && entries(".") == 1, "a commit replaces it");

    if (symlink("file", "link"))
        die("link:");
    write_text("file", "old");
    ok(exit_status(publish, "link", heard, sizeof heard) == 0 && holds("file", "new")
       && !lstat("link", &st) && S_ISLNK(st.st_mode), "a link stays, its target is replaced");
    unlink("link");

    char *null = device("null", 3), *full = device("full", 7);
    ok(exit_status(publish, null, heard, sizeof heard) == 0 && !stat(null, &st)
       && S_ISCHR(st.st_mode), "a device stays a device");
    ok(exit_status(publish, full, heard, sizeof heard) == 1
       && strstr(heard, "full: No space left on device\n"), "a full one is reported");
    unlink("null");
    unlink("full");
    free(null);
    free(full);
    ok(exit_status(publish, ".", heard, sizeof heard) == 1 && strstr(heard, "is a folder"),
       "a folder is no place for a file");
    ok(exit_status(publish, "none/file", heard, sizeof heard) == 1
       && strstr(heard, "none/file: No such file"), "a missing folder is reported at once");
}

static void test_folders(void)
{
    ok(exit_status(publish_folder, "folder/", heard, sizeof heard) == 0
       && entries("folder/a/b") == 0, "a folder is published with what is in it");
    ok(exit_status(publish_folder, "folder", heard, sizeof heard) == 1
       && strstr(heard, "exists and is not empty") && entries("folder") == 1,
       "one that holds something is not replaced");
    ok(exit_status(publish_folder, "file", heard, sizeof heard) == 1
       && strstr(heard, "file: Not a directory"), "nor is a file");
    remove_folder("folder");
    make_folder("folder");
    ok(exit_status(publish_folder, "folder", heard, sizeof heard) == 0
       && entries("folder") == 1, "an empty one is");
    remove_folder("folder");
    ok(entries("folder") < 0 && errno == ENOENT, "remove_folder removes all of it");
}

static void test_signals(void)
{
    int sig = SIGTERM;
    write_text("file", "old");
    ok(exit_status(be_killed, &sig, heard, sizeof heard) == 128 + SIGTERM && entries(".") == 1
       && holds("file", "old"), "a signal ends the program and removes what was begun");
    sig = SIGKILL;
    ok(exit_status(be_killed, &sig, heard, sizeof heard) == 128 + SIGKILL && entries(".") == 3,
       "kill -9 leaves it");
    char *live = text_of(".file.%ld.tmp", (long)getppid());
    write_text(live, "at work");
    ok(exit_status(publish, "file", heard, sizeof heard) == 0
       && exit_status(publish_folder, "folder", heard, sizeof heard) == 0
       && entries(".") == 3 && holds(live, "at work"),
       "until the next program writes the name; a living program's is left alone");
    unlink(live);
    free(live);
}

static void test_maps(void)
{
    struct mapped m;
    write_text("file", "");
    ok(!file_map("file", &m) && m.size == 0 && m.data, "an empty file maps to no bytes");
    write_text("file", "abc");
    ok(!file_map("file", &m) && m.size == 3 && !memcmp(m.data, "abc", 3), "a file maps");
    file_unmap(&m);
    ok(file_map(".", &m) < 0 && errno == EISDIR, "a folder does not");
    ok(file_map("absent", &m) < 0 && errno == ENOENT, "nor what is absent");
    ok(exit_status(make_empty, NULL, heard, sizeof heard) == 1, "no folder has an empty name");
}

int main(void)
{
    char folder[] = "/tmp/keel-files-XXXXXX";
    program = "files";
    if (!mkdtemp(folder) || chdir(folder))
        die("%s:", folder);
    test_files();
    test_folders();
    test_signals();
    test_maps();
    if (chdir("/"))
        die("/:");
    remove_folder(folder);
    return tap_end();
}
