/* encode.c - any bytes as text: the ids give it back, and do not change when it is cut. */
#include "base/base.h"
#include "text/encoder.h"
#include "text/vocab_inside.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vocab *some_vocab(void)
{
    static const char merges[] = "#version: 0.2\nt h\nth e\n\xC4\xA0 the\ni n\na a\naa aa\n"
                                 "\xC4\xA0 \xC4\xA0\n' s\nl l\n";
    struct vocab *v = zalloc(1, sizeof *v);
    if (vocab_from_bpe(v, merges, sizeof merges - 1))
        abort();
    return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vocab *v;
    if (!v)
        v = some_vocab();
    struct encoder *e = encoder_new(v, 8);
    unsigned char *text = zalloc(size + ENCODER_PAD, 1);
    int *whole = zalloc(size + ENCODER_PAD, sizeof *whole);
    int *parts = zalloc(size + ENCODER_PAD, sizeof *parts);

    memcpy(text, data, size);
    const size_t n = encoder_run(e, text, size, whole);
    const size_t cut = encoder_cut(e, text, size / 2);
    size_t m = encoder_run(e, text, cut, parts), at = 0;
    m += encoder_run(e, text + cut, size - cut, parts + m);
    if (m != n || memcmp(whole, parts, n * sizeof *whole))
        abort();
    for (size_t i = 0; i < n; i++) {
        size_t k;
        const char *bytes = vocab_bytes(v, whole[i], &k);
        if (memcmp(text + at, bytes, k))
            abort();
        at += k;
    }
    if (at != size)
        abort();
    encoder_free(e);
    free(text);
    free(whole);
    free(parts);
    return 0;
}
