/* safetensors.c - a checkpoint's file: the header, then every tensor that it names. */
#include "model/safetensors.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct safetensors s = {0};
    if (!safetensors_parse(data, size, &s))
        for (size_t i = 0; i < s.n; i++) {
            float *out = zalloc(s.entries[i].count, sizeof *out);
            safetensors_floats(&s, &s.entries[i], out);
            free(out);
        }
    safetensors_free(&s);
    return 0;
}
