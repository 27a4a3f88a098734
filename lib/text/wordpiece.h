/* wordpiece.h - BERT's tokens of a text (Devlin et al. 2019; the steps are those
 * of transformers' BertTokenizer).
 *
 * Controls go, white space parts words, CJK ideographs stand alone; then, unless the vocabulary
 * is cased, lower case code point by code point and canonical decomposition without its
 * non-spacing marks; punctuation is set apart; each word is the longest pieces of the
 * vocabulary that cover it from the left, those after the first with "##" before them, or
 * [UNK].  "[SEP]" and the like in a text are parsed. */
#pragma once
#include "text/words.h"

struct wordpiece;

/* Open a vocab.txt, a piece a line; dies with the reason. */
struct wordpiece *wordpiece_open(const char *path, int cased);
void wordpiece_free(struct wordpiece *w);
int wordpiece_size(const struct wordpiece *w);
/* Is it [CLS] or [SEP]? */
int wordpiece_is_frame(const struct wordpiece *w, int id);
/* [CLS], the ids of a UTF-8 text, [SEP]: at most `most` in all; 1 when its end was cut off. */
int wordpiece_encode(const struct wordpiece *w, const char *text, size_t n, size_t most,
                     struct ids *out);
