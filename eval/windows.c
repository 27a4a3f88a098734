#include "eval/windows.h"
#include "base/base.h"
#include "base/random.h"
#include <stdlib.h>

enum { CHUNK = 1 << 16 };

const char *const policy_names[] = {"blocks", "random", "stride", "rolling", NULL};

struct windows {
    struct stream *s;
    enum policy policy;
    int context, stride;
    uint64_t count, seed;
    uint64_t done;          /* windows so far */
    int64_t scored;         /* the id after the last scored one */
    int64_t begin, end;     /* of the stride's next window; of the document */
    int64_t next;           /* where the next document begins */
    int *chunk;             /* ids from chunk_at, to find the ends of documents */
    uint64_t chunk_at, chunk_n;
};

char *policy_text(enum policy p, int context, int stride)
{
    switch (p) {
    case POLICY_BLOCKS:
        return text_of("blocks: disjoint windows of %d tokens, in order; the short rest is "
                       "left out (nanoGPT)", context);
    case POLICY_RANDOM:
        return text_of("random: windows of %d tokens that begin anywhere (nanoGPT)", context);
    case POLICY_STRIDE:
        return text_of("stride: windows of %d tokens every %d, each token scored in the first "
                       "that has it (Hugging Face)", context, stride);
    default:
        return text_of("rolling: each document after an end of text, disjoint windows of %d "
                       "tokens (lm-evaluation-harness)", context);
    }
}

struct windows *windows_open(struct stream *s, enum policy p, int context, int stride,
                             uint64_t count, uint64_t seed)
{
    struct windows *w = zalloc(1, sizeof *w);
    *w = (struct windows){.s = s, .policy = p, .context = context, .stride = stride,
                          .count = count, .seed = seed};
    const uint64_t least = p == POLICY_ROLLING ? 1 : p == POLICY_STRIDE ? 2
                         : (uint64_t)context + 1;
    if (s->n < least)
        die("the data has %llu tokens; one window takes %llu", (unsigned long long)s->n,
            (unsigned long long)least);
    w->chunk = zalloc(CHUNK, sizeof *w->chunk);
    return w;
}

void windows_close(struct windows *w)
{
    free(w->chunk);
    free(w);
}

double windows_tokens(const struct windows *w)
{
    const double most = (double)w->count * w->context;
    if (w->policy == POLICY_RANDOM || (w->count && most < (double)w->s->n))
        return most;
    return (double)w->s->n;
}

/* The place of the first end of text at or after `from`; the stream's end without one. */
static int64_t find_end(struct windows *w, uint64_t from)
{
    for (uint64_t i = from; i < w->s->n; i++) {
        if (i < w->chunk_at || i >= w->chunk_at + w->chunk_n) {
            w->chunk_at = i;
            w->chunk_n = w->s->n - i < CHUNK ? w->s->n - i : CHUNK;
            stream_read(w->s, i, w->chunk_n, w->chunk);
        }
        if (w->chunk[i - w->chunk_at] == w->s->kind.eot)
            return (int64_t)i;
    }
    return (int64_t)w->s->n;
}

/* The next window of a document: its tokens [scored, ...) after what fits before them. */
static int next_rolling(struct windows *w, struct window *one)
{
    while (w->scored >= w->end) {           /* on to the next document with tokens */
        if (w->next >= (int64_t)w->s->n)
            return 0;
        w->begin = w->scored = w->next;
        w->end = find_end(w, (uint64_t)w->begin);
        w->next = w->end + 1;
    }
    const int64_t left = w->end - w->scored;
    const int64_t n = left < w->context ? left : w->context;
    int64_t from = w->scored + n - 1 - w->context;
    if (from < w->begin - 1)
        from = w->begin - 1;
    *one = (struct window){from, (int)(w->scored + n - 1 - from), (int)(w->scored - 1 - from)};
    w->scored += n;
    return 1;
}

static int next_stride(struct windows *w, struct window *one)
{
    int64_t n = (int64_t)w->s->n, last;
    int id;
    stream_read(w->s, (uint64_t)n - 1, 1, &id);
    n -= id == w->s->kind.eot;              /* nothing follows the last document */
    last = w->begin + w->context < n ? w->begin + w->context : n;
    if (w->scored >= n || last - w->begin < 2)
        return 0;
    const int64_t skip = w->scored - w->begin - 1;
    *one = (struct window){w->begin, (int)(last - w->begin - 1), skip > 0 ? (int)skip : 0};
    w->scored = last;
    w->begin += w->stride;
    return 1;
}

int windows_next(struct windows *w, struct window *one)
{
    const uint64_t context = (uint64_t)w->context;
    int more = !w->count || w->done < w->count;

    if (more && w->policy == POLICY_ROLLING) {
        more = next_rolling(w, one);
    } else if (more && w->policy == POLICY_STRIDE) {
        more = next_stride(w, one);
    } else if (more) {
        uint64_t from = w->done * context;
        more = from + context < w->s->n;
        if (w->policy == POLICY_RANDOM) {
            from = random_below(w->seed, random_site("eval.windows"), 0, w->done,
                                w->s->n - context);
            more = 1;
        }
        *one = (struct window){(int64_t)from, w->context, 0};
    }
    w->done += (uint64_t)more;
    return more;
}
