/* subword_learn.h - sub-word vocabularies from counted words.
 *
 * Time and again the most frequent pair of symbols that stand together in a word becomes one
 * symbol; of equally frequent pairs the one that comes last in the order of their text, first
 * the left symbols' and then the right ones', is taken.  Symbols of the same text are the same
 * symbol.  It ends with a pair that stands there only once.  So does subword-nmt's learn-bpe. */
#pragma once
#include <stddef.h>

struct subword_counts;
struct subword_counts *subword_counts_new(void);
void subword_counts_free(struct subword_counts *c);
/* Count the words of a text. */
void subword_count(struct subword_counts *c, const unsigned char *text, size_t n);

/* Distinct words. */
size_t subword_counts_used(const struct subword_counts *c);

/* Learn and write the folder `path`, whole or not at all: codes.txt with at most that many
 * merges, and vocab.txt, the units of the counted words (vocab_subword.c).  Returns the number
 * of merges. */
int subword_learn(const struct subword_counts *c, int merges, const char *path);
