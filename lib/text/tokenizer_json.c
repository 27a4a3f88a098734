#include "text/tokenizer_json.h"
#include "base/base.h"
#include "base/fault.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A setting as one would write it, valid until the next call for a number: "" stands for none. */
static const char *word_of(const json_t *object, const char *key)
{
    static _Thread_local char number[32];
    const json_t *value = json_object_get(object, key);
    if (json_is_number(value))
        snprintf(number, sizeof number, "%g", json_number_value(value));
    return json_is_string(value) ? json_string_value(value) : json_is_number(value) ? number
         : json_is_true(value) ? "true" : json_is_false(value) ? "false"
         : !value || json_is_null(value) ? "" : "other";
}

/* What a setting must be, as word_of(); `may` is another value that does as well. */
struct demand { const char *part, *key, *must, *may; };

static const struct demand of_wordpiece[] = {
    {"normalizer", "type", "BertNormalizer", NULL},
    {"normalizer", "clean_text", "true", NULL},
    {"normalizer", "handle_chinese_chars", "true", NULL},
    {"pre_tokenizer", "type", "BertPreTokenizer", NULL},
    {"model", "continuing_subword_prefix", "##", NULL},
    {"model", "unk_token", "[UNK]", NULL},
    {"model", "max_input_chars_per_word", "100", ""},
    {0},
};

static const struct demand of_bpe[] = {
    {"normalizer", "type", "", NULL},
    {"pre_tokenizer", "type", "ByteLevel", NULL},
    {"pre_tokenizer", "use_regex", "", "true"},
    {"model", "dropout", "", "0"},
    {"model", "continuing_subword_prefix", "", NULL},
    {"model", "end_of_word_suffix", "", NULL},
    {"model", "byte_fallback", "", "false"},
    {"model", "ignore_merges", "", "false"},
    {0},
};

static const char *check(const json_t *root, const struct demand *d)
{
    for (; d->part; d++) {
        const char *is = word_of(json_object_get(root, d->part), d->key);
        if (strcmp(is, d->must) && (!d->may || strcmp(is, d->may)))
            return fault("its %s has %s '%.60s'; keel reads such a model with '%s' only", d->part,
                         d->key, is, d->must);
    }
    return NULL;
}

/* The model's tokens and those that were added to it, in an object of its own. */
static const char *all_tokens(const json_t *root, json_t *tokens)
{
    const json_t *vocab = json_object_get(json_object_get(root, "model"), "vocab"), *token;
    size_t i;

    if (!json_is_object(vocab))
        return "its model has no object 'vocab' of tokens and ids";
    json_object_update(tokens, (json_t *)vocab);
    json_array_foreach(json_object_get(root, "added_tokens"), i, token) {
        const char *text = json_string_value(json_object_get(token, "content"));
        json_t *id = json_object_get(token, "id");
        if (!text || !json_is_integer(id))
            return "one of its added_tokens has no content and id";
        if (!json_object_get(tokens, text))
            json_object_set(tokens, text, id);
    }
    return NULL;
}

/* vocab.txt: a piece a line, its id the line's number. */
static const char *write_pieces(json_t *tokens, FILE *out)
{
    const size_t n = json_object_size(tokens);
    const char **pieces = zalloc(n, sizeof *pieces), *piece, *why = NULL;
    json_t *value;

    json_object_foreach(tokens, piece, value) {
        const json_int_t id = json_is_integer(value) ? json_integer_value(value) : -1;
        if (id < 0 || (size_t)id >= n)
            why = fault("'%.60s' has no id from 0 to the number of tokens", piece);
        else if (pieces[id])
            why = fault("'%.60s' has the id of another token", piece);
        else if (strchr(piece, '\n'))
            why = fault("token %lld has a line end in it", (long long)id);
        else
            pieces[id] = piece;
    }
    for (size_t id = 0; !why && id < n; id++)
        fprintf(out, "%s\n", pieces[id]);
    free(pieces);
    return why;
}

/* merges.txt: of each merge both sides with a blank between; in the file a string or two. */
static const char *write_merges(const json_t *merges, FILE *out)
{
    const json_t *merge;
    size_t i;

    if (!json_is_array(merges))
        return "its model has no array 'merges'";
    json_array_foreach(merges, i, merge) {
        const char *left = json_string_value(json_array_get(merge, 0));
        const char *right = json_string_value(json_array_get(merge, 1));
        if (json_is_string(merge))
            fprintf(out, "%s\n", json_string_value(merge));
        else if (left && right && json_array_size(merge) == 2)
            fprintf(out, "%s %s\n", left, right);
        else
            return fault("merge %zu is not of two tokens", i + 1);
    }
    return NULL;
}

static FILE *open_text(char **text, size_t *size)
{
    FILE *f = open_memstream(text, size);
    if (!f)
        die("out of memory");
    return f;
}

static const char *read_wordpiece(const json_t *root, json_t *tokens, struct tokenizer_json *t)
{
    const json_t *normal = json_object_get(root, "normalizer");
    const char *accents = word_of(normal, "strip_accents"), *lower = word_of(normal, "lowercase");
    const char *why = check(root, of_wordpiece);
    size_t size;

    if (!why && *accents && strcmp(accents, lower))
        why = fault("its normalizer has strip_accents '%.60s' and lowercase '%.60s'; keel does "
                    "both or neither", accents, lower);
    if (why)
        return why;
    FILE *out = open_text(&t->vocab, &size);
    why = write_pieces(tokens, out);
    fclose(out);
    t->cased = strcmp(lower, "true") != 0;
    return why;
}

static const char *read_bpe(const json_t *root, const json_t *tokens, struct tokenizer_json *t)
{
    const char *why = check(root, of_bpe);
    size_t size;

    if (why)
        return why;
    t->vocab = json_dumps(tokens, JSON_COMPACT);
    FILE *out = open_text(&t->merges, &size);
    why = write_merges(json_object_get(json_object_get(root, "model"), "merges"), out);
    fclose(out);
    return t->vocab ? why : "its tokens are not UTF-8";
}

/* Old files do not name the model. */
static const char *model_type(const json_t *model)
{
    const char *type = word_of(model, "type");
    return *type ? type : json_object_get(model, "merges") ? "BPE"
         : json_object_get(model, "max_input_chars_per_word") ? "WordPiece" : "unnamed";
}

const char *tokenizer_json_parse(const char *text, size_t n, struct tokenizer_json *t)
{
    json_error_t error;
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error), *tokens = json_object();
    const char *type = model_type(json_object_get(root, "model")), *why;

    *t = (struct tokenizer_json){0};
    if (!root)
        why = fault("line %d: %.200s", error.line, error.text);
    else if (strcmp(type, "WordPiece") && strcmp(type, "BPE"))
        why = fault("its model is '%.60s'; keel reads WordPiece and byte-level BPE", type);
    else if (!(why = all_tokens(root, tokens)))
        why = *type == 'W' ? read_wordpiece(root, tokens, t) : read_bpe(root, tokens, t);
    json_decref(tokens);
    json_decref(root);
    return why;
}

void tokenizer_json_free(struct tokenizer_json *t)
{
    free(t->vocab);
    free(t->merges);
}

struct tokenizer_config tokenizer_config(const char *folder)
{
    char *path = text_of("%s/tokenizer_config.json", folder);
    struct tokenizer_config c = {0, INFINITY};
    json_error_t error;

    if (!access(path, F_OK)) {          /* a length may be 1e30, which is no integer */
        json_t *j = json_load_file(path, JSON_DECODE_INT_AS_REAL, &error);
        if (!json_is_object(j))
            die("%s:%d: %s", path, j ? 1 : error.line, j ? "is no object" : error.text);
        const json_t *accents = json_object_get(j, "strip_accents");
        const json_t *longest = json_object_get(j, "model_max_length");
        c.cased = json_is_false(json_object_get(j, "do_lower_case"));
        if (json_is_boolean(accents) && json_is_true(accents) == c.cased)
            die("%s: strip_accents differs from do_lower_case; keel does both or neither", path);
        if (json_is_false(json_object_get(j, "tokenize_chinese_chars")))
            die("%s: tokenize_chinese_chars is false; keel sets them apart", path);
        if (json_is_number(longest))
            c.longest = json_number_value(longest);
        if (c.longest < 2)
            die("%s: model_max_length is less than the two marks around a text", path);
        json_decref(j);
    }
    free(path);
    return c;
}
