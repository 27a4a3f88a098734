/* bleu_cuts.h - where the words of a text begin and end, by BLEU's tokenisers. */
#pragma once
#include "text/bleu_words.h"
#include "text/byte_masks.h"

struct marks;

/* Word i is the bytes [from[i], to[i]) of the text.  Begins all zero. */
struct bleu_cuts {
    uint32_t *from, *to;
    size_t n, room;
    struct byte_masks *blocks;
    struct marks *marks;
};

/* Cut n bytes of UTF-8, behind which MASKS_PAD can be read.  Returns whether 13a might have to
 * rewrite the text first: it has a line end or what may begin an entity. */
int bleu_cut(struct bleu_cuts *c, enum bleu_tokenizer kind, const char *text, size_t n);
void bleu_cuts_free(struct bleu_cuts *c);
