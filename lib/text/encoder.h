/* encoder.h - the ids of text in a vocabulary, fast: the pieces that a text has
 * more than once are looked up, not merged again. */
#pragma once
#include "text/vocab.h"

enum { ENCODER_PAD = 16 };

struct encoder;     /* for one thread */

/* Remembers up to 2^bits pieces, in 32 bytes each; v must outlive it. */
struct encoder *encoder_new(const struct vocab *v, int bits);
void encoder_free(struct encoder *e);

/* The ids of a text of n bytes, all of it or up to a place that split_cut()
 * found; returns their number.  ENCODER_PAD bytes behind the text must be readable, and
 * `ids` have room for n + ENCODER_PAD. */
size_t encoder_run(struct encoder *e, const unsigned char *text, size_t n, int *ids);

/* split_cut() for this vocabulary: where a text that goes on may be cut; 0: nowhere yet. */
size_t encoder_cut(struct encoder *e, const unsigned char *text, size_t n);
