/* decoder.h - text from ids, fast: short tokens are copied by one store of 16 bytes. */
#pragma once
#include "text/vocab.h"

struct decoder;
/* v must outlive it. */
struct decoder *decoder_new(const struct vocab *v);
void decoder_free(struct decoder *d);
/* The bytes that decoder_run() needs for these ids: their text's and a few more. */
size_t decoder_room(const struct decoder *d, const int *ids, size_t n);
/* Write the text of n ids; returns its length.  `out` has decoder_room() bytes. */
size_t decoder_run(const struct decoder *d, const int *ids, size_t n, char *out);
