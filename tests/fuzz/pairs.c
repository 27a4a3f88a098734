/* pairs.c - candidates and references to be scored. */
#include "text/pairs.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *f = stream_of(data, size);
    const char *name = "pairs";
    struct pairs *p = pairs_open(&f, &name, 1);
    struct pair_block *b = pair_block_new();
    struct pair pair;
    for (int more; pairs_read(p, b);)
        while (!pairs_next(b, &pair, &more) && more)
            ;
    pair_block_free(b);
    pairs_close(p);
    fclose(f);
    return 0;
}
