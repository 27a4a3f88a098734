/* table.c - tables, one after the other as `cat` joins them. */
#include "base/table.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = copy_bytes(data, size), *at = text, *end = text + size;
    long line = 0;
    const char *why = NULL;
    while (at < end && !why) {
        struct table t = {0};
        char *before = at;
        why = table_parse(&t, &at, end, &line);
        if (at > end || (!why && at == before))
            abort();
        for (size_t i = 0; !why && i < t.n_rows * t.n_columns; i++)
            if (t.cells[i] < text || t.cells[i] > end)
                abort();
        table_free(&t);
    }
    free(text);
    return 0;
}
