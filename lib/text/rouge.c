#include "text/rouge.h"
#include "base/base.h"
#include "text/lcs.h"
#include "text/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rouge {
    struct rouge_splitter *splitter;
    int blind;
    struct ngrams *ngrams;
    struct lcs *lcs;
    struct rouge_text candidate, reference;
    struct ids left_c, left_r;          /* Lsum's remaining counts, by id */
    char *marks;
    size_t marks_room;
};

struct rouge *rouge_new(enum rouge_words kind, int stem)
{
    struct rouge *r = zalloc(1, sizeof *r);
    r->splitter = rouge_splitter_new(kind, stem);
    r->ngrams = ngrams_new();
    r->lcs = lcs_new();
    return r;
}

void rouge_free(struct rouge *r)
{
    if (!r)
        return;
    rouge_splitter_free(r->splitter);
    ngrams_free(r->ngrams);
    lcs_free(r->lcs);
    rouge_text_free(&r->candidate);
    rouge_text_free(&r->reference);
    free(r->left_c.at);
    free(r->left_r.at);
    free(r->marks);
    free(r);
}

int rouge_kind(const char *name)
{
    if (name[0] >= '1' && name[0] <= '9' && !name[1])
        return name[0] - '0';
    return !strcmp(name, "L") ? ROUGE_L : !strcmp(name, "Lsum") ? ROUGE_LSUM : 0;
}

const char *rouge_name(int kind)
{
    static const char *const names[ROUGE_KINDS] = {
        NULL, "rouge1", "rouge2", "rouge3", "rouge4", "rouge5", "rouge6", "rouge7", "rouge8",
        "rouge9", "rougeL", "rougeLsum",
    };
    return names[kind];
}

int rouge_was_blind(const struct rouge *r)
{
    return r->blind;
}

static void split(struct rouge *r, struct span s, struct rouge_text *t)
{
    rouge_split(r->splitter, s, t);
    r->blind |= !t->words.n && utf8_ascii(s.at, s.n) < s.n;
}

static struct rouge_score score_of(size_t hits, size_t candidate, size_t reference)
{
    const double p = (double)hits / (double)(candidate ? candidate : 1);
    const double r = (double)hits / (double)(reference ? reference : 1);
    return (struct rouge_score){p, r, p + r > 0 ? 2 * p * r / (p + r) : 0};
}

static struct rouge_score n_gram_score(const struct rouge *r, int order, const size_t *hits)
{
    const size_t n = (size_t)order - 1, c = r->candidate.words.n, f = r->reference.words.n;
    return score_of(hits[order - 1], c > n ? c - n : 0, f > n ? f - n : 0);
}

/* How often each id stands in a text, as a list by id; ids of the other text count 0. */
static void count_ids(struct ids *counts, int n_ids, const struct ids *words,
                      const struct ids *others)
{
    while (counts->n < (size_t)n_ids)
        ids_add(counts, 0);
    for (size_t i = 0; i < others->n; i++)
        counts->at[others->at[i]] = 0;
    for (size_t i = 0; i < words->n; i++)
        counts->at[words->at[i]] = 0;
    for (size_t i = 0; i < words->n; i++)
        counts->at[words->at[i]]++;
}

/* Union over the candidate's lines of the words of each reference line that an LCS takes;
 * each counts while both texts still have some of that word left. */
static size_t summary_hits(struct rouge *r)
{
    const struct rouge_text *c = &r->candidate, *f = &r->reference;
    const int n_ids = rouge_splitter_ids(r->splitter);
    size_t hits = 0;

    if (f->words.n > r->marks_room) {
        free(r->marks);
        r->marks = zalloc(r->marks_room = 2 * f->words.n, 1);
    }
    memset(r->marks, 0, f->words.n);
    count_ids(&r->left_c, n_ids, &c->words, &f->words);
    count_ids(&r->left_r, n_ids, &f->words, &c->words);
    for (size_t i = 0, from = 0; i < f->lines.n; from = (size_t)f->lines.at[i++])
        for (size_t j = 0, at = 0; j < c->lines.n; at = (size_t)c->lines.at[j++])
            lcs_mark(r->lcs, f->words.at + from, (size_t)f->lines.at[i] - from,
                     c->words.at + at, (size_t)c->lines.at[j] - at, r->marks + from);
    for (size_t i = 0; i < f->words.n; i++) {
        const int id = f->words.at[i];
        if (r->marks[i] && r->left_r.at[id] > 0 && r->left_c.at[id] > 0) {
            r->left_r.at[id]--;
            r->left_c.at[id]--;
            hits++;
        }
    }
    return hits;
}

/* One reference, already split. */
static struct rouge_score score_kind(struct rouge *r, int kind, const size_t *hits)
{
    const size_t c = r->candidate.words.n, f = r->reference.words.n;
    if (kind <= MAX_ORDER)
        return n_gram_score(r, kind, hits);
    if (!c || !f)
        return (struct rouge_score){0};
    return score_of(kind == ROUGE_L ? lcs_length(r->lcs, &r->reference.words, &r->candidate.words)
                                    : summary_hits(r), c, f);
}

void rouge_score(struct rouge *r, struct span candidate, const struct span *references,
                 int n_references, const int *kinds, int n, struct rouge_score *scores)
{
    size_t hits[MAX_ORDER];
    int orders = 0;

    for (int k = 0; k < n; k++)
        if (kinds[k] <= MAX_ORDER && kinds[k] > orders)
            orders = kinds[k];
    rouge_splitter_rest(r->splitter);
    r->blind = 0;
    split(r, candidate, &r->candidate);
    for (int i = 0; i < n_references; i++) {
        split(r, references[i], &r->reference);
        ngrams_match(r->ngrams, &r->candidate.words, &r->reference.words, 1, orders, hits);
        for (int k = 0; k < n; k++) {
            const struct rouge_score s = score_kind(r, kinds[k], hits);
            if (!i || s.f > scores[k].f)
                scores[k] = s;
        }
    }
}

char *rouge_words(struct rouge *r, struct span text)
{
    char *joined;
    size_t size;
    FILE *f = open_memstream(&joined, &size);
    if (!f)
        die("out of memory");
    split(r, text, &r->candidate);
    for (size_t i = 0; i < r->candidate.words.n; i++) {
        const struct span w = rouge_splitter_word(r->splitter, r->candidate.words.at[i]);
        fprintf(f, "%s%.*s", i ? " " : "", (int)w.n, w.at);
    }
    if (fclose(f))
        die("out of memory");
    return joined;
}
