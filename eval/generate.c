/* eval --generate TEXT RUN: the prompt and what the model makes of it. */
#include "model/generate.h"
#include "base/base.h"
#include "base/progress.h"
#include "eval/eval.h"
#include "graph/device.h"
#include "model/checkpoint.h"
#include "text/vocab.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A prompt's ids; the end of text for an empty one, which is how a document begins. */
static int *read_prompt(const struct vocab *v, size_t *n)
{
    int *ids = vocab_encode(v, want.prompt, strlen(want.prompt), n);
    if (!*n) {
        free(ids);
        ids = zalloc(1, sizeof *ids);
        ids[(*n)++] = vocab_eot(v);
    }
    return ids;
}

static struct vocab *vocabulary(const struct checkpoint *c, const char *run)
{
    const struct token_kind *kind = checkpoint_kind(c);
    if (!*kind->vocab)
        die("%s: it does not say what its ids mean, and has no vocab.json and merges.txt", run);
    struct vocab *v = vocab_open(kind->vocab);
    if (vocab_size(v) > model_config.vocab)
        die("%s: vocabulary %s has %d ids, the model only %d", run, kind->vocab, vocab_size(v),
            model_config.vocab);
    return v;
}

/* The text of one id; an end of text is a line break, for a new document begins. */
static void write_id(FILE *out, const struct vocab *v, int id)
{
    size_t n;
    const char *bytes = vocab_bytes(v, id, &n);
    if (id == vocab_eot(v))
        fputc('\n', out);
    else
        fwrite(bytes, 1, n, out);
    if (isatty(fileno(out)))
        fflush(out);
}

static void go_on(FILE *out, struct generator *g, const struct vocab *v)
{
    const int shown = out == stdout && isatty(STDOUT_FILENO);
    struct progress p = progress_begin("tokens", 0, (double)want.length);
    for (long long i = 0; i < want.length; i++) {
        const int id = generator_next(g);
        if (want.stop && id == vocab_eot(v))
            break;
        write_id(out, v, id);
        generator_read(g, id);
        if (!shown)
            progress_show(&p, (double)i + 1, NULL);
    }
    progress_end(&p);
    fputc('\n', out);
}

void run_generate(FILE *out, const char *run)
{
    struct checkpoint *c = checkpoint_open(run);
    struct vocab *v = vocabulary(c, run);
    const struct backend *be = device_open();
    struct model *m = model_build(be, &model_config, 1, MODEL_GENERATE, 0);
    const struct sampling how = {
        .temperature = want.temperature, .top_k = want.top_k, .top_p = want.top_p,
        .seed = (uint64_t)want.seed, .ids = vocab_size(v),
    };
    size_t n;

    plan_place(m->plan, NULL);
    checkpoint_load(c, m);
    plan_freeze(m->plan);
    struct generator *g = generator_new(m, &how);
    int *ids = read_prompt(v, &n);
    fputs(want.prompt, out);
    if (vocab_kind(v) == VOCAB_SUBWORD && *want.prompt)
        fputc(' ', out);        /* which sub-words do not begin with */
    for (size_t i = 0; i < n; i++)
        generator_read(g, ids[i]);
    go_on(out, g, v);
    free(ids);
    generator_free(g);
    model_free(m);
    vocab_free(v);
    checkpoint_close(c);
}
