/* words.c - what the scores of texts rest on, against the plain way: masks of bytes, ids of words,
 * n-grams in common, the longest common subsequence.  All exact. */
#include "base/base.h"
#include "base/random.h"
#include "tests/tap.h"
#include "text/byte_masks.h"
#include "text/lcs.h"
#include "text/ngrams.h"
#include <stdlib.h>
#include <string.h>

enum { MOST = 300 };

static uint64_t drawn;

static int draw(int n)
{
    return (int)random_below(7, 1, 0, drawn++, (uint64_t)n);
}

static void test_masks(void)
{
    unsigned char classes[128];
    char text[MOST + MASKS_PAD];
    struct byte_masks a[MOST / 64 + 1], b[MOST / 64 + 1];
    int wrong = 0;
    for (int i = 0; i < 128; i++)
        classes[i] = (unsigned char)draw(1 << BYTE_CLASSES);
    for (size_t n = 0; n < MOST; n++) {
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (char)draw(256);
        byte_masks(classes, text, n, a);
        byte_masks_plain(classes, text, n, b);
        wrong += memcmp(a, b, (n / 64 + 1) * sizeof *a) != 0;
        for (size_t i = 0; i < n; i++) {
            const unsigned char c = (unsigned char)text[i];
            for (int k = 0; k < BYTE_CLASSES; k++)
                wrong += masks_has(a, k, i) != (c < 128 && (classes[c] >> k & 1));
            wrong += (a[i / 64].wide >> i % 64 & 1) != (c >= 128);
        }
    }
    ok(!wrong, "masks of bytes are those of one byte after the other, with vectors and without");
}

static void test_ids(void)
{
    struct words *one = words_new(), *many = words_new();
    char text[MOST + WORDS_PAD];
    uint32_t from[MOST], to[MOST];
    int ids[MOST], wrong = 0;
    for (int round = 0; round < 500; round++) {
        size_t n = 0;
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (char)('a' + draw(2));
        for (uint32_t at = 0; at < MOST; n++) {
            from[n] = at;
            to[n] = at + (uint32_t)draw(draw(8) ? 6 : 40);
            to[n] = to[n] < MOST ? to[n] : MOST;
            at = to[n] + (uint32_t)draw(2);
            if (n == MOST - 1)
                break;
        }
        words_ids(many, text, from, to, n, ids);
        for (size_t i = 0; i < n; i++) {
            const size_t size = to[i] - from[i];
            char *word = zalloc(size + 1, 1);       /* nothing can be read behind it */
            memcpy(word, text + from[i], size);
            word = realloc(word, size ? size : 1);
            const struct span s = words_text(many, ids[i]);
            wrong += words_id(one, word, size) != ids[i] || words_find(many, word, size) != ids[i]
                  || s.n != size || memcmp(s.at, word, size);
            free(word);
        }
    }
    ok(!wrong && words_count(many) > 1000, "%d words have the same ids one by one and at once",
       words_count(many));
    words_free(one);
    words_free(many);
}

static void fill(struct ids *list, int n, int different)
{
    list->n = 0;
    for (int i = 0; i < n; i++)
        ids_add(list, draw(different));
}

/* How often the n-gram at `at` stands in a text, up to place `end`. */
static size_t times(const int *at, size_t n, const struct ids *text, size_t end)
{
    size_t found = 0;
    for (size_t i = 0; i + n <= text->n && i < end; i++)
        found += !memcmp(text->at + i, at, n * sizeof *at);
    return found;
}

static size_t plain_hits(const struct ids *candidate, const struct ids *references, int many,
                         size_t n)
{
    size_t hits = 0;
    for (size_t i = 0; i + n <= candidate->n; i++) {
        size_t most = 0;
        for (int r = 0; r < many; r++) {
            const size_t there = times(candidate->at + i, n, &references[r], references[r].n);
            most = there > most ? there : most;
        }
        hits += times(candidate->at + i, n, candidate, i) < most;
    }
    return hits;
}

/* References of up to 64 words take one way, of more another. */
static void test_ngrams(int longest, const char *what)
{
    struct ngrams *g = ngrams_new();
    struct ids candidate = {0}, references[3] = {{0}};
    size_t hits[MAX_ORDER], sum = 0;
    int wrong = 0;
    for (int round = 0; round < 300; round++) {
        const int many = 1 + draw(3), different = 2 + draw(40), orders = 1 + draw(MAX_ORDER);
        fill(&candidate, draw(longest + 1), different);
        for (int r = 0; r < many; r++)
            fill(&references[r], r ? draw(longest + 1) : longest - draw(2), different);
        ngrams_match(g, &candidate, references, many, orders, hits);
        for (int n = 1; n <= orders; n++) {
            wrong += hits[n - 1] != plain_hits(&candidate, references, many, (size_t)n);
            sum += hits[n - 1];
        }
    }
    ok(!wrong && sum > 300, "n-grams in common with %s: %zu", what, sum);
    free(candidate.at);
    for (int r = 0; r < 3; r++)
        free(references[r].at);
    ngrams_free(g);
}

static size_t plain_lcs(const struct ids *a, const struct ids *b)
{
    size_t rows[2][MOST + 1] = {{0}};
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < b->n; j++) {
            const size_t up = rows[i % 2][j + 1], left = rows[(i + 1) % 2][j];
            rows[(i + 1) % 2][j + 1] = a->at[i] == b->at[j] ? rows[i % 2][j] + 1
                                     : up > left ? up : left;
        }
    return rows[a->n % 2][b->n];
}

static void test_lcs(void)
{
    struct lcs *l = lcs_new();
    struct ids a = {0}, b = {0};
    int wrong = 0;
    for (int round = 0; round < 500; round++) {
        const int different = 2 + draw(60);
        fill(&a, draw(MOST), different);
        fill(&b, draw(MOST), different);
        wrong += lcs_length(l, &a, &b) != plain_lcs(&a, &b);
    }
    ok(!wrong, "the longest common subsequence is the table's");
    free(a.at);
    free(b.at);
    lcs_free(l);
}

int main(void)
{
    program = "words";
    test_masks();
    test_ids();
    test_ngrams(8, "a few words");
    test_ngrams(64, "64 words");
    test_ngrams(66, "longer references");
    test_lcs();
    return tap_end();
}
