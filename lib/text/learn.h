/* learn.h - byte-level BPE vocabularies from counted pieces.
 *
 * Time and again the most frequent pair of neighbours becomes a token; of equal
 * counts the pair with the lower left id, then the lower right id, comes first.  Ids
 * are GPT-2's: the 256 bytes in its order, the merges, the end of text.  The result
 * is that of Hugging Face's BpeTrainer with ByteLevel's alphabet. */
#pragma once
#include "text/count.h"
#include "text/vocab.h"

/* A vocabulary of `size` ids (at least 257), or of fewer when no pair is left. */
struct vocab *learn_vocab(const struct piece_counts *counts, int size);
/* Write it as the folder `path`, whole or not at all. */
void learn_save(const struct vocab *v, const char *path);
