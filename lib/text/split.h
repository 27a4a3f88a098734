/* split.h - GPT-2's pre-tokeniser: text into pieces that are encoded alone.
 *
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * The pattern looks ahead but never back, so a text may be cut before any piece
 * whose left neighbour is not white space, and its parts split alone. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct splitter;
struct splitter *splitter_new(void);
void splitter_free(struct splitter *s);

/* Where the pieces of a text of n < 4 GiB bytes begin, and n behind the last; valid
 * until the next call. */
const uint32_t *split(struct splitter *s, const unsigned char *text, size_t n, size_t *pieces);
/* The same without vector instructions: what split() is tested against. */
const uint32_t *split_plain(struct splitter *s, const unsigned char *text, size_t n,
                            size_t *pieces);

/* The last place in (0, n) where a text that goes on may be cut; 0: nowhere
 * yet, the text is one piece so far. */
size_t split_cut(struct splitter *s, const unsigned char *text, size_t n);
