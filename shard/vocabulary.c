#include "shard/shard.h"
#include "base/base.h"
#include "base/file.h"
#include "text/vocab.h"
#include <stdlib.h>
#include <string.h>

static int is_built_in(const struct token_kind *kind)
{
    return !strcmp(kind->vocab, "bytes") || !strcmp(kind->vocab, "gpt2");
}

unsigned char *id_lengths(const struct token_kind *kind)
{
    if (!is_built_in(kind) && !has_file(kind->vocab, "merges.txt")
        && !has_file(kind->vocab, "codes.txt") && !has_file(kind->vocab, "tokenizer.json"))
        return NULL;
    struct vocab *v = vocab_open(kind->vocab);
    if (vocab_size(v) != kind->size || vocab_eot(v) != kind->eot)
        die("vocabulary %s has %d ids, end of text %d; the tokens say %d and %d", kind->vocab,
            vocab_size(v), vocab_eot(v), kind->size, kind->eot);
    unsigned char *lengths = NULL;
    if (vocab_kind(v) != VOCAB_WORDPIECE)       /* a BERT's ids do not give back the text it was */
        lengths = zalloc((size_t)kind->size, 1);
    for (int id = 0; lengths && id < kind->size; id++) {
        size_t n;
        vocab_bytes(v, id, &n);
        lengths[id] = (unsigned char)n;
        if (n > 255) {
            free(lengths);
            lengths = NULL;
        }
    }
    vocab_free(v);
    return lengths;
}

uint64_t bytes_of(const unsigned char *lengths, const int *ids, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; lengths && i < n; i++)
        sum += lengths[ids[i]];
    return sum;
}

static void copy_file(const char *from, const char *to)
{
    struct mapped m;
    if (file_map(from, &m))
        die("%s:", from);
    FILE *f = fopen(to, "wb");
    if (!f || fwrite(m.data, 1, m.size, f) != m.size || fclose(f))
        die("%s:", to);
    file_unmap(&m);
}

void copy_vocabulary(struct token_kind *kind, const char *folder)
{
    int copied = 0;
    if (is_built_in(kind))
        return;
    char *to = text_of("%s/vocab", folder);
    make_folder(to);
    for (int i = 0; vocab_files[i]; i++)
        if (has_file(kind->vocab, vocab_files[i])) {
            char *from = text_of("%s/%s", kind->vocab, vocab_files[i]);
            char *copy = text_of("%s/%s", to, vocab_files[i]);
            copy_file(from, copy);
            copied++;
            free(from);
            free(copy);
        }
    free(to);
    if (!copied)
        die("vocabulary '%s' is neither bytes, gpt2 nor a folder with vocab.json and merges.txt",
            kind->vocab);
    strcpy(kind->vocab, "vocab");
}
