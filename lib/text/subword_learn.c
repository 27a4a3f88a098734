#include "text/subword_learn.h"
#include "base/base.h"
#include "base/file.h"
#include "text/joins.h"
#include "text/subword.h"
#include "text/words.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 2 /* a pair that stands there less often is not merged */ };

/* Distinct words, or units, and how often each stands in the text. */
struct subword_counts {
    struct words *words;
    int64_t *counts;
};

struct subword_counts *subword_counts_new(void)
{
    struct subword_counts *c = zalloc(1, sizeof *c);
    c->words = words_new();
    return c;
}

void subword_counts_free(struct subword_counts *c)
{
    words_free(c->words);
    free(c->counts);
    free(c);
}

size_t subword_counts_used(const struct subword_counts *c)
{
    return (size_t)words_count(c->words);
}

static void count(struct subword_counts *c, const char *word, size_t n, int64_t times)
{
    const int before = words_count(c->words), id = words_id(c->words, word, n);
    if (id == before) {
        c->counts = grow(c->counts, (size_t)id, sizeof *c->counts);
        c->counts[id] = 0;
    }
    c->counts[id] += times;
}

void subword_count(struct subword_counts *c, const unsigned char *text, size_t n)
{
    for (size_t begin = 0, end; (end = subword_word(text, n, &begin)) > begin; begin = end)
        count(c, (const char *)text + begin, end - begin, 1);
}

static int compare(struct span a, struct span b)
{
    const int c = memcmp(a.at, b.at, a.n < b.n ? a.n : b.n);
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* UTF-8 in the order of its bytes is in the order of code points, as Python's strings are. */
static int later_text_first(const void *symbols, uint64_t a, uint64_t b)
{
    int c = compare(words_text(symbols, (int)(a >> 32)), words_text(symbols, (int)(b >> 32)));
    if (!c)
        c = compare(words_text(symbols, (int)(uint32_t)a), words_text(symbols, (int)(uint32_t)b));
    return c > 0;
}

/* A word as the symbols of its characters, into room for as many as it has bytes. */
static uint32_t characters(struct words *symbols, struct span word, uint32_t *out)
{
    char last[4 + sizeof SUBWORD_END];
    uint32_t n = 0;
    for (size_t at = 0, size; at < word.n; at += size) {
        size = subword_character(word.at + at, word.n - at);
        if (at + size < word.n) {
            out[n++] = (uint32_t)words_id(symbols, word.at + at, size);
            continue;
        }
        memcpy(last, word.at + at, size);
        memcpy(last + size, SUBWORD_END, strlen(SUBWORD_END));
        out[n++] = (uint32_t)words_id(symbols, last, size + strlen(SUBWORD_END));
    }
    return n;
}

/* Room for a 32-bit number for each byte of the longest word, and one more. */
static uint32_t *longest_room(const struct subword_counts *c)
{
    size_t longest = 0;
    for (int i = 0; i < words_count(c->words); i++)
        if (words_text(c->words, i).n > longest)
            longest = words_text(c->words, i).n;
    return zalloc(longest + 1, sizeof(uint32_t));
}

/* Write both symbols of a pair as a line; the symbol that they make. */
static uint32_t write_code(FILE *f, struct words *symbols, uint32_t left, uint32_t right)
{
    const struct span a = words_text(symbols, (int)left), b = words_text(symbols, (int)right);
    char *whole = zalloc(a.n + b.n, 1);
    memcpy(whole, a.at, a.n);
    memcpy(whole + a.n, b.at, b.n);
    fwrite(whole, 1, a.n, f);
    fputc(' ', f);
    fwrite(whole + a.n, 1, b.n, f);
    fputc('\n', f);
    const int id = words_id(symbols, whole, a.n + b.n);
    free(whole);
    return (uint32_t)id;
}

static int learn_codes(const struct subword_counts *c, int merges, FILE *f)
{
    struct words *symbols = words_new();
    struct joins *joins = joins_new(later_text_first, symbols);
    uint32_t *word = longest_room(c), left, right;
    int done = 0;

    for (int i = 0; i < words_count(c->words); i++) {
        const uint32_t n = characters(symbols, words_text(c->words, i), word);
        joins_word(joins, word, n, c->counts[i]);
    }
    fputs(SUBWORD_VERSION "\n", f);
    for (; done < merges && joins_best(joins, LEAST, &left, &right); done++)
        joins_merge(joins, write_code(f, symbols, left, right));
    free(word);
    joins_free(joins);
    words_free(symbols);
    return done;
}

/* How often each unit stands in the text. */
static struct subword_counts *count_units(const struct subword_counts *c, const struct subword *s)
{
    struct subword_counts *units = subword_counts_new();
    uint32_t *ends = longest_room(c);
    char *unit = (char *)longest_room(c);
    for (int i = 0; i < words_count(c->words); i++) {
        const struct span word = words_text(c->words, i);
        const size_t n = subword_units(s, word.at, word.n, ends);
        for (size_t k = 0; k < n; k++) {
            const uint32_t begin = k ? ends[k - 1] : 0;
            const size_t size = ends[k] - begin;
            memcpy(unit, word.at + begin, size);
            memcpy(unit + size, SUBWORD_MARK, strlen(SUBWORD_MARK));
            count(units, unit, size + (k + 1 < n ? strlen(SUBWORD_MARK) : 0), c->counts[i]);
        }
    }
    free(ends);
    free(unit);
    return units;
}

struct row { struct span unit; int64_t count; };

static int by_count(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : compare(x->unit, y->unit);
}

static void write_units(const struct subword_counts *units, FILE *f)
{
    const int n = words_count(units->words);
    struct row *rows = zalloc((size_t)n, sizeof *rows);
    for (int i = 0; i < n; i++)
        rows[i] = (struct row){words_text(units->words, i), units->counts[i]};
    qsort(rows, (size_t)n, sizeof *rows, by_count);
    for (int i = 0; i < n; i++) {
        fwrite(rows[i].unit.at, 1, rows[i].unit.n, f);
        fprintf(f, " %lld\n", (long long)rows[i].count);
    }
    free(rows);
}

static void save(const char *folder, const char *name, const char *text, size_t n)
{
    char *path = text_of("%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(text, 1, n, f) != n || fclose(f))
        die("%s:", path);
    free(path);
}

static FILE *memory(char **text, size_t *n)
{
    FILE *f = open_memstream(text, n);
    if (!f)
        die("out of memory");
    return f;
}

int subword_learn(const struct subword_counts *c, int merges, const char *path)
{
    char *codes, *dictionary, *folder = outdir_begin(path);
    size_t codes_size, dictionary_size;
    FILE *f = memory(&codes, &codes_size);
    const int done = learn_codes(c, merges, f);
    if (fclose(f))
        die("out of memory");

    struct subword *s = subword_new();
    const char *why = subword_parse(s, codes, codes_size);
    if (why)
        die("%s: codes.txt:%s", path, why);
    struct subword_counts *units = count_units(c, s);
    f = memory(&dictionary, &dictionary_size);
    write_units(units, f);
    if (fclose(f))
        die("out of memory");
    save(folder, "codes.txt", codes, codes_size);
    save(folder, "vocab.txt", dictionary, dictionary_size);
    outdir_commit(folder, path);
    subword_counts_free(units);
    subword_free(s);
    free(codes);
    free(dictionary);
    return done;
}
