/* rouge.c - ROUGE against golden files of rouge-score and nltk (tests/golden/src/README.md).
 * Tolerance 1e-12: the same f64 operations in another order. */
#include "text/rouge.h"
#include "tests/golden.h"
#include "tests/tap.h"
#include "text/porter.h"
#include <math.h>
#include <string.h>

static void report(int good, const char *what, size_t cases, double worst)
{
    ok(good, "%s: %zu cases, largest difference %.3g", what, cases, worst);
}

static void test_stems(const char *folder)
{
    FILE *f = golden(folder, "rouge/stems.tsv");
    char *line = NULL;
    size_t room = 0, n = 0, wrong = 0;
    for (ssize_t size; (size = getline(&line, &room, f)) > 0; n++) {
        line[size - 1] = 0;
        char *want = strchr(line, '\t');
        *want++ = 0;
        const size_t left = porter_stem(line, strlen(line));
        line[left] = 0;
        if (strcmp(line, want)) {
            printf("# stem %s, want %s\n", line, want);
            wrong++;
        }
    }
    report(n > 10000 && !wrong, "Porter stems are nltk's", n, (double)wrong);
    free(line);
    fclose(f);
}

/* The words of a JSON list, joined by blanks. */
static char *joined(const json_t *list)
{
    char *text;
    size_t size, i;
    json_t *word;
    FILE *f = open_memstream(&text, &size);
    json_array_foreach(list, i, word)
        fprintf(f, "%s%s", i ? " " : "", json_string_value(word));
    fclose(f);
    return text;
}

static struct span span_of(const json_t *s)
{
    return (struct span){json_string_value(s), json_string_length(s)};
}

static void test_words(const char *folder, const char *file)
{
    FILE *f = golden(folder, file);
    struct rouge *r[2] = {rouge_new(ROUGE_ASCII, 0), rouge_new(ROUGE_ASCII, 1)};
    size_t n = 0, wrong = 0;
    for (json_t *o; (o = golden_line(f)); n++, json_decref(o))
        for (int stem = 0; stem < 2; stem++) {
            char *want = joined(json_object_get(o, stem ? "tok_stem" : "tok"));
            char *got = rouge_words(r[stem], span_of(json_object_get(o, "text")));
            wrong += strcmp(got, want) != 0;
            free(got);
            free(want);
        }
    report(n > 100 && !wrong, file, n, (double)wrong);
    rouge_free(r[0]);
    rouge_free(r[1]);
    fclose(f);
}

static void test_unicode(const char *folder)
{
    FILE *f = golden(folder, "rouge/unicode.jsonl");
    struct rouge *r = rouge_new(ROUGE_UNICODE, 0);
    size_t n = 0, wrong = 0;
    for (json_t *o; (o = golden_line(f)); n++, json_decref(o)) {
        char *want = joined(json_object_get(o, "tok"));
        char *got = rouge_words(r, span_of(json_object_get(o, "text")));
        if (strcmp(got, want))
            printf("# %s, want %s\n", got, want);
        wrong += strcmp(got, want) != 0;
        free(got);
        free(want);
    }
    report(n > 100 && !wrong, "words in many scripts", n, (double)wrong);
    rouge_free(r);
    fclose(f);
}

static const int kinds[] = {1, 2, 3, ROUGE_L, ROUGE_LSUM};
enum { KINDS = sizeof kinds / sizeof *kinds };

static double score_difference(const json_t *want, const struct rouge_score *got)
{
    double worst = 0;
    for (int k = 0; k < KINDS; k++) {
        const json_t *prf = json_object_get(want, rouge_name(kinds[k]));
        const double v[3] = {got[k].p, got[k].r, got[k].f};
        for (size_t i = 0; i < 3; i++) {
            const double d = fabs(json_number_value(json_array_get(prf, i)) - v[i]);
            worst = d > worst || isnan(d) ? d : worst;
        }
    }
    return worst;
}

/* The whole of pairs.jsonl or multi.jsonl, with and without stems. */
static void test_scores(const char *folder, const char *name)
{
    FILE *f = golden(folder, name);
    struct rouge *r[2] = {rouge_new(ROUGE_ASCII, 0), rouge_new(ROUGE_ASCII, 1)};
    struct rouge_score got[KINDS];
    struct span references[8];
    size_t n = 0;
    double worst = 0;
    for (json_t *o; (o = golden_line(f)); n++, json_decref(o)) {
        const json_t *refs = json_object_get(o, "refs");
        int many = 0;
        for (; refs && many < (int)json_array_size(refs); many++)
            references[many] = span_of(json_array_get(refs, (size_t)many));
        if (!refs)
            references[many++] = span_of(json_object_get(o, "ref"));
        for (int stem = 0; stem < 2; stem++) {
            rouge_score(r[stem], span_of(json_object_get(o, "hyp")), references, many, kinds, KINDS,
                        got);
            const double d = score_difference(json_object_get(o, stem ? "stem" : "nostem"), got);
            if (d > 1e-12)
                printf("# line %zu stem %d: %g\n", n + 1, stem, d);
            worst = d > worst ? d : worst;
        }
    }
    report(n >= 30 && worst <= 1e-12, name, n, worst);
    rouge_free(r[0]);
    rouge_free(r[1]);
    fclose(f);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "tests/golden";
    program = "rouge";
    test_stems(folder);
    test_words(folder, "rouge/tokens.jsonl");
    test_words(folder, "rouge/random.jsonl");
    test_unicode(folder);
    test_scores(folder, "rouge/pairs.jsonl");
    test_scores(folder, "rouge/multi.jsonl");
    return tap_end();
}
