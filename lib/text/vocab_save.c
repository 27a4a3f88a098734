/* vocab_save.c - a vocabulary as the two files that Hugging Face tokenizers reads. */
#include "base/base.h"
#include "text/vocab_inside.h"
#include <jansson.h>
#include <stdlib.h>

static FILE *open_in(const char *folder, const char *name, char **path)
{
    *path = text_of("%s/%s", folder, name);
    FILE *f = fopen(*path, "wb");
    if (!f)
        die("%s:", *path);
    return f;
}

static void close_file(FILE *f, char *path)
{
    if (fflush(f) || ferror(f) || fclose(f))
        die("%s:", path);
    free(path);
}

/* A token in the characters of the files; ends with NUL, which is none of them. */
static char *spelled(const struct vocab *v, int id)
{
    size_t n;
    const char *bytes = vocab_bytes(v, id, &n);
    char *text = zalloc(2 * n + 1, 1);
    alphabet_encode(bytes, n, text);
    return text;
}

static void save_tokens(const struct vocab *v, const char *folder)
{
    char *path;
    FILE *f = open_in(folder, "vocab.json", &path);
    json_t *root = json_object();       /* keeps the order of insertion */
    for (int id = 0; id < v->size; id++) {
        char *text = id == v->eot ? copy_text(END_OF_TEXT) : spelled(v, id);
        json_object_set_new(root, text, json_integer(id));
        free(text);
    }
    if (json_dumpf(root, f, JSON_COMPACT))
        die("%s:", path);
    json_decref(root);
    close_file(f, path);
}

static void save_merges(const struct vocab *v, const char *folder)
{
    const struct bpe *b = &v->bpe;
    char *path;
    FILE *f = open_in(folder, "merges.txt", &path);

    fputs("#version: 0.2\n", f);
    for (size_t i = 0; i < b->n; i++) {
        char *left = spelled(v, b->merges[i].left), *right = spelled(v, b->merges[i].right);
        fprintf(f, "%s %s\n", left, right);
        free(left);
        free(right);
    }
    close_file(f, path);
}

void vocab_save(const struct vocab *v, const char *folder)
{
    save_tokens(v, folder);
    save_merges(v, folder);
}
