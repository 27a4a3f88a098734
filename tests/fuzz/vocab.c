/* vocab.c - vocabularies in both forms; what one of them encodes, it decodes. */
#include "text/vocab_inside.h"
#include "tests/fuzz/fuzz.h"

static void use(struct vocab *v)
{
    static const char text[] = "It's 12 o'clock,  he said.\n";
    size_t n, at = 0, length;
    int *ids = vocab_encode(v, text, sizeof text, &n);
    for (size_t i = 0; i < n; i++) {
        const char *bytes = vocab_bytes(v, ids[i], &length);
        if (length > sizeof text - at || memcmp(bytes, text + at, length))
            abort();
        at += length;
    }
    if (at != sizeof text)
        abort();
    free(ids);
}

/* A NUL stands between vocab.json and merges.txt; without one it is a vocab.bpe. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = copy_bytes(data, size), *middle = memchr(text, 0, size);
    struct vocab *v = zalloc(1, sizeof *v);
    v->name = copy_text("fuzz");
    const size_t first = middle ? (size_t)(middle - text) : size;
    if (!(middle ? vocab_from_pair(v, text, first, middle + 1, size - first - 1)
                 : vocab_from_bpe(v, text, size)))
        use(v);
    vocab_free(v);
    free(text);
    return 0;
}
