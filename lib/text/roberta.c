#include "text/roberta.h"
#include "base/base.h"
#include "text/unicode.h"
#include "text/vocab.h"
#include <stdlib.h>
#include <string.h>

enum { BEGIN, END, MASK, MARKS = 5 };

static const char *const mark_names[MARKS] = {"<s>", "</s>", "<mask>", "<pad>", "<unk>"};

struct roberta {
    const struct vocab *bpe;
    int marks[MARKS];       /* their ids; -1: not in this vocabulary */
};

struct roberta *roberta_new(const struct vocab *v)
{
    struct roberta *r = zalloc(1, sizeof *r);
    r->bpe = v;
    for (int k = 0; k < MARKS; k++) {
        r->marks[k] = k == END ? vocab_eot(r->bpe) : -1;
        for (int id = 0; id < vocab_size(r->bpe); id++) {
            size_t n;
            const char *bytes = vocab_bytes(r->bpe, id, &n);
            if (n == strlen(mark_names[k]) && !memcmp(bytes, mark_names[k], n))
                r->marks[k] = id;
        }
    }
    if (r->marks[BEGIN] < 0)
        die("%s: its vocabulary has no token %s: is this a RoBERTa's?", vocab_name(v),
            mark_names[BEGIN]);
    return r;
}

void roberta_free(struct roberta *r)
{
    free(r);
}

int roberta_is_frame(const struct roberta *r, int id)
{
    return id == r->marks[BEGIN] || id == r->marks[END];
}

/* The mark that begins the text, or -1. */
static int mark_at(const struct roberta *r, const char *text, size_t n)
{
    for (int k = 0; k < MARKS && *text == '<'; k++) {
        const size_t size = strlen(mark_names[k]);
        if (r->marks[k] >= 0 && size <= n && !memcmp(text, mark_names[k], size))
            return k;
    }
    return -1;
}

/* The ids of what stands between marks. */
static void add_ordinary(const struct roberta *r, const char *text, size_t n, struct ids *out)
{
    size_t count;
    int *ids = vocab_encode(r->bpe, text, n, &count);
    for (size_t i = 0; i < count; i++)
        ids_add(out, ids[i]);
    free(ids);
}

int roberta_encode(const struct roberta *r, const char *text, size_t n, size_t most,
                   struct ids *out)
{
    char *spaced = zalloc(n + 1, 1);
    size_t from = 0;
    const size_t size = n ? n + 1 : 0;

    spaced[0] = ' ';
    if (n)
        memcpy(spaced + 1, text, n);
    out->n = 0;
    ids_add(out, r->marks[BEGIN]);
    for (size_t i = 0; i < size;) {
        const int mark = mark_at(r, spaced + i, size - i);
        if (mark < 0) {
            i++;
            continue;
        }
        add_ordinary(r, spaced + from,
                     mark == MASK ? unicode_trimmed(spaced + from, i - from) : i - from, out);
        ids_add(out, r->marks[mark]);
        from = i += strlen(mark_names[mark]);
    }
    add_ordinary(r, spaced + from, size - from, out);
    free(spaced);
    const int cut = out->n > most - 1;
    if (cut)
        out->n = most - 1;
    ids_add(out, r->marks[END]);
    return cut;
}
