/* checkpoint_kind.c - do the model and the data mean the same by an id? */
#include "base/base.h"
#include "model/checkpoint.h"
#include "text/vocab.h"
#include <string.h>

/* Do two vocabularies give every id the same bytes? */
static int same_words(const char *one, const char *other)
{
    struct vocab *a = vocab_open(one), *b = vocab_open(other);
    int same = vocab_size(a) == vocab_size(b) && vocab_eot(a) == vocab_eot(b);
    for (int id = 0; same && id < vocab_size(a); id++) {
        size_t n, m;
        const char *x = vocab_bytes(a, id, &n), *y = vocab_bytes(b, id, &m);
        same = n == m && (!n || !memcmp(x, y, n));
    }
    vocab_free(a);
    vocab_free(b);
    return same;
}

void checkpoint_check_kind(const struct checkpoint *c, const struct token_kind *data,
                           const char *path)
{
    const struct token_kind *own = checkpoint_kind(c);
    const char *folder = checkpoint_folder(c);
    if (own->size && (own->size != data->size || own->eot != data->eot))
        die("%s: its vocabulary %s (%d ids, end of text %d) is not that of %s: %s (%d, %d)", path,
            data->vocab, data->size, data->eot, folder, *own->vocab ? own->vocab : "unnamed",
            own->size, own->eot);
    if (data->size > model_config.vocab)
        die("%s: has %d token ids, the model in %s only %d", path, data->size, folder,
            model_config.vocab);
    if (*own->vocab && strcmp(own->vocab, data->vocab) && !same_words(own->vocab, data->vocab))
        die("%s: its vocabulary %s has other words than that of %s", path, data->vocab, folder);
}
