/* scores.c - ROUGE and BLEU of any UTF-8 text, cut at its first line end into a candidate and
 * a reference: scores stand in their ranges, and a text scores full marks against itself. */
#include "tests/fuzz/fuzz.h"
#include "text/bleu.h"
#include "text/bleu_words.h"
#include "text/rouge.h"
#include "text/utf8.h"
#include <stdlib.h>
#include <string.h>

static void check(int good)
{
    if (!good)
        abort();
}

static void try_rouge(struct span c, struct span r, int stem)
{
    static const int kinds[] = {1, 2, 9, ROUGE_L, ROUGE_LSUM};
    struct rouge_score s[5], self[5];
    struct rouge *rouge = rouge_new(ROUGE_ASCII, stem);
    rouge_score(rouge, c, &r, 1, kinds, 5, s);
    rouge_score(rouge, c, &c, 1, kinds, 5, self);
    char *words = rouge_words(rouge, c);
    for (int i = 0; i < 5; i++)
        check(s[i].p >= 0 && s[i].p <= 1 && s[i].r >= 0 && s[i].r <= 1 && s[i].f <= 1);
    check(self[0].f == (*words != 0) && self[3].f == self[0].f && self[4].f == self[0].f);
    free(words);
    rouge_free(rouge);
}

static void try_bleu(struct span c, struct span r, enum bleu_tokenizer kind, int lower)
{
    const struct bleu_options o = {.order = 4, .value = -1, .effective = 1};
    struct bleu_words *words = bleu_words_new(kind, lower, kind == BLEU_NONE);
    struct ngrams *g = ngrams_new();
    struct ids a = {0}, b = {0};
    bleu_words(words, c, 0, &a);
    bleu_words(words, r, 1, &b);
    const struct bleu_counts n = bleu_count(g, &a, &b, 1, 4);
    const double score = bleu_score(&n, &o).score;
    check(score >= 0 && score < 100 + 1e-9 && n.hits[0] <= n.totals[0]);
    const struct bleu_counts self = bleu_count(g, &a, &a, 1, 4);
    check(self.hits[3] == self.totals[3] && self.reference == a.n);
    free(a.at);
    free(b.at);
    ngrams_free(g);
    bleu_words_free(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n;
    char *text = utf8_repaired((const char *)data, size, &n);
    const char *cut = memchr(text, '\n', n);
    const size_t first = cut ? (size_t)(cut - text) : n;
    const struct span c = {text, first}, r = {text + first, n - first};
    check(utf8_invalid(text, n) == n);
    try_rouge(c, r, 0);
    try_rouge(r, c, 1);
    for (int kind = BLEU_13A; kind <= BLEU_MULTI; kind++)
        try_bleu(c, r, (enum bleu_tokenizer)kind, kind & 1);
    free(text);
    return 0;
}
