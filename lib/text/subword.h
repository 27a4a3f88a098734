/* subword.h - sub-word units as translation recipes have them: byte-pair merges of characters,
 * the last one of a word marked </w> (Sennrich et al. 2016).  The files and the results are
 * those of subword-nmt 0.3.8's learn-bpe and apply-bpe; units that do not end a word carry "@@".
 *
 * Words stand between blanks (U+0020 only) and line ends, which are those of Python's
 * str.splitlines(): "\n" and "\r" part words, the others (U+000B, U+000C, U+001C-001E, U+0085,
 * U+2028, U+2029) are the last character of the word before them.  A byte that is not UTF-8 is
 * a character by itself. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define SUBWORD_MARK "@@"       /* behind a unit that another follows */
#define SUBWORD_END "</w>"      /* behind a word's last character, in the file of codes */
#define SUBWORD_VERSION "#version: 0.2"

/* A list of merges, most frequent first. */
struct subword;
struct subword *subword_new(void);
void subword_free(struct subword *s);
/* Read the merges of a file: NULL or what is wrong, which names the line (valid until the
 * next call of this thread). */
const char *subword_parse(struct subword *s, const char *text, size_t n);
/* The units of a word of n > 0 bytes: their number, and where each ends in ends[n]. */
size_t subword_units(const struct subword *s, const char *word, size_t n, uint32_t *ends);

/* The first word at or after *begin of n bytes: sets *begin, returns its end; n when there is
 * none, with *begin n, too. */
size_t subword_word(const unsigned char *text, size_t n, size_t *begin);
/* Is the last character of a word of n > 0 bytes a line end? */
int subword_ends_line(const unsigned char *word, size_t n);
/* Where a text that goes on may be cut, before blanks; 0: nowhere yet. */
size_t subword_cut(const unsigned char *text, size_t n);
/* Bytes of the character that n > 0 bytes begin with. */
size_t subword_character(const char *at, size_t n);
