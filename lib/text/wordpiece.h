/* wordpiece.h - BERT's tokens of an uncased text (Devlin et al. 2019; the steps are those
 * of transformers' BertTokenizer).
 *
 * Controls go, white space parts words, CJK ideographs stand alone; then lower case code
 * point by code point, canonical decomposition without its non-spacing marks, punctuation set
 * apart; each word is the longest pieces of the vocabulary that cover it from the left, those
 * after the first with "##" before them, or [UNK].  "[SEP]" and the like in a text are parsed. */
#pragma once
#include "text/words.h"

struct wordpiece;

/* Open a vocab.txt, a piece a line; dies with the reason. */
struct wordpiece *wordpiece_open(const char *path);
void wordpiece_free(struct wordpiece *w);
int wordpiece_size(const struct wordpiece *w);
/* [CLS], the ids of a UTF-8 text, [SEP]: at most `most` in all, the text's end is cut off. */
void wordpiece_encode(const struct wordpiece *w, const char *text, size_t n, size_t most,
                      struct ids *out);
