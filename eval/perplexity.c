/* eval RUN DATA: loss, perplexities, bits per byte and accuracy under one policy. */
#include "base/base.h"
#include "base/tsv.h"
#include "eval/eval.h"
#include "eval/judge.h"
#include "eval/units.h"
#include <math.h>

static void add(void *arg, const struct verdict *v)
{
    tally_add(arg, v);
}

/* By text rather than by token.  When rolling, all of the text is scored and these are
 * lm-evaluation-harness's; else the tokens scored stand for all of the split. */
static void print_by_text(FILE *out, const struct judge *j, const struct tally *t)
{
    struct units u = {.bytes = (double)j->stream->bytes};
    double loss = t->loss / (double)t->tokens * (double)j->stream->n;

    if (want.policy == POLICY_ROLLING && !want.windows) {
        u = units_count(j->stream);
        loss = t->loss;
    }
    if (u.bytes > 0)
        metric(out, "bits_per_byte", loss / u.bytes / log(2));
    if (u.words > 0) {
        metric(out, "byte_perplexity", exp(loss / u.bytes));
        metric(out, "word_perplexity", exp(loss / u.words));
        metric(out, "bytes", u.bytes);
        metric(out, "words", u.words);
    }
}

void run_perplexity(FILE *out, const char *run, const char *data)
{
    struct tally t = {0};
    struct judge *j = judge_open(run, data);

    judge_run(j, add, &t);
    if (!t.tokens)
        die("%s: no token to score under the policy %s", data, policy_names[want.policy]);
    judge_notes(j, out, NULL);
    fputs("metric\tvalue\n", out);
    const double n = (double)t.tokens, mean = t.loss / n;
    metric(out, "windows", (double)t.windows);
    metric(out, "tokens", n);
    metric(out, "loss", mean);
    metric(out, "perplexity", exp(mean));
    if (want.policy == POLICY_BLOCKS || want.policy == POLICY_RANDOM)
        metric(out, "window_perplexity", t.window_exp / (double)t.windows);
    metric(out, "accuracy", (double)t.hits / n);
    if (!j->mask.share)
        print_by_text(out, j, &t);
    judge_close(j);
}
