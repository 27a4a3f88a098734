/* tokens.c - token text, read by documents and by parts: both see the same ids. */
#include "data/tokens.h"
#include "tests/fuzz/fuzz.h"

struct sum { size_t ids, documents, total; int failed; };

static struct sum by_documents(const uint8_t *data, size_t size)
{
    struct sum s = {0};
    struct token_reader *r = NULL;
    struct token_kind kind;
    struct token_document d;
    FILE *f = stream_of(data, size);
    int more = 1;
    s.failed = tokens_open(f, &r, &kind) != NULL;
    while (!s.failed && !(s.failed = tokens_next(r, &d, &more) != NULL) && more) {
        s.documents++;
        s.ids += d.n;
        for (size_t i = 0; i < d.n; i++)
            s.total += (size_t)d.ids[i];
    }
    tokens_close(r);
    fclose(f);
    return s;
}

static struct sum by_parts(const uint8_t *data, size_t size)
{
    struct sum s = {0};
    struct token_reader *r = NULL;
    struct token_kind kind;
    struct token_part p;
    FILE *f = stream_of(data, size);
    int more = 1;
    s.failed = tokens_open(f, &r, &kind) != NULL;
    while (!s.failed && !(s.failed = tokens_part(r, &p, &more) != NULL) && more) {
        s.documents += (size_t)p.end;
        s.ids += p.n;
        for (size_t i = 0; i < p.n; i++)
            s.total += (size_t)p.ids[i];
    }
    tokens_close(r);
    fclose(f);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sum a = by_documents(data, size), b = by_parts(data, size);
    if (a.failed != b.failed || (!a.failed && (a.ids != b.ids || a.documents != b.documents
                                               || a.total != b.total)))
        abort();
    return 0;
}
