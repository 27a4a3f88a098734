/* vocab_inside.h - a vocabulary as the modules of text/ that make one see it. */
#pragma once
#include "text/bpe.h"
#include "text/subword.h"
#include "text/vocab.h"

#define END_OF_TEXT "<|endoftext|>"
#define ROBERTA_END "</s>"

struct vocab {
    char *name, *folder;
    int size, eot;
    struct { uint32_t at, n; } *tokens;     /* [size], in pool */
    char *pool;
    struct bpe bpe;                         /* no merges for "bytes" */
    struct subword *subword;                /* VOCAB_SUBWORD: its codes, and the units of */
    struct words *units;                    /* its dictionary, the first after the specials */
    struct wordpiece *wordpiece;            /* VOCAB_WORDPIECE */
};

/* The parsers of both forms, for any bytes: NULL or what is wrong, which names the file's
 * line (valid until the next call).  A vocabulary with an error can only be freed. */

/* GPT-2's vocab.bpe: the ids are the bytes, the merges in order, the end of text. */
const char *vocab_from_bpe(struct vocab *v, const char *text, size_t n);
/* vocab.json and merges.txt. */
const char *vocab_from_pair(struct vocab *v, const char *json, size_t json_size,
                            const char *merges, size_t merges_size);

/* codes.txt and vocab.txt. */
const char *vocab_from_codes(struct vocab *v, const char *codes, size_t codes_size,
                             const char *dictionary, size_t dictionary_size);
/* BERT's vocab.txt. */
const char *vocab_from_wordpiece(struct vocab *v, const char *pieces, size_t pieces_size,
                                 int cased);
/* The id of a unit with or without its mark. */
int vocab_unit(const struct vocab *v, const char *unit, size_t n);

/* Bytes in the letters of those files: GPT-2 writes each byte as one printable
 * character.  Byte number i of 256 in the order of those characters: */
unsigned char alphabet_byte(int i);
/* Write n bytes so; returns the length, at most 2 n. */
size_t alphabet_encode(const char *bytes, size_t n, char *out);
/* Back from n bytes of text into out[n]; returns the length, or -1 where a
 * character stands for no byte. */
long alphabet_decode(const char *text, size_t n, char *out);
