/* eval --forced RUN DATA: the arg-max's text of each window against the true text, scored as
 * --pairs, --rouge --stem and --bertscore do one after the other, in one pass and one row. */
#include "base/base.h"
#include "base/tsv.h"
#include "eval/bert.h"
#include "eval/eval.h"
#include "eval/judge.h"
#include "text/rouge.h"
#include <math.h>
#include <stdlib.h>

enum { KINDS = 3 };
static const int kinds[KINDS] = {1, 2, ROUGE_L};

struct forced {
    struct tally tally;
    struct vocab *vocab;
    struct rouge *rouge;
    struct bert *bert;      /* or NULL */
    double rouge_f[KINDS];  /* sums */
};

static void add(void *arg, const struct verdict *v)
{
    struct forced *f = arg;
    struct rouge_score scores[KINDS];
    struct span best, truth;

    tally_add(&f->tally, v);
    char *a = judge_text(f->vocab, v->best, v->n, &best.n);
    char *b = judge_text(f->vocab, v->targets, v->n, &truth.n);
    best.at = a;
    truth.at = b;
    rouge_score(f->rouge, best, &truth, 1, kinds, KINDS, scores);
    for (int k = 0; k < KINDS; k++)
        f->rouge_f[k] += scores[k].f;
    if (f->bert)
        bert_add(f->bert, best, &truth, 1);
    free(a);
    free(b);
}

/* bert: sums, or NULL. */
static void print_row(FILE *out, const struct forced *f, const struct prf *bert)
{
    const struct tally *t = &f->tally;
    const double windows = (double)t->windows, loss = t->loss / (double)t->tokens;
    const int equal = want.policy == POLICY_BLOCKS || want.policy == POLICY_RANDOM;
    const double cells[] = {
        (double)t->tokens, loss, exp(loss), equal ? t->window_exp / windows : NAN,
        f->rouge_f[0] / windows, f->rouge_f[1] / windows, f->rouge_f[2] / windows,
        bert ? bert->sum[0] / windows : NAN, bert ? bert->sum[1] / windows : NAN,
        bert ? bert->sum[2] / windows : NAN,
    };
    fputs("windows\ttokens\tloss\tperplexity\twindow_perplexity\trouge1_f\trouge2_f\trougeL_f\t"
          "bertscore_precision\tbertscore_recall\tbertscore_f\n", out);
    tsv_double(out, windows);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        fputc('\t', out);
        tsv_double(out, cells[i]);
    }
    fputc('\n', out);
}

void run_forced(FILE *out, const char *run, const char *data)
{
    struct judge *j = judge_open(run, data);
    struct forced f = {.vocab = judge_vocab(j), .rouge = rouge_new(ROUGE_ASCII, 1)};

    f.bert = want.encoder ? bert_open() : NULL;
    judge_run(j, add, &f);
    if (!f.tally.windows)
        die("%s: no token to score under the policy %s", data, policy_names[want.policy]);
    char *score = f.bert ? bert_signature(f.bert) : NULL;
    judge_notes(j, out, bertscore_options);
    tsv_note(out, "rouge", "F as rouge-score 0.1.2, with stems, of the arg-max's text");
    tsv_note(out, "bertscore", score ? score : "nan: not asked for by --bertscore ENCODER");
    print_row(out, &f, f.bert ? bert_run(f.bert, NULL) : NULL);
    free(score);
    if (f.bert)
        bert_close(f.bert);
    rouge_free(f.rouge);
    vocab_free(f.vocab);
    judge_close(j);
}
