#include "text/lcs.h"
#include "base/base.h"
#include "text/places.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct lcs {
    struct places places;
    unsigned char *carry;   /* of each word of b, from block to block */
    size_t room;
    int *rows;              /* two rows of the table */
    uint64_t *left;         /* for each cell: does the way back go left? */
    size_t rows_room, left_room;
};

struct lcs *lcs_new(void)
{
    return zalloc(1, sizeof(struct lcs));
}

void lcs_free(struct lcs *l)
{
    if (!l)
        return;
    free(l->places.of);
    free(l->carry);
    free(l->rows);
    free(l->left);
    free(l);
}

static void *make_room(void *old, size_t *room, size_t n, size_t size)
{
    if (n <= *room)
        return old;
    free(old);
    *room = 2 * n;
    return zalloc(2 * n, size);
}

/* One block of at most 64 words of a against all of b (Hyyro 2004): bit i of v falls when the
 * length at row i grows.  carry joins the blocks; the first has none to take. */
static uint64_t block_row(struct lcs *l, const struct ids *b, int first)
{
    uint64_t v = ~UINT64_C(0);
    for (size_t j = 0; j < b->n; j++) {
        const uint64_t mask = places_of(&l->places, b->at[j]);
        uint64_t sum, out;
        out = __builtin_add_overflow(v, v & mask, &sum);
        if (!first)
            out |= __builtin_add_overflow(sum, (uint64_t)l->carry[j], &sum);
        l->carry[j] = (unsigned char)out;
        v = sum | (v & ~mask);
    }
    return v;
}

size_t lcs_length(struct lcs *l, const struct ids *a, const struct ids *b)
{
    size_t length = 0;
    l->carry = make_room(l->carry, &l->room, b->n, sizeof *l->carry);
    for (size_t at = 0; at < a->n; at += MOST_PLACES) {
        const size_t n = a->n - at < MOST_PLACES ? a->n - at : MOST_PLACES;
        places_put(&l->places, a->at + at, n);
        const uint64_t v = block_row(l, b, !at);
        const uint64_t real = n < 64 ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0);
        places_take(&l->places, a->at + at, n);
        length += (size_t)__builtin_popcountll(~v & real);
    }
    return length;
}

void lcs_mark(struct lcs *l, const int *a, size_t n, const int *b, size_t m, char *marks)
{
    const size_t words = m / 64 + 1;
    l->rows = make_room(l->rows, &l->rows_room, 2 * (m + 1), sizeof *l->rows);
    l->left = make_room(l->left, &l->left_room, (n + 1) * words, sizeof *l->left);
    memset(l->left, 0, (n + 1) * words * sizeof *l->left);

    int *up = l->rows, *row = l->rows + m + 1;
    memset(up, 0, 2 * (m + 1) * sizeof *up);
    for (size_t i = 1; i <= n; i++) {
        uint64_t *left = l->left + i * words;
        row[0] = 0;
        for (size_t j = 1; j <= m; j++)
            if (a[i - 1] == b[j - 1]) {
                row[j] = up[j - 1] + 1;
            } else if (row[j - 1] > up[j]) {
                row[j] = row[j - 1];
                left[j / 64] |= UINT64_C(1) << j % 64;
            } else {
                row[j] = up[j];
            }
        int *swap = up;
        up = row;
        row = swap;
    }
    for (size_t i = n, j = m; i && j;)
        if (a[i - 1] == b[j - 1]) {
            marks[--i] = 1;
            j--;
        } else if (l->left[i * words + j / 64] >> j % 64 & 1) {
            j--;
        } else {
            i--;
        }
}
