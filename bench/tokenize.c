/* tokenize.c - encode, decode and learn in one process, as a peer's library call is timed:
 *     tokenize VOCAB.BPE TEXT THREADS
 * The text is cut into documents of some 64 kB, as the peers' is.  Rows: what, threads, MB of
 * text a second, MB a second of CPU time. */
#include "base/base.h"
#include "base/file.h"
#include "base/progress.h"
#include "text/decoder.h"
#include "text/encoder.h"
#include "text/learn.h"
#include "text/split.h"
#include "text/vocab_inside.h"
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { DOCUMENT = 1 << 16, TABLE_BITS = 19, LEARNED = 8192 };

/* Its ids and its text again stand at a place of their own. */
struct document { size_t begin, end, place, ids; };

struct corpus {
    unsigned char *text;
    size_t size, n;
    struct document *documents;
    int *ids;
    char *again;
};

struct clocks { double wall, cpu; };

static int threads;

static struct clocks now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (struct clocks){seconds_now(), (double)t.tv_sec + 1e-9 * (double)t.tv_nsec};
}

static void row(const char *what, struct clocks from, size_t bytes)
{
    const struct clocks to = now();
    printf("%s\t%d\t%.1f\t%.1f\n", what, threads, 1e-6 * (double)bytes / (to.wall - from.wall),
           1e-6 * (double)bytes / (to.cpu - from.cpu));
}

static struct corpus open_corpus(const struct mapped *m)
{
    struct corpus c = {.text = zalloc(m->size + ENCODER_PAD, 1), .size = m->size};
    size_t room = 0;
    memcpy(c.text, m->data, m->size);
    for (size_t at = 0; at < m->size; c.n++) {
        const size_t least = m->size - at < DOCUMENT ? m->size : at + DOCUMENT;
        const unsigned char *stop = memchr(c.text + least, '\n', m->size - least);
        const size_t end = stop ? (size_t)(stop - c.text) + 1 : m->size;
        c.documents = grow(c.documents, c.n, sizeof *c.documents);
        c.documents[c.n] = (struct document){.begin = at, .end = end, .place = room};
        room += end - at + ENCODER_PAD;
        at = end;
    }
    c.ids = zalloc(room, sizeof *c.ids);
    c.again = zalloc(room, 1);
    memset(c.ids, 1, room * sizeof *c.ids);     /* pages are there before the clock runs */
    memset(c.again, 1, room);
    return c;
}

static void encode(struct corpus *c, struct encoder *const *encoders)
{
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (size_t i = 0; i < c->n; i++) {
        struct document *d = &c->documents[i];
        d->ids = encoder_run(encoders[omp_get_thread_num()], c->text + d->begin,
                             d->end - d->begin, c->ids + d->place);
    }
}

static void bench_encode(struct corpus *c, const struct vocab *v)
{
    struct encoder **encoders = zalloc((size_t)threads, sizeof *encoders);
    struct clocks t = now();
    for (int i = 0; i < threads; i++)
        encoders[i] = encoder_new(v, TABLE_BITS);
    encode(c, encoders);
    row("keel encode, cold", t, c->size);
    t = now();
    encode(c, encoders);
    row("keel encode, warm", t, c->size);
    for (int i = 0; i < threads; i++)
        encoder_free(encoders[i]);
    free(encoders);
}

static void bench_decode(const struct corpus *c, const struct vocab *v)
{
    struct decoder *decoder = decoder_new(v);
    const struct clocks t = now();
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (size_t i = 0; i < c->n; i++)
        decoder_run(decoder, c->ids + c->documents[i].place, c->documents[i].ids,
                    c->again + c->documents[i].place);
    row("keel decode", t, c->size);
    for (size_t i = 0; i < c->n; i++) {
        const struct document *d = &c->documents[i];
        if (memcmp(c->again + d->place, c->text + d->begin, d->end - d->begin))
            die("the text did not come back");
    }
    decoder_free(decoder);
}

static void bench_learn(const struct corpus *c)
{
    struct piece_counts **counts = zalloc((size_t)threads, sizeof *counts);
    const struct clocks t = now();
#pragma omp parallel num_threads(threads)
    {
        struct piece_counts *own = counts[omp_get_thread_num()] = counts_new();
        struct splitter *splitter = splitter_new();
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < c->n; i++) {
            const struct document *d = &c->documents[i];
            size_t pieces;
            const uint32_t *starts = split(splitter, c->text + d->begin, d->end - d->begin,
                                           &pieces);
            counts_add(own, c->text + d->begin, starts, pieces);
        }
        splitter_free(splitter);
    }
    for (int i = 1; i < threads; i++)
        counts_merge(counts[0], counts[i]);
    vocab_free(learn_vocab(counts[0], LEARNED));
    row("keel learn 8192", t, c->size);
    for (int i = 0; i < threads; i++)
        counts_free(counts[i]);
    free(counts);
}

int main(int argc, char **argv)
{
    struct mapped m, merges;
    program = "bench/tokenize";
    if (argc != 4 || file_map(argv[1], &merges) || file_map(argv[2], &m)
        || (threads = atoi(argv[3])) < 1)
        misuse("GPT-2's merges, a text and a number of threads are needed");
    struct vocab *v = zalloc(1, sizeof *v);
    if (vocab_from_bpe(v, (const char *)merges.data, merges.size))
        die("%s: not GPT-2's merges", argv[1]);
    struct corpus c = open_corpus(&m);
    bench_encode(&c, v);
    bench_decode(&c, v);
    bench_learn(&c);
    vocab_free(v);
    return finish();
}
