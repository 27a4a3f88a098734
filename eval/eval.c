/* eval - how good a model is: perplexity, teacher-forced and generated text, and the
 * scores of texts against references.  See eval(1). */
#include "eval/eval.h"
#include "base/base.h"
#include "base/file.h"
#include "base/tsv.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

struct options want = {.kinds = "1,2,L,Lsum", .seed = 1, .order = 4,
                       .smooth_value = -1};

static const struct opt mode_options[] = {
    {0, "rouge", OPT_FLAG, &want.rouge, 0, 0, "score pairs of texts by ROUGE", NULL},
    {0, "bleu", OPT_FLAG, &want.bleu, 0, 0, "score pairs of texts by BLEU", NULL},
    {0},
};

const struct opt output_options[] = {
    {'o', "output", OPT_TEXT, &want.output, 0, 0, "write FILE, whole or not at all, not stdout",
     NULL},
    {'s', "seed", OPT_COUNT, &want.seed, 0, 4294967295.0, "of everything drawn at random", NULL},
    {0},
};

const struct opt score_options[] = {
    {0, "each", OPT_FLAG, &want.each, 0, 0, "a row for each pair, not the mean", NULL},
    {0, "bootstrap", OPT_INT, &want.resamples, 0, 1e6, "resamples for 95 % intervals; 0: none",
     NULL},
    {0},
};

const struct opt rouge_options[] = {
    {0, "kinds", OPT_TEXT, &want.kinds, 0, 0, "of ROUGE: any of 1 ... 9, L, Lsum", NULL},
    {0, "stem", OPT_FLAG, &want.stem, 0, 0, "compare words by their Porter stems", NULL},
    {0},
};

static const char *const tokenizer_names[] = {"13a", "intl", "char", "none", "fairseq",
                                              "multi-bleu", NULL};
static const char *const smooth_names[] = {"exp", "floor", "add-k", "none", NULL};

const struct opt bleu_options[] = {
    {0, "tokenizer", OPT_CHOICE, &want.tokenizer, 0, 0, "how a text is cut into words",
     tokenizer_names},
    {0, "lowercase", OPT_FLAG, &want.lower, 0, 0, "texts in lower case", NULL},
    {0, "split-compounds", OPT_FLAG, &want.compounds, 0, 0, "x-y as three words (WMT14 En-De)",
     NULL},
    {0, "smooth", OPT_CHOICE, &want.smooth, 0, 0, "orders without a match", smooth_names},
    {0, "smooth-value", OPT_REAL, &want.smooth_value, -1, 1e9,
     "of floor and add-k; -1: 0.1 and 1", NULL},
    {0, "order", OPT_INT, &want.order, 1, 9, "longest n-gram", NULL},
    {0},
};

struct pairs *pairs_from(int n, char **operands)
{
    static FILE *streams[1 + MAX_REFERENCES];
    static const char *names[1 + MAX_REFERENCES];

    if (n > 1 + MAX_REFERENCES)
        misuse("more than %d files of references", MAX_REFERENCES);
    for (int i = 0; i < n || !i; i++) {
        const int standard = !n || !strcmp(operands[i], "-");
        names[i] = standard ? "stdin" : operands[i];
        streams[i] = standard ? stdin : fopen(operands[i], "r");
        if (!streams[i])
            die("%s:", operands[i]);
    }
    return pairs_open(streams, names, n ? n : 1);
}

int pair_next(struct pairs *p, struct pair *pair)
{
    int more;
    const char *why = pairs_next(p, pair, &more);
    if (why)
        die("%s", why);
    if (!more && pair->number == 1)
        die("no pairs: the input is empty");
    return more;
}

void table_begin(FILE *out, const struct opt *own, const struct opt *more)
{
    const struct opt *const tables[] = {output_options, own, more, NULL};
    tsv_provenance(out, tables);
}

void metric(FILE *out, const char *name, double value)
{
    fprintf(out, "%s\t", name);
    tsv_double(out, value);
    fputc('\n', out);
}

int main(int argc, char **argv)
{
    const struct opt *const tables[] = {mode_options, output_options, score_options,
                                        rouge_options, bleu_options, NULL};
    const int first = opt_parse(argc, argv, tables,
                                "--rouge|--bleu [PAIRS | CANDIDATES REFERENCES ...]");
    struct outfile *file = want.output ? outfile_open(want.output) : NULL;
    FILE *out = file ? file->f : stdout;

    if (want.rouge)
        run_rouge(out, argc - first, argv + first);
    else if (want.bleu)
        run_bleu(out, argc - first, argv + first);
    else
        misuse("nothing to do; see %s -h", program);
    if (file)
        outfile_commit(file);
    return finish();
}
