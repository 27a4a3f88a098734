#include "tokenize/tokenize.h"
#include "base/base.h"
#include "base/ordered.h"
#include "base/progress.h"
#include "text/learn.h"
#include "text/split.h"
#include "text/subword_learn.h"
#include <stdlib.h>
#include <unistd.h>

struct job {
    struct documents *documents;
    struct splitter **splitters;        /* one for each thread, as are the counts */
    struct piece_counts **counts;
    struct progress progress;
};

static int fill(void *context, void *slot)
{
    struct job *j = context;
    return documents_next(j->documents, slot);
}

static void work(void *context, void *slot, int thread)
{
    struct job *j = context;
    struct text_batch *b = slot;

    batch_unpack(b);
    for (size_t i = 0; i < b->n_spans; i++) {
        const unsigned char *text = b->text + b->spans[i].begin;
        size_t pieces;
        const uint32_t *starts = split(j->splitters[thread], text,
                                       b->spans[i].end - b->spans[i].begin, &pieces);
        counts_add(j->counts[thread], text, starts, pieces);
    }
}

static void drain(void *context, void *slot)
{
    struct job *j = context;
    (void)slot;
    progress_show(&j->progress, (double)documents_bytes(j->documents), "counting");
}

static void release(void *slot)
{
    batch_free(slot);
}

static void must_be_new(const char *path)
{
    if (!access(path, F_OK))
        die("%s: is there already; a vocabulary is never overwritten", path);
}

void learn(const struct document_source *from, int size, const char *path)
{
    const int threads = ordered_threads();
    struct job j = {.documents = documents_open(from),
                    .splitters = zalloc((size_t)threads, sizeof *j.splitters),
                    .counts = zalloc((size_t)threads, sizeof *j.counts),
                    .progress = progress_begin("bytes", 0, 0)};

    must_be_new(path);
    for (int i = 0; i < threads; i++) {
        j.splitters[i] = splitter_new();
        j.counts[i] = counts_new();
    }
    const struct ordered o = {&j, sizeof(struct text_batch), fill, work, drain, release};
    ordered_run(&o, threads);
    progress_end(&j.progress);
    documents_close(j.documents);
    for (int i = 0; i < threads; i++) {
        splitter_free(j.splitters[i]);
        if (i) {
            counts_merge(j.counts[0], j.counts[i]);
            counts_free(j.counts[i]);
        }
    }
    if (!j.counts[0]->used)
        die("there is no text to learn from");
    struct vocab *v = learn_vocab(j.counts[0], size);
    if (vocab_size(v) < size)
        warn("%s has %d ids, not %d: the text has no more pairs to merge", path, vocab_size(v),
             size);
    learn_save(v, path);
    vocab_free(v);
    counts_free(j.counts[0]);
    free(j.splitters);
    free(j.counts);
}

void learn_subword(const struct document_source *from, int merges, const char *path)
{
    struct document_source source = *from;
    struct subword_counts *counts = subword_counts_new();
    struct progress progress = progress_begin("bytes", 0, 0);
    struct text_batch b = {0};

    must_be_new(path);
    source.cut = CUT_BLANKS;
    struct documents *d = documents_open(&source);
    while (documents_next(d, &b)) {
        batch_unpack(&b);
        for (size_t i = 0; i < b.n_spans; i++)
            subword_count(counts, b.text + b.spans[i].begin, b.spans[i].end - b.spans[i].begin);
        progress_show(&progress, (double)documents_bytes(d), "counting");
    }
    progress_end(&progress);
    documents_close(d);
    batch_free(&b);
    if (!subword_counts_used(counts))
        die("there is no text to learn from");
    const int done = subword_learn(counts, merges, path);
    if (done < merges)
        warn("%s has %d merges, not %d: no other pair stands twice in the text", path, done,
             merges);
    subword_counts_free(counts);
}
