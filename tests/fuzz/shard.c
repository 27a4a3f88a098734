/* shard.c - one file of a shard set: its index, then every frame that it names. */
#include "data/shard_file.h"
#include "tests/fuzz/fuzz.h"
#include <zstd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct shard_index x = {0};
    ZSTD_DCtx *z = ZSTD_createDCtx();
    char why[200];
    if (!shard_parse(data, size, &x))
        for (size_t i = 0; i < x.n; i++) {
            void *raw = zalloc(x.frames[i].ids, (size_t)x.width);
            shard_decode(z, &x, data, i, raw, why);
            free(raw);
        }
    shard_index_free(&x);
    ZSTD_freeDCtx(z);
    return 0;
}
