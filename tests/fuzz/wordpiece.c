/* wordpiece.c - a BERT's vocab.txt, and any text in its pieces. */
#include "text/wordpiece.h"
#include "tests/fuzz/fuzz.h"

/* A NUL stands between vocab.txt and the text; the size's last bit says whether it is cased. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MOST = 64 };
    char *text = copy_bytes(data, size), *middle = memchr(text, 0, size);
    const size_t first = middle ? (size_t)(middle - text) : size;
    const size_t rest = middle ? size - first - 1 : 0;
    struct ids ids = {0};
    struct wordpiece *w;
    if (!wordpiece_parse(&w, text, first, size & 1)) {
        wordpiece_encode(w, middle ? middle + 1 : text, rest, MOST, &ids);
        if (ids.n < 2 || ids.n > MOST)
            abort();
        for (size_t i = 0; i < ids.n; i++)
            if (ids.at[i] < 0 || ids.at[i] >= wordpiece_size(w))
                abort();
    }
    free(ids.at);
    wordpiece_free(w);
    free(text);
    return 0;
}
