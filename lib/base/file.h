/* file.h - files that are either whole or not there.
 *
 * A file or folder is written beside its final place, synced and renamed, so a
 * reader never sees half of it and what stood there before survives any
 * failure.  What was begun and not committed is removed when the program ends,
 * or, after a kill -9, by the next program that writes the same name. */
#pragma once
#include <stddef.h>
#include <stdio.h>

struct outfile {
    FILE *f;
    char *path, *temp;      /* final and temporary name; no temp for a device or pipe */
};

/* Begin the file `path`; dies with the reason. */
struct outfile *outfile_open(const char *path);
/* Flush, sync and rename; dies, and leaves what was there, if any of it fails. */
void outfile_commit(struct outfile *o);

/* Begin a folder: returns the temporary folder to fill (the caller frees it).  Dies
 * at once if `path` exists and is anything but an empty folder. */
char *outdir_begin(const char *path);
/* Sync everything in the temporary folder, then the folder, then rename. */
void outdir_commit(char *temp, const char *path);

/* The last part of a path, without slashes behind it; the caller frees it. */
char *path_name(const char *path);
/* Create a folder and its parents; one that exists is fine. */
void make_folder(const char *path);
/* Remove a file, or a folder and what is in it, as far as that can be done. */
void remove_folder(const char *path);
/* Call f (may be NULL) with the path of each entry of a folder but . and ..:
 * their number, or -1 with errno. */
int each_entry(const char *path, void (*f)(const char *child, void *arg), void *arg);

/* Is there such a file in a folder? */
int has_file(const char *folder, const char *name);

/* Let a pipe hold a megabyte, so that its ends run on beside each other; other files stay as they
 * are. */
void widen_pipe(FILE *f);

/* A whole file in memory, mapped read-only; NULL with errno set if it cannot
 * be.  An empty file gives a pointer to no bytes. */
struct mapped { const unsigned char *data; size_t size; };
int file_map(const char *path, struct mapped *m);   /* 0, or -1 with errno */
void file_unmap(struct mapped *m);
/* Bytes [at, at + n) are not needed again soon: let their pages leave the memory. */
void file_forget(const struct mapped *m, size_t at, size_t n);

/* The path of a file that keel brings along (share/NAME beside the program's
 * bin/, or PREFIX/share/keel/NAME when installed); the caller frees it. */
char *share_path(const char *name);
