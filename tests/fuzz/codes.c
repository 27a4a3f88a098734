/* codes.c - subword-nmt's codes and fairseq's dictionary; what is encoded with them has ids of
 * theirs. */
#include "text/vocab_inside.h"
#include "tests/fuzz/fuzz.h"

/* A NUL stands between codes.txt and vocab.txt. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] = "It is the  file\vof a file.\r\n";
    char *bytes = copy_bytes(data, size), *middle = memchr(bytes, 0, size);
    struct vocab *v = zalloc(1, sizeof *v);
    v->name = copy_text("fuzz");
    const size_t first = middle ? (size_t)(middle - bytes) : size;
    if (!vocab_from_codes(v, bytes, first, middle ? middle + 1 : bytes + size,
                          middle ? size - first - 1 : 0)) {
        size_t n, length;
        int *ids = vocab_encode(v, text, sizeof text - 1, &n);
        for (size_t i = 0; i < n; i++) {
            if (ids[i] < 0 || ids[i] >= vocab_size(v) || ids[i] == vocab_eot(v))
                abort();
            vocab_bytes(v, ids[i], &length);
        }
        free(ids);
    }
    vocab_free(v);
    free(bytes);
    return 0;
}
