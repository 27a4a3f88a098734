/* golden.h - golden files of scores, which are kept compressed (tests/golden/src/README.md). */
#pragma once
#include "base/base.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

enum { GOLDEN_MOST = 1 << 22 };

/* FOLDER/NAME.gz, unpacked into a file that is gone when closed. */
static inline FILE *golden(const char *folder, const char *name)
{
    char *path = text_of("%s/%s.gz", folder, name), *bytes = zalloc(1, GOLDEN_MOST);
    gzFile z = gzopen(path, "r");
    const int n = z ? gzread(z, bytes, GOLDEN_MOST) : -1;
    FILE *f = tmpfile();
    if (n < 0 || !f || fwrite(bytes, 1, (size_t)n, f) != (size_t)n)
        die("%s:", path);
    rewind(f);
    gzclose(z);
    free(bytes);
    free(path);
    return f;
}

/* The next value of a file of JSON lines, or NULL. */
static inline json_t *golden_line(FILE *f)
{
    return json_loadf(f, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL);
}
