/* bin_file.c - the token files of nanoGPT and llm.c: every id that one names is in it. */
#include "data/bin_file.h"
#include "data/shard_file.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (enum bin_form form = BIN_NANOGPT; form <= BIN_LLMC; form++) {
        struct bin b;
        if (bin_parse(form, data, size, &b))
            continue;
        int *ids = zalloc(b.n, sizeof *ids);
        ids_from_raw(ids, b.ids, b.n, b.width);
        free(ids);
    }
    return 0;
}
