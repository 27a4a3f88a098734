/* roberta.h - RoBERTa's tokens of a text: byte-level BPE with a blank before the text, between
 * <s> and </s> (the steps of transformers 4's RobertaTokenizer with add_prefix_space).
 *
 * "<s>", "</s>", "<pad>", "<unk>" and "<mask>" in a text are parsed; <mask> takes the white space
 * before it. */
#pragma once
#include "text/words.h"

struct roberta;
struct vocab;

/* By a byte-level vocabulary, which stays the caller's; dies when it has no <s>. */
struct roberta *roberta_new(const struct vocab *v);
void roberta_free(struct roberta *r);
/* Is it <s> or </s>? */
int roberta_is_frame(const struct roberta *r, int id);
/* <s>, the ids of a UTF-8 text, </s>: at most `most` in all; 1 when its end was cut off. */
int roberta_encode(const struct roberta *r, const char *text, size_t n, size_t most,
                   struct ids *out);
