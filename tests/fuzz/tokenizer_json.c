/* tokenizer_json.c - tokenizer.json, and the vocabulary that it becomes. */
#include "text/tokenizer_json.h"
#include "text/vocab_inside.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = copy_bytes(data, size);
    struct vocab *v = zalloc(1, sizeof *v);
    struct tokenizer_json t;

    v->name = copy_text("fuzz");
    if (!tokenizer_json_parse(text, size, &t)) {
        if (t.merges)
            vocab_from_pair(v, t.vocab, strlen(t.vocab), t.merges, strlen(t.merges));
        else
            vocab_from_wordpiece(v, t.vocab, strlen(t.vocab), t.cased);
    }
    tokenizer_json_free(&t);
    vocab_free(v);
    free(text);
    return 0;
}
