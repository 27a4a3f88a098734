/* encoder_units.h - encoder.h for the vocabularies of vocab_units.c. */
#pragma once
#include "text/vocab.h"

struct unit_encoder;        /* for one thread */
/* NULL for other vocabularies; v must outlive it. */
struct unit_encoder *unit_encoder_new(const struct vocab *v);
void unit_encoder_free(struct unit_encoder *u);
/* The ids of a text of n bytes, at most n of them; returns their number. */
size_t unit_encoder_run(struct unit_encoder *u, const unsigned char *text, size_t n, int *ids);
