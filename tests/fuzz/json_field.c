/* json_field.c - one field of a line of JSON. */
#include "text/documents.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = copy_bytes(data, size);
    size_t n = 0;
    if (!json_field(line, size, "text", &n) && n > size)
        abort();
    free(line);
    return 0;
}
