/* eval --pairs RUN DATA: for each window the text of the arg-max at every position and the
 * text of the true next tokens (papers.md A2, step 3), as pairs that --rouge reads. */
#include "base/base.h"
#include "base/tsv.h"
#include "eval/eval.h"
#include "eval/judge.h"
#include "text/utf8.h"
#include "text/vocab.h"
#include <stdlib.h>

struct writer {
    FILE *out;
    struct vocab *vocab;
};

/* An end of text is written out, as tiktoken decodes it; bytes that are no UTF-8 (a character
 * cut by the window) become U+FFFD. */
static void write_ids(const struct writer *w, const int *ids, int n)
{
    char *raw;
    size_t size, whole;
    FILE *f = open_memstream(&raw, &size);
    if (!f)
        die("out of memory");
    for (int i = 0; i < n; i++) {
        size_t bytes;
        const char *text = vocab_bytes(w->vocab, ids[i], &bytes);
        if (ids[i] == vocab_eot(w->vocab))
            fputs("<|endoftext|>", f);
        else
            fwrite(text, 1, bytes, f);
    }
    if (fclose(f))
        die("out of memory");
    char *text = utf8_repaired(raw, size, &whole);
    pairs_write(w->out, text, whole);
    free(text);
    free(raw);
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
    const char *name = j->stream->kind.vocab;
    struct writer w = {out, vocab_open(*checkpoint_kind(j->checkpoint)->vocab
                                       ? checkpoint_kind(j->checkpoint)->vocab : name)};
    if (vocab_size(w.vocab) < j->stream->kind.size)
        die("%s: vocabulary %s has %d ids, the data %d", data, name, vocab_size(w.vocab),
            j->stream->kind.size);
    tsv_note(out, "pairs", "escaped");
    table_begin(out, model_run_options, window_options);
    judge_notes(j, out);
    fputs("candidate\treference\n", out);
    judge_run(j, write_pair, &w);
    vocab_free(w.vocab);
    judge_close(j);
}
