/* eval - how good a model is: perplexity, teacher-forced and generated text, and the
 * scores of texts against references.  See eval(1). */
#include "eval/eval.h"
#include "base/base.h"
#include "base/file.h"
#include "base/tsv.h"
#include "eval/windows.h"
#include "graph/device.h"
#include "graph/profile.h"
#include <omp.h>
#include <string.h>

struct options want = {.kinds = "1,2,L,Lsum", .seed = 1, .order = 4,
                       .smooth_value = -1, .layer = -1, .length = 200, .top_p = 1};

static const struct opt mode_options[] = {
    {0, "pairs", OPT_FLAG, &want.pairs, 0, 0, "write the arg-max's and the true text of windows",
     NULL},
    {0, "forced", OPT_FLAG, &want.forced, 0, 0,
     "perplexity and the scores of those texts, in one row", NULL},
    {0, "generate", OPT_TEXT, &want.prompt, 0, 0, "continue this text", NULL},
    {0, "rouge", OPT_FLAG, &want.rouge, 0, 0, "score pairs of texts by ROUGE", NULL},
    {0, "bleu", OPT_FLAG, &want.bleu, 0, 0, "score pairs of texts by BLEU", NULL},
    {0, "bertscore", OPT_TEXT, &want.encoder, 0, 0,
     "score pairs of texts by this folder's BERT or RoBERTa", NULL},
    {0},
};

static const struct opt profile_options[] = {
    {0, "profile", OPT_FLAG, &device_profile, 0, 0,
     "at the end print on standard error where the time went, by operation", NULL},
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

static const char *const word_names[] = {"ascii", "unicode", NULL};

const struct opt rouge_options[] = {
    {0, "kinds", OPT_TEXT, &want.kinds, 0, 0, "of ROUGE: any of 1 ... 9, L, Lsum", NULL},
    {0, "words", OPT_CHOICE, &want.words, 0, 0, "letters and digits that words are made of",
     word_names},
    {0, "stem", OPT_FLAG, &want.stem, 0, 0, "compare words by their Porter stems", NULL},
    {0},
};

static const char *const split_names[] = {"val", "train", NULL};

const struct opt window_options[] = {
    {0, "policy", OPT_CHOICE, &want.policy, 0, 0, "how the data is cut into windows",
     policy_names},
    {0, "split", OPT_CHOICE, &want.train, 0, 0, "of a shard set", split_names},
    {0, "windows", OPT_COUNT, &want.windows, 0, 1e12,
     "how many; 0: all (1200 of random); without --policy: random ones", NULL},
    {0, "window", OPT_INT, &want.window, 0, 1 << 20, "tokens in a window; 0: the model's context",
     NULL},
    {0, "stride", OPT_INT, &want.stride, 0, 1 << 20,
     "tokens between windows of the policy stride; 0: a window", NULL},
    {0, "batch", OPT_INT, &want.batch, 0, MAX_BATCH, "windows in a pass; 0: chosen", NULL},
    {0},
};

const struct opt generate_options[] = {
    {0, "tokens", OPT_COUNT, &want.length, 1, 1e9, "to generate", NULL},
    {0, "temperature", OPT_REAL, &want.temperature, 0, 1e6, "of sampling; 0: the likeliest id",
     NULL},
    {0, "top-k", OPT_INT, &want.top_k, 0, 1 << 24, "sample among so many ids; 0: all", NULL},
    {0, "top-p", OPT_REAL, &want.top_p, 0, 1, "sample among ids that make up this share", NULL},
    {0, "stop", OPT_FLAG, &want.stop, 0, 0, "end where the model ends the text", NULL},
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
    {0, "against", OPT_TEXT, &want.against, 0, 0,
     "compare with this file of another system's candidates by a paired bootstrap", NULL},
    {0},
};

const struct opt bertscore_options[] = {
    {0, "layer", OPT_INT, &want.layer, -1, 512,
     "block whose hidden states are compared; -1: the usual one of that model", NULL},
    {0, "idf", OPT_FLAG, &want.idf, 0, 0, "weigh tokens by how rare they are in the references",
     NULL},
    {0, "baseline", OPT_TEXT, &want.baseline, 0, 0, "rescale by this file's row LAYER,P,R,F",
     NULL},
    {0},
};

struct pairs *pairs_from(int n, char **operands)
{
    static FILE *streams[1 + MAX_REFERENCES];
    static const char *names[1 + MAX_REFERENCES];

    int standards = 0;

    if (n > 1 + MAX_REFERENCES)
        misuse("more than %d files of references", MAX_REFERENCES);
    for (int i = 0; i < n || !i; i++) {
        const int standard = !n || !strcmp(operands[i], "-");
        if ((standards += standard) > 1)
            misuse("-: standard input can be one of the files only");
        names[i] = standard ? "stdin" : operands[i];
        streams[i] = standard ? stdin : fopen(operands[i], "r");
        if (!streams[i])
            die("%s:", operands[i]);
    }
    return pairs_open(streams, names, n ? n : 1);
}

void need_pairs(size_t n)
{
    if (!n)
        die("no pairs: the input is empty");
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

/* Take what the options say together, and one mode. */
static void settle(void)
{
    const int modes = want.rouge + want.bleu + want.pairs + want.forced + (want.prompt != NULL);
    if (modes + (want.encoder && !want.forced) > 1)
        misuse("--rouge, --bleu, --bertscore, --pairs, --forced and --generate exclude each "
               "other, but for --forced --bertscore");
    if ((want.windows || want.forced) && !opt_given("policy"))
        want.policy = POLICY_RANDOM;
    if (want.policy == POLICY_RANDOM && !want.windows)
        want.windows = 1200;                        /* paper A's */
    if (want.against && (!want.bleu || want.each))
        misuse("--against: only --bleu compares systems, and not with --each");
    if (want.resamples && want.each)
        misuse("--bootstrap: with --each there is no mean that could have an interval");
    if (want.against && !want.resamples)
        want.resamples = 1000;
    if (want.stride && want.policy != POLICY_STRIDE)
        misuse("--stride: only --policy stride has one");
    if ((opt_given("top-k") || opt_given("top-p")) && !opt_given("temperature"))
        want.temperature = 1;
    if (opt_threads)
        omp_set_num_threads(opt_threads);
}

/* An option without a part in the mode would look as if it had one. */
static void refuse(int has, const struct opt *table)
{
    for (const struct opt *o = table; !has && o->name; o++)
        if (opt_given(o->name))
            misuse("--%s: has no part in what is asked for; see %s -h", o->name, program);
}

static void refuse_idle(void)
{
    const int scores = want.rouge || want.bleu || (want.encoder && !want.forced);

    refuse(!scores || want.encoder, device_options);
    refuse(!scores || want.encoder, profile_options);
    refuse(!scores && !want.prompt, window_options);
    refuse(want.prompt != NULL, generate_options);
    refuse(scores, score_options);
    refuse(want.rouge, rouge_options);
    refuse(want.bleu, bleu_options);
    refuse(want.encoder != NULL, bertscore_options);
}

static void need(int have, int operands, const char *what)
{
    if (have != operands)
        misuse("%d operands where %s needed; see %s -h", have, what, program);
}

int main(int argc, char **argv)
{
    static const char synopsis[] =
        "[option ...] RUN DATA\n"
        "       eval --pairs [option ...] RUN DATA\n"
        "       eval --forced [--bertscore ENCODER] [option ...] RUN DATA\n"
        "       eval --generate TEXT [option ...] RUN\n"
        "       eval --rouge|--bleu|--bertscore ENCODER [option ...]\n"
        "            [PAIRS | CANDIDATES REFERENCES ...]";
    const struct opt *const tables[] = {mode_options, output_options, device_options,
                                        profile_options,
                                        window_options, generate_options, score_options,
                                        rouge_options, bleu_options, bertscore_options, NULL};
    const int first = opt_parse(argc, argv, tables, synopsis), n = argc - first;
    char **operands = argv + first;

    settle();
    refuse_idle();
    if (!want.rouge && !want.bleu && (!want.encoder || want.forced))
        need(n, want.prompt ? 1 : 2, want.prompt ? "one RUN is" : "RUN and DATA are");
    struct outfile *file = want.output ? outfile_open(want.output) : NULL;
    FILE *out = file ? file->f : stdout;
    if (want.rouge)
        run_rouge(out, n, operands);
    else if (want.bleu)
        run_bleu(out, n, operands);
    else if (want.forced)
        run_forced(out, operands[0], operands[1]);
    else if (want.encoder)
        run_bertscore(out, n, operands);
    else if (want.prompt)
        run_generate(out, operands[0]);
    else if (want.pairs)
        run_pairs(out, operands[0], operands[1]);
    else
        run_perplexity(out, operands[0], operands[1]);
    if (file)
        outfile_commit(file);
    if (device_profile)
        profile_print(stderr);
    return finish();
}
