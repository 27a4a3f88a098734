/* tokenizer_json.h - what Hugging Face's two JSON files say about a tokenizer.
 *
 * tokenizer.json, all of it in one file, becomes the files that say the same: what parses those
 * then reads both.  tokenizer_config.json stands beside either. */
#pragma once
#include <stddef.h>

/* Texts end with NUL. */
struct tokenizer_json {
    char *vocab;        /* a BERT's vocab.txt, or the vocab.json of a byte-level BPE */
    char *merges;       /* merges.txt, or NULL: a BERT's */
    int cased;          /* of a BERT */
};

/* Parse n bytes: NULL, or what is wrong or not supported (valid until the next call).  Only a
 * WordPiece model with BERT's steps and a byte-level BPE with GPT-2's are.  Free it in any case. */
const char *tokenizer_json_parse(const char *text, size_t n, struct tokenizer_json *t);
void tokenizer_json_free(struct tokenizer_json *t);

struct tokenizer_config {
    int cased;          /* of a BERT: do_lower_case is false */
    double longest;     /* model_max_length, in tokens; infinite where it is not said */
};

/* Read tokenizer_config.json of a folder, which need not be there; dies with the reason, also where
 * it asks for what keel does not do. */
struct tokenizer_config tokenizer_config(const char *folder);
