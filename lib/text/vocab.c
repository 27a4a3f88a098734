#include "text/vocab.h"
#include "base/base.h"
#include "base/file.h"
#include "text/encoder.h"
#include "text/tokenizer_json.h"
#include "text/vocab_inside.h"
#include "text/wordpiece.h"
#include <stdlib.h>
#include <string.h>

const char *const vocab_files[] = {"vocab.json", "merges.txt", "vocab.txt", "codes.txt",
                                   "tokenizer_config.json", "tokenizer.json", NULL};

static void open_bytes(struct vocab *v)
{
    v->size = 257;
    v->eot = 256;
    v->tokens = zalloc(257, sizeof *v->tokens);
    v->pool = zalloc(256, 1);
    for (int i = 0; i < 256; i++) {
        v->pool[i] = (char)i;
        v->tokens[i].at = (uint32_t)i;
        v->tokens[i].n = 1;
        v->bpe.byte_id[i] = i;
    }
}

static void map_or_die(const char *path, struct mapped *m)
{
    if (file_map(path, m))
        die("%s:", path);
}

static void open_gpt2(struct vocab *v)
{
    char *path = share_path("gpt2/vocab.bpe");
    struct mapped m;
    map_or_die(path, &m);
    const char *why = vocab_from_bpe(v, (const char *)m.data, m.size);
    if (why)
        die("%s:%s", path, why);
    file_unmap(&m);
    free(path);
}

typedef const char *from_two(struct vocab *v, const char *one, size_t one_size, const char *two,
                             size_t two_size);

static void open_two(struct vocab *v, const char *folder, const char *one, const char *two,
                     from_two *parse)
{
    char *one_path = text_of("%s/%s", folder, one), *two_path = text_of("%s/%s", folder, two);
    struct mapped a, b;

    map_or_die(one_path, &a);
    map_or_die(two_path, &b);
    const char *why = parse(v, (const char *)a.data, a.size, (const char *)b.data, b.size);
    if (why)
        die("%s/%s", folder, why);
    file_unmap(&a);
    file_unmap(&b);
    free(one_path);
    free(two_path);
}

static void open_pieces(struct vocab *v, const char *folder)
{
    char *path = text_of("%s/vocab.txt", folder);
    struct mapped m;
    map_or_die(path, &m);
    const char *why = vocab_from_wordpiece(v, (const char *)m.data, m.size,
                                           tokenizer_config(folder).cased);
    if (why)
        die("%s/%s", folder, why);
    file_unmap(&m);
    free(path);
}

static void open_json(struct vocab *v, const char *folder)
{
    char *path = text_of("%s/tokenizer.json", folder);
    struct tokenizer_json t;
    struct mapped m;
    map_or_die(path, &m);
    const char *why = tokenizer_json_parse((const char *)m.data, m.size, &t);
    if (why)
        die("%s: %s", path, why);
    why = t.merges ? vocab_from_pair(v, t.vocab, strlen(t.vocab), t.merges, strlen(t.merges))
                   : vocab_from_wordpiece(v, t.vocab, strlen(t.vocab), t.cased);
    if (why)
        die("%s: as %s", path, why);
    tokenizer_json_free(&t);
    file_unmap(&m);
    free(path);
}

static void open_folder(struct vocab *v, const char *folder)
{
    if (has_file(folder, "codes.txt"))
        open_two(v, folder, "codes.txt", "vocab.txt", vocab_from_codes);
    else if (has_file(folder, "vocab.txt") && !has_file(folder, "merges.txt"))
        open_pieces(v, folder);
    else if (has_file(folder, "tokenizer.json") && !has_file(folder, "vocab.json"))
        open_json(v, folder);
    else if (!has_file(folder, "vocab.json") && !has_file(folder, "merges.txt"))
        die("%s: no vocabulary in it: bytes, gpt2, or a folder with vocab.json and merges.txt, "
            "vocab.txt or tokenizer.json", folder);
    else
        open_two(v, folder, "vocab.json", "merges.txt", vocab_from_pair);
    v->folder = copy_text(folder);
}

struct vocab *vocab_open(const char *name)
{
    struct vocab *v = zalloc(1, sizeof *v);
    v->name = copy_text(name);
    if (!strcmp(name, "bytes"))
        open_bytes(v);
    else if (!strcmp(name, "gpt2"))
        open_gpt2(v);
    else
        open_folder(v, name);
    return v;
}

void vocab_free(struct vocab *v)
{
    bpe_end(&v->bpe);
    subword_free(v->subword);
    words_free(v->units);
    wordpiece_free(v->wordpiece);
    free(v->name);
    free(v->folder);
    free(v->tokens);
    free(v->pool);
    free(v);
}

const char *vocab_name(const struct vocab *v)
{
    return v->name;
}

enum vocab_kind vocab_kind(const struct vocab *v)
{
    return v->subword ? VOCAB_SUBWORD : v->wordpiece ? VOCAB_WORDPIECE
           : v->bpe.slots ? VOCAB_BPE : VOCAB_BYTES;
}

const char *vocab_folder(const struct vocab *v)
{
    return v->folder;
}

int vocab_size(const struct vocab *v)
{
    return v->size;
}

int vocab_eot(const struct vocab *v)
{
    return v->eot;
}

int vocab_mask(const struct vocab *v)
{
    return v->wordpiece ? wordpiece_special(v->wordpiece, WORDPIECE_MASK) : -1;
}

const char *vocab_bytes(const struct vocab *v, int id, size_t *n)
{
    *n = v->tokens[id].n;
    return v->pool + v->tokens[id].at;
}

int *vocab_encode(const struct vocab *v, const char *text, size_t n, size_t *n_ids)
{
    struct encoder *e = encoder_new(v, 8);
    unsigned char *padded = zalloc(n + ENCODER_PAD, 1);
    int *ids = zalloc(n + ENCODER_PAD, sizeof *ids);

    memcpy(padded, text, n);
    *n_ids = encoder_run(e, padded, n, ids);
    free(padded);
    encoder_free(e);
    return ids;
}

const struct wordpiece *vocab_wordpiece(const struct vocab *v)
{
    return v->wordpiece;
}

const struct subword *vocab_subword(const struct vocab *v)
{
    return v->subword;
}
