/* manifest.c - a shard set's manifest: what is read and written again reads the same. */
#include "data/manifest.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct manifest m = {0}, again = {0};
    char why[200];
    char *text = copy_bytes(data, size);
    if (!manifest_parse(text, size, &m, why)) {
        char *one = manifest_text(&m);
        if (manifest_parse(one, strlen(one), &again, why))
            abort();
        char *two = manifest_text(&again);
        if (strcmp(one, two))
            abort();
        free(one);
        free(two);
        manifest_free(&again);
    }
    manifest_free(&m);
    free(text);
    return 0;
}
