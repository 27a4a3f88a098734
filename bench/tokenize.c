/* tokenize.c - encode, decode and learn in one process, as a peer's library call is timed:
 *     tokenize VOCAB.BPE TEXT
 * Rows: what, MB of text a second, MB a second of CPU time. */
#include "base/base.h"
#include "base/file.h"
#include "base/progress.h"
#include "text/decoder.h"
#include "text/encoder.h"
#include "text/learn.h"
#include "text/split.h"
#include "text/vocab_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct clocks { double wall, cpu; };

static struct clocks now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (struct clocks){seconds_now(), (double)t.tv_sec + 1e-9 * (double)t.tv_nsec};
}

static void row(const char *what, struct clocks from, size_t bytes)
{
    const struct clocks to = now();
    printf("%s\t%.1f\t%.1f\n", what, 1e-6 * (double)bytes / (to.wall - from.wall),
           1e-6 * (double)bytes / (to.cpu - from.cpu));
}

int main(int argc, char **argv)
{
    struct mapped m, merges;
    program = "bench/tokenize";
    if (argc != 3 || file_map(argv[1], &merges) || file_map(argv[2], &m))
        misuse("GPT-2's merges and a text are needed");
    struct vocab *v = zalloc(1, sizeof *v);
    if (vocab_from_bpe(v, (const char *)merges.data, merges.size))
        die("%s: not GPT-2's merges", argv[1]);
    unsigned char *text = zalloc(m.size + ENCODER_PAD, 1);
    int *ids = zalloc(m.size + ENCODER_PAD, sizeof *ids);
    memcpy(text, m.data, m.size);
    memset(ids, 1, (m.size + ENCODER_PAD) * sizeof *ids);

    struct clocks t = now();
    struct encoder *e = encoder_new(v, 18);
    size_t n = encoder_run(e, text, m.size, ids);
    row("keel encode, cold", t, m.size);
    t = now();
    n = encoder_run(e, text, m.size, ids);
    row("keel encode, warm", t, m.size);
    encoder_free(e);

    struct decoder *d = decoder_new(v);
    char *out = zalloc(m.size + ENCODER_PAD, 1);
    memset(out, 1, m.size + ENCODER_PAD);
    t = now();
    const size_t size = decoder_run(d, ids, n, out);
    row("keel decode", t, size);
    decoder_free(d);
    if (size != m.size || memcmp(out, text, size))
        die("the text did not come back");

    t = now();
    struct splitter *s = splitter_new();
    struct piece_counts *counts = counts_new();
    size_t pieces;
    const uint32_t *starts = split(s, text, m.size, &pieces);
    counts_add(counts, text, starts, pieces);
    struct vocab *learned = learn_vocab(counts, 8192);
    row("keel learn 8192", t, m.size);
    vocab_free(learned);
    vocab_free(v);
    return finish();
}
