/* tokenizer_json.h - tokenizer.json, the one file of Hugging Face tokenizers, as the files that
 * say the same: what parses those then reads both. */
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
