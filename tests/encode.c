/* encode.c - GPT-2's ids against tiktoken's (tests/golden/gpt2-ids.tsv, made by
 * make_gpt2_ids.py), for any cutting of the text, with and without vector instructions. */
#include "tests/tap.h"
#include "base/base.h"
#include "base/file.h"
#include "base/random.h"
#include "base/stream.h"
#include "text/classify.h"
#include "text/encoder.h"
#include "text/split.h"
#include "text/utf8.h"
#include "text/vocab_inside.h"
#include <stdlib.h>
#include <string.h>

struct text { char *bytes; size_t n, room; };

static void put(struct text *t, const char *bytes, size_t n)
{
    if (t->n + n + ENCODER_PAD > t->room) {
        t->room = 2 * (t->n + n + ENCODER_PAD);
        t->bytes = realloc(t->bytes, t->room);
    }
    memcpy(t->bytes + t->n, bytes, n);
    t->n += n;
}

static void puts_in(struct text *t, const char *s)
{
    put(t, s, strlen(s));
}

static void put_code(struct text *t, uint32_t code)
{
    char bytes[4];
    put(t, bytes, (size_t)utf8_encode(code, bytes));
}

/* The texts of make_gpt2_ids.py. */
static void scalars(struct text *t, int contexts)
{
    for (uint32_t c = 0; c < 0x110000; c++) {
        if (c >= 0xD800 && c < 0xE000)
            continue;
        if (contexts)
            puts_in(t, "a");
        put_code(t, c);
        if (contexts) {
            puts_in(t, "1 ");
            put_code(t, c);
            puts_in(t, "'s");
        }
    }
}

static void contractions(struct text *t)
{
    static const char *const parts[] = {
        "'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'RE", "'Ve", "'LL", "'l", "'r", "'v",
        "'", "''", "'''s", "\u2019s", "'sx", "'tis", "'dd", "'ree", "'lll"};
    const size_t n = sizeof parts / sizeof *parts;
    for (size_t i = 0; i < n * n; i++) {
        const char *a = parts[i / n], *b = parts[i % n];
        const char *const line[] = {"I", a, b, " ", a, b, " x", a, " ", b, "1", a, "\n"};
        for (size_t k = 0; k < sizeof line / sizeof *line; k++)
            puts_in(t, line[k]);
    }
}

static void spaces(struct text *t)
{
    static const uint32_t codes[] = {9, 10, 11, 12, 13, 32, 0x85, 0xA0, 0x1680, 0x2000, 0x200A,
        0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0x200B, 0xFEFF, 0x180E, 0x1C, 0x1F, 0};
    static const char *const between[] = {"a", "b", "1", ".", "'s"};
    const size_t n = sizeof codes / sizeof *codes;
    for (size_t i = 0; i < n * n * n; i++)
        for (int k = 0; k < 5; k++) {
            puts_in(t, between[k]);
            put_code(t, codes[i / n / n]);
            put_code(t, codes[i / n % n]);
            put_code(t, codes[i % n]);
        }
}

static void runs(struct text *t)
{
    static const char *const unit[] = {" ", "a", "A", "\n", "\t", "9", "-", ".", "\u00e9", "\u6587",
        "\U0001f600", "ab", "\r\n", " \n", "'s", " a", "  a", "\u3000", "\u00c3\u00c2"};
    static const int lengths[] = {1, 2, 63, 64, 65, 129, 5003};
    for (size_t u = 0; u < sizeof unit / sizeof *unit; u++)
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
            puts_in(t, "x");
            for (int i = 0; i < lengths[k]; i++)
                puts_in(t, unit[u]);
            puts_in(t, "y ");
            for (int i = 0; i < lengths[k] / 3; i++)
                puts_in(t, unit[u]);
            puts_in(t, "\n");
        }
}

static void random_text(struct text *t)
{
    static const char *const letters[] = {
        "a", "e", "t", "Q", "Z", "x", "'", "s", "l", "1", "0", "9",
        ".", "-", "$", " ", " ", " ", "\n", "\t", "\r\n", "\u00a0", "\u3000", "\u00e9", "\u00df",
        "\u0663", "\u00bd", "\u6587", "\ud55c", "\u0e02", "\u0301", "\U0001f600", "\U0001f1e9",
        "\u200d", "\U0001d7d8", "\u0394", "\u0416", "<|endoftext|>", "<|", "|>", "the",
        " of", "ing"};
    uint64_t state = 1;
    for (int i = 0; i < 50000; i++) {
        for (int k = 0; k < 16; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            puts_in(t, letters[(state >> 33) % (sizeof letters / sizeof *letters)]);
        }
        puts_in(t, "|\n");
    }
}

static void file(struct text *t, const char *name)
{
    char *path = text_of("tests/golden/text/%s.xz", name), part[4096];
    if (!strcmp(name, "tinyshakespeare.txt")) {
        free(path);
        path = text_of("share/shakespeare/%s", name);
    }
    struct stream *s = stream_open(path);
    for (size_t n; (n = stream_read(s, part, sizeof part));)
        put(t, part, n);
    stream_close(s);
    free(path);
}

static void text_of_name(const char *name, struct text *t)
{
    t->n = 0;
    if (!strcmp(name, "scalars") || !strcmp(name, "contexts"))
        scalars(t, *name == 'c');
    else if (!strcmp(name, "contractions"))
        contractions(t);
    else if (!strcmp(name, "spaces"))
        spaces(t);
    else if (!strcmp(name, "runs"))
        runs(t);
    else if (!strcmp(name, "random"))
        random_text(t);
    else
        file(t, name);
}

static uint64_t hash(const int *ids, size_t n)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint32_t)ids[i]) * 1099511628211u;
    return h;
}

/* The ids of a text that is cut into parts of random sizes. */
static size_t encode_in_parts(struct encoder *e, const struct text *t, uint32_t seed, int *ids)
{
    size_t n = 0, part = 0;
    for (size_t at = 0, size; at < t->n; at += size, part++) {
        const uint64_t most = 1 + random_below(seed, 1, 0, part, 3000);
        for (size = most; at + size < t->n;) {
            const size_t cut = encoder_cut(e, (unsigned char *)t->bytes + at, size);
            if (cut) {
                size = cut;
                break;
            }
            size *= 2;
        }
        if (size > t->n - at)
            size = t->n - at;
        n += encoder_run(e, (unsigned char *)t->bytes + at, size, ids + n);
    }
    return n;
}

static int decodes(const struct vocab *v, const struct text *t, const int *ids, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        size_t size;
        const char *bytes = vocab_bytes(v, ids[i], &size);
        if (at + size > t->n || memcmp(t->bytes + at, bytes, size))
            return 0;
        at += size;
    }
    return at == t->n;
}

static void check_golden(const struct vocab *v)
{
    FILE *f = fopen("tests/golden/gpt2-ids.tsv", "r");
    struct text t = {0};
    char name[64];
    size_t want;
    unsigned long long want_hash;

    while (f && fscanf(f, "%63s %zu %llx", name, &want, &want_hash) == 3) {
        text_of_name(name, &t);
        struct encoder *e = encoder_new(v, 16);
        int *ids = zalloc(t.n + ENCODER_PAD, sizeof *ids);
        size_t n = encoder_run(e, (unsigned char *)t.bytes, t.n, ids);
        ok(n == want && hash(ids, n) == want_hash, "%s: %zu ids, tiktoken's", name, want);
        ok(decodes(v, &t, ids, n), "%s: decoded, the same bytes", name);
        n = encode_in_parts(e, &t, (uint32_t)t.n, ids);
        ok(n == want && hash(ids, n) == want_hash, "%s: the same ids from random parts", name);
        encoder_free(e);
        free(ids);
    }
    if (f)
        fclose(f);
    free(t.bytes);
}

static void check_random_bytes(const struct vocab *v)
{
    struct text t = {0};
    for (uint32_t i = 0; i < 1000000; i++) {
        const uint32_t word = random_word(7, 1, 0, i);
        const char c = (char)(word & 1 ? word >> 8 : 32 + (word >> 8) % 95);
        put(&t, &c, 1);
    }
    size_t n;
    int *ids = vocab_encode(v, t.bytes, t.n, &n);
    ok(decodes(v, &t, ids, n), "%s: random bytes come back", vocab_name(v));

    const size_t blocks = (t.n + 63) / 64;
    struct class_masks *fast = zalloc(blocks, sizeof *fast), *plain = zalloc(blocks, sizeof *plain);
    int same = 1;
    for (size_t cut = 0; cut < 200; cut++) {
        classify((unsigned char *)t.bytes + cut, 5000 + cut, fast);
        classify_plain((unsigned char *)t.bytes + cut, 5000 + cut, plain);
        same &= !memcmp(fast, plain, (5000 + cut + 63) / 64 * sizeof *fast);
    }
    ok(same, "the same masks with and without vector instructions");

    struct splitter *a = splitter_new(), *b = splitter_new();
    for (size_t cut = same = 1; cut < 200; cut++) {
        const unsigned char *text = (unsigned char *)t.bytes + 7 * cut;
        size_t n_a, n_b;
        const uint32_t *starts = split(a, text, 4900 + cut, &n_a);
        const uint32_t *plain_starts = split_plain(b, text, 4900 + cut, &n_b);
        same &= n_a == n_b && !memcmp(starts, plain_starts, (n_a + 1) * sizeof *starts);
    }
    ok(same, "the same pieces with and without vector instructions");
    splitter_free(a);
    splitter_free(b);
    free(fast);
    free(plain);
    free(ids);
    free(t.bytes);
}

/* What encoder_new() and the order of ids rest on. */
static void check_tokens(const struct vocab *v)
{
    int wrong = 0;
    for (int id = 0; id < vocab_size(v); id++) {
        size_t n;
        int ids[256];
        const char *bytes = vocab_bytes(v, id, &n);
        wrong += n && (bpe_encode(&v->bpe, (const unsigned char *)bytes, n, ids) != 1
                       || *ids != id);
    }
    ok(!wrong, "every token's bytes merge to that token");
    ok(vocab_size(v) == 50257 && vocab_eot(v) == 50256, "gpt2 has 50257 ids");
}

int main(void)
{
    program = "encode";
    struct mapped m;
    struct vocab *v = zalloc(1, sizeof *v);
    if (file_map("share/gpt2/vocab.bpe", &m))
        die("share/gpt2/vocab.bpe:");
    ok(!vocab_from_bpe(v, (const char *)m.data, m.size), "GPT-2's vocabulary is read");
    v->name = copy_text("gpt2");
    check_tokens(v);
    check_golden(v);
    check_random_bytes(v);
    vocab_free(v);
    file_unmap(&m);

    v = vocab_open("bytes");
    check_random_bytes(v);
    vocab_free(v);
    return tap_end();
}
