#include "text/rouge.h"
#include "base/base.h"
#include "text/byte_masks.h"
#include "text/lcs.h"
#include "text/porter.h"
#include "text/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY_WORDS = 1 << 14 };

/* A text's words, and where its lines end (in words) for Lsum. */
struct text {
    struct ids words, lines;
};

struct rouge {
    struct words *words;
    int *stems;             /* of each word seen: the id that counts; -1: drop it; -2: not asked */
    size_t n_stems;
    int stem, blind;
    struct ngrams *ngrams;
    struct lcs *lcs;
    struct text candidate, reference;
    struct ids left_c, left_r;          /* Lsum's remaining counts, by id */
    char *marks;
    size_t marks_room;
    char *lower;                        /* a text in lower case */
    struct byte_masks *blocks;          /* of it */
    uint32_t *from, *to;                /* its words */
    size_t room;                        /* bytes of a text that these four have room for */
};

struct rouge *rouge_new(int stem)
{
    struct rouge *r = zalloc(1, sizeof *r);
    r->words = words_new();
    r->ngrams = ngrams_new();
    r->lcs = lcs_new();
    r->stem = stem;
    return r;
}

static void free_text(struct rouge *r)
{
    free(r->lower);
    free(r->blocks);
    free(r->from);
    free(r->to);
}

void rouge_free(struct rouge *r)
{
    if (!r)
        return;
    words_free(r->words);
    ngrams_free(r->ngrams);
    lcs_free(r->lcs);
    free(r->stems);
    free(r->candidate.words.at);
    free(r->candidate.lines.at);
    free(r->reference.words.at);
    free(r->reference.lines.at);
    free(r->left_c.at);
    free(r->left_r.at);
    free(r->marks);
    free_text(r);
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

/* The id that a word counts as: its stem's, and only beyond three letters; -1: drop it. */
static int stem_of(struct rouge *r, int id)
{
    while (r->n_stems <= (size_t)id) {
        r->stems = grow(r->stems, r->n_stems, sizeof *r->stems);
        r->stems[r->n_stems++] = -2;
    }
    if (r->stems[id] == -2) {
        const struct span word = words_text(r->words, id);
        char *copy = zalloc(word.n, 1);
        memcpy(copy, word.at, word.n);
        const size_t left = word.n > 3 ? porter_stem(copy, word.n) : word.n;
        const int stem = left ? words_id(r->words, copy, left) : -1;
        r->stems[id] = stem;
        free(copy);
    }
    return r->stems[id];
}

/* Two code points beyond ASCII have lower-case forms that begin in it: the Kelvin sign becomes
 * k, and a dotted capital I an i and a mark, which separates.  Write them so, in place. */
static size_t spell_out(char *text, size_t n)
{
    char *to = text;
    for (size_t i = 0; i < n;)
        if (n - i > 2 && !memcmp(text + i, "\xe2\x84\xaa", 3)) {
            *to++ = 'k';
            i += 3;
        } else if (n - i > 1 && !memcmp(text + i, "\xc4\xb0", 2)) {
            *to++ = 'i';
            *to++ = ' ';
            i += 2;
        } else {
            *to++ = text[i++];
        }
    return (size_t)(to - text);
}

/* The text in lower case into r->lower; returns its length. */
static size_t lower_text(struct rouge *r, struct span s)
{
    if (s.n >= r->room) {
        free_text(r);
        r->room = 2 * s.n + 64;
        r->lower = zalloc(r->room + MASKS_PAD, 1);
        r->blocks = zalloc(r->room / 64 + 1, sizeof *r->blocks);
        r->from = zalloc(r->room, sizeof *r->from);
        r->to = zalloc(r->room, sizeof *r->to);
    }
    for (size_t i = 0; i < s.n; i++)
        r->lower[i] = (char)(s.at[i] + ((unsigned char)(s.at[i] - 'A') < 26 ? 32 : 0));
    return utf8_ascii(s.at, s.n) < s.n ? spell_out(r->lower, s.n) : s.n;
}

enum { WORD, LINE_END };

/* The places of words in r->from and r->to; their number. */
static size_t find_words(struct rouge *r, size_t n)
{
    static const unsigned char classes[128] = {
        ['\n'] = 1 << LINE_END, ['0'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        ['a'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    };
    uint32_t *from = r->from, *to = r->to;
    uint64_t before = 0;
    byte_masks(classes, r->lower, n, r->blocks);
    for (size_t block = 0; block <= n / 64; block++) {
        const uint64_t word = r->blocks[block].of[WORD], after = word << 1 | before;
        from = mask_places(word & ~after, (uint32_t)(64 * block), from);
        to = mask_places(after & ~word, (uint32_t)(64 * block), to);
        before = word >> 63;
    }
    return (size_t)(from - r->from);
}

/* Where the lines end that are not empty, in the first `words` words. */
static void find_lines(struct rouge *r, size_t n, size_t words, struct ids *lines)
{
    size_t begin = 0, word = 0;
    for (size_t block = 0; block <= n / 64; block++)
        for (uint64_t ends = r->blocks[block].of[LINE_END]; ends; ends &= ends - 1) {
            const size_t end = 64 * block + (size_t)__builtin_ctzll(ends);
            while (word < words && r->from[word] < end)
                word++;
            if (end > begin)
                ids_add(lines, (int)word);
            begin = end + 1;
        }
    if (n > begin)
        ids_add(lines, (int)words);
}

/* Let only stems stand; the lines' ends move with them. */
static void stem_words(struct rouge *r, struct text *t)
{
    size_t n = 0, line = 0;
    for (size_t i = 0; i < t->words.n; i++) {
        while (line < t->lines.n && (size_t)t->lines.at[line] == i)
            t->lines.at[line++] = (int)n;
        const int stem = stem_of(r, t->words.at[i]);
        t->words.at[n] = stem;
        n += stem >= 0;
    }
    while (line < t->lines.n)
        t->lines.at[line++] = (int)n;
    t->words.n = n;
}

static void split(struct rouge *r, struct span s, struct text *t)
{
    const size_t size = lower_text(r, s), n = find_words(r, size);
    t->lines.n = 0;
    find_lines(r, size, n, &t->lines);
    ids_room(&t->words, n);
    words_ids(r->words, r->lower, r->from, r->to, n, t->words.at);
    t->words.n = n;
    if (r->stem)
        stem_words(r, t);
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
    const struct text *c = &r->candidate, *f = &r->reference;
    const int n_ids = words_count(r->words);
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
    if (words_count(r->words) > MANY_WORDS) {       /* memory stays bounded on any input */
        words_clear(r->words);
        r->n_stems = 0;
    }
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
        const struct span w = words_text(r->words, r->candidate.words.at[i]);
        fprintf(f, "%s%.*s", i ? " " : "", (int)w.n, w.at);
    }
    if (fclose(f))
        die("out of memory");
    return joined;
}
