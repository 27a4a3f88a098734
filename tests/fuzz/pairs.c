/* pairs.c - candidates and references to be scored. */
#include "text/pairs.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *f = stream_of(data, size);
    const char *name = "pairs";
    struct pairs *p = pairs_open(&f, &name, 1);
    struct pair pair;
    for (int more = 1; more && !pairs_next(p, &pair, &more);)
        ;
    pairs_close(p);
    fclose(f);
    return 0;
}
