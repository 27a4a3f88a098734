/* lcs.h - longest common subsequences of lists of ids. */
#pragma once
#include "text/words.h"

struct lcs;         /* room to work in */

struct lcs *lcs_new(void);
void lcs_free(struct lcs *l);

/* Its length. */
size_t lcs_length(struct lcs *l, const struct ids *a, const struct ids *b);
/* Set marks[i] where a[i] is on the subsequence that rouge-score's way back through the
 * table finds: equal words first, then left if that is strictly longer, else up. */
void lcs_mark(struct lcs *l, const int *a, size_t n, const int *b, size_t m, char *marks);
