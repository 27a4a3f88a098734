/* tokenize.h - the three things that tokenize does. */
#pragma once
#include "text/documents.h"
#include <stdio.h>

/* Text to token text. */
void encode(const struct document_source *from, const char *vocab, FILE *out);
/* Token text to text: each document ended as `form` has it, with JSON in `field`. */
void decode(char *const *files, int n, enum document_form form, const char *field, FILE *out);
/* Text to text with blanks between the sub-words of a vocabulary. */
void pieces(char *const *operands, int n, const char *vocab, FILE *out);
/* A sub-word vocabulary of that many merges from text, as the folder `path`. */
void learn_subword(const struct document_source *from, int merges, const char *path);
/* A vocabulary of `size` ids from text, as the folder `path`. */
void learn(const struct document_source *from, int size, const char *path);
