/* eval --pairs RUN DATA: for each window the text of the arg-max at every position and the
 * text of the true next tokens (papers.md A2, step 3), as pairs that --rouge reads. */
#include "base/tsv.h"
#include "eval/eval.h"
#include "eval/judge.h"
#include <stdlib.h>

struct writer {
    FILE *out;
    struct vocab *vocab;
};

static void write_ids(const struct writer *w, const int *ids, int n)
{
    size_t size;
    char *text = judge_text(w->vocab, ids, n, &size);
    pairs_write(w->out, text, size);
    free(text);
}

static void write_pair(void *arg, const struct verdict *v)
{
    const struct writer *w = arg;
    write_ids(w, v->best, v->n);
    fputc('\t', w->out);
    write_ids(w, v->targets, v->n);
    fputc('\n', w->out);
}

void run_pairs(FILE *out, const char *run, const char *data)
{
    struct judge *j = judge_open(run, data);
    struct writer w = {out, judge_vocab(j)};

    tsv_note(out, "pairs", "escaped");
    judge_notes(j, out, NULL);
    fputs("candidate\treference\n", out);
    judge_run(j, write_pair, &w);
    vocab_free(w.vocab);
    judge_close(j);
}
