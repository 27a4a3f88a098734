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

/* Of n bytes of a vocab.txt, a piece a line: NULL, or what is wrong with the line (valid until the
 * next call).  *w is to be freed in both cases. */
const char *wordpiece_parse(struct wordpiece **w, const char *text, size_t n, int cased);
void wordpiece_free(struct wordpiece *w);
int wordpiece_size(const struct wordpiece *w);
/* The ids of "[CLS]" and the like. */
enum { WORDPIECE_UNKNOWN, WORDPIECE_SEPARATOR, WORDPIECE_PADDING, WORDPIECE_CLASS,
       WORDPIECE_MASK };
int wordpiece_special(const struct wordpiece *w, int which);
/* Its text in vocab.txt; *n is the length. */
const char *wordpiece_text(const struct wordpiece *w, int id, size_t *n);
/* Is it [CLS] or [SEP]? */
int wordpiece_is_frame(const struct wordpiece *w, int id);
/* [CLS], the ids of a UTF-8 text, [SEP]: at most `most` in all; 1 when its end was cut off. */
int wordpiece_encode(const struct wordpiece *w, const char *text, size_t n, size_t most,
                     struct ids *out);
/* The ids of a text in which nothing special is parsed, without a frame. */
void wordpiece_ordinary(const struct wordpiece *w, const char *text, size_t n, struct ids *out);
