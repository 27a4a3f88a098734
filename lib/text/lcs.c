#include "text/lcs.h"
#include "base/base.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct lcs {
    int *local;             /* of b's words: a small number, or none */
    uint64_t *masks;        /* where each of them stands in a block of a */
    unsigned char *carry;   /* of each word of b, from block to block */
    size_t room;
    struct words *words;
    int *rows;              /* two rows of the table */
    uint64_t *left;         /* for each cell: does the way back go left? */
    size_t rows_room, left_room;
};

struct lcs *lcs_new(void)
{
    struct lcs *l = zalloc(1, sizeof *l);
    l->words = words_new();
    return l;
}

void lcs_free(struct lcs *l)
{
    if (!l)
        return;
    words_free(l->words);
    free(l->local);
    free(l->masks);
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
 * length at row i grows.  `b` holds local numbers; carry joins the blocks. */
static uint64_t block_row(const int *b, size_t m, const uint64_t *masks, unsigned char *carry)
{
    uint64_t v = ~UINT64_C(0);
    for (size_t j = 0; j < m; j++) {
        const uint64_t mask = masks[b[j]];
        uint64_t sum, out;
        out = __builtin_add_overflow(v, v & mask, &sum);
        out |= __builtin_add_overflow(sum, (uint64_t)carry[j], &sum);
        carry[j] = (unsigned char)out;
        v = sum | (v & ~mask);
    }
    return v;
}

size_t lcs_length(struct lcs *l, const struct ids *a, const struct ids *b)
{
    const size_t need = a->n + b->n + 1;
    if (need > l->room) {
        size_t room = l->room;
        l->local = make_room(l->local, &room, need, sizeof *l->local);
        room = l->room;
        l->masks = make_room(l->masks, &room, need, sizeof *l->masks);
        l->carry = make_room(l->carry, &l->room, need, sizeof *l->carry);
    }
    words_clear(l->words);
    int *la = l->local, *lb = la + a->n;
    for (size_t i = 0; i < a->n; i++)
        la[i] = words_id(l->words, (const char *)&a->at[i], sizeof(int));
    const int known = words_count(l->words);
    size_t m = 0;
    for (size_t j = 0; j < b->n; j++) {
        const int id = words_id(l->words, (const char *)&b->at[j], sizeof(int));
        if (id < known)
            lb[m++] = id;       /* words that a lacks change nothing */
    }
    memset(l->carry, 0, m);

    size_t length = 0;
    for (size_t at = 0; at < a->n; at += 64) {
        const size_t n = a->n - at < 64 ? a->n - at : 64;
        for (size_t i = 0; i < n; i++)
            l->masks[la[at + i]] |= UINT64_C(1) << i;
        const uint64_t v = block_row(lb, m, l->masks, l->carry);
        const uint64_t real = n < 64 ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0);
        length += (size_t)__builtin_popcountll(~v & real);
        for (size_t i = 0; i < n; i++)
            l->masks[la[at + i]] = 0;
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
