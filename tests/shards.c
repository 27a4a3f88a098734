/* shards.c - every byte of a small set, changed in several ways: always found when the
 * set is opened or read, and the message names the file. */
#include "base/base.h"
#include "base/file.h"
#include "data/set_write.h"
#include "data/shards.h"
#include "tests/tap.h"
#include <stdlib.h>
#include <string.h>

static char folder[64];

static void make_set(void)
{
    struct manifest m = {.kind = {"bytes", 257, 256}, .command = copy_text("test"),
                         .version = copy_text("test"), .split = copy_text("none")};
    struct set_writer *w = set_begin(folder, folder, &m, 1000, 1, 1);
    const int eot = 256;
    for (int i = 0; i < 60; i++) {
        const int id = i * i % 256;
        set_add(w, SPLIT_TRAIN, &id, 1);
        if (i % 20 == 19) {
            set_add(w, SPLIT_TRAIN, &eot, 1);
            set_end_document(w, SPLIT_TRAIN);
        }
    }
    set_finish(w);
    manifest_free(&m);
}

static void read_all(void *unused)
{
    (void)unused;
    struct shards *s = shards_open(folder, "train");
    int ids[63];
    shards_read(s, 0, 63, ids);
    shards_close(s);
    exit(EXIT_OK);
}

static void put_file(const char *path, const unsigned char *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f))
        die("%s:", path);
}

/* Change each byte of a file: how many changes were not found, or not blamed on it. */
static void flip_all(const char *name)
{
    static const unsigned char flips[] = {0x01, 0x20, 0xff};
    char *path = text_of("%s/%s", folder, name), text[1000];
    struct mapped m;
    if (file_map(path, &m))
        die("%s:", path);
    const size_t n = m.size;
    unsigned char *data = zalloc(n, 1);
    memcpy(data, m.data, n);
    file_unmap(&m);

    int missed = 0, blamed = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < sizeof flips; k++) {
            data[i] ^= flips[k];
            put_file(path, data, n);
            const int status = exit_status(read_all, NULL, text, sizeof text);
            data[i] ^= flips[k];
            if (status != EXIT_FAILED)
                printf("# byte %zu ^ %02x: status %d\n", i, flips[k], status);
            missed += status != EXIT_FAILED;
            blamed += strstr(text, name) != NULL;
        }
    ok(!missed, "%s: every one of %zu changed bytes is found", name, n * sizeof flips);
    ok(blamed == (int)(n * sizeof flips), "%s: and named", name);

    missed = 0;
    for (size_t size = 0; size < n; size++) {
        put_file(path, data, size);
        missed += exit_status(read_all, NULL, text, sizeof text) != EXIT_FAILED;
    }
    ok(!missed, "%s: cut short anywhere, it is refused", name);
    put_file(path, data, n);
    ok(exit_status(read_all, NULL, text, sizeof text) == EXIT_OK, "%s: whole again, it reads",
       name);
    free(data);
    free(path);
}

int main(void)
{
    strcpy(folder, "/tmp/keel-shards-XXXXXX");
    if (!mkdtemp(folder))
        die("%s:", folder);
    make_set();
    flip_all("train-00000.tok.zst");
    flip_all("manifest.json");
    remove_folder(folder);
    return tap_end();
}
