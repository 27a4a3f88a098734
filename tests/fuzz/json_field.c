/* json_field.c - one field of a line of JSON, as jansson has it where it takes the line. */
#include "text/documents.h"
#include "tests/fuzz/fuzz.h"
#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = copy_bytes(data, size);
    size_t n = 0;
    const int found = !json_field(line, size, "text", &n);
    json_t *root = json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);
    const json_t *want = json_object_get(root, "text");
    /* jansson passes over a NUL behind a number or a word. */
    if (root && found != json_is_string(want) && !memchr(data, 0, size))
        abort();
    if (root && found && (n != json_string_length(want)
                          || memcmp(line, json_string_value(want), n)))
        abort();
    if (found && n > size)
        abort();
    json_decref(root);
    free(line);
    return 0;
}
