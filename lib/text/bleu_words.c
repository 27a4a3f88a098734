#include "text/bleu_words.h"
#include "base/base.h"
#include "text/bleu_cuts.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MANY_WORDS = 1 << 12,   /* few enough for their table to stay in a cache */
    MOST_GROWTH = 8,        /* "a-a": three bytes become seventeen */
};

/* Two buffers: what changes a text writes it from one to the other. */
struct bleu_words {
    enum bleu_tokenizer kind;
    int lower, compounds, unknown;
    struct words *words;
    struct bleu_cuts cuts;
    char *now, *next;
    size_t n, room;
};

struct bleu_words *bleu_words_new(enum bleu_tokenizer kind, int lower, int compounds)
{
    struct bleu_words *b = zalloc(1, sizeof *b);
    *b = (struct bleu_words){.kind = kind, .lower = lower, .compounds = compounds,
                             .words = words_new()};
    return b;
}

void bleu_words_free(struct bleu_words *b)
{
    if (!b)
        return;
    words_free(b->words);
    bleu_cuts_free(&b->cuts);
    free(b->now);
    free(b->next);
    free(b);
}

void bleu_words_rest(struct bleu_words *b)
{
    if (words_count(b->words) > MANY_WORDS)
        words_clear(b->words);
}

/* n bytes were written to `next`. */
static void swap(struct bleu_words *b, size_t n)
{
    char *old = b->now;
    b->now = b->next;
    b->next = old;
    b->n = n;
}

/* Copy the text in; nothing makes it longer than MOST_GROWTH times. */
static void take(struct bleu_words *b, struct span text)
{
    const size_t need = MOST_GROWTH * text.n + MASKS_PAD;
    if (need > b->room) {
        b->room = 2 * need;
        free(b->now);
        free(b->next);
        b->now = zalloc(b->room, 1);
        b->next = zalloc(b->room, 1);
    }
    memcpy(b->now, text.at, text.n);
    b->n = text.n;
}

/* Replace every `from` by `to`, which is not longer, in place. */
static void replace(struct bleu_words *b, const char *from, const char *to)
{
    const size_t size = strlen(from), with = strlen(to);
    size_t out = 0;
    if (!memchr(b->now, *from, b->n) || !memmem(b->now, b->n, from, size))
        return;
    for (size_t i = 0; i < b->n;)
        if (i + size <= b->n && !memcmp(b->now + i, from, size)) {
            memcpy(b->now + out, to, with);
            out += with;
            i += size;
        } else {
            b->now[out++] = b->now[i++];
        }
    b->n = out;
}

/* What 13a does before it looks at characters. */
static void rewrite_13a(struct bleu_words *b)
{
    replace(b, "<skipped>", "");
    replace(b, "-\n", "");
    replace(b, "\n", " ");
    replace(b, "&quot;", "\"");
    replace(b, "&amp;", "&");
    replace(b, "&lt;", "<");
    replace(b, "&gt;", ">");
}

/* (\S)-(\S) -> "\1 ##AT##-##AT## \2", left to right without overlap. */
static void split_compounds(struct bleu_words *b)
{
    static const char mark[] = " ##AT##-##AT## ";
    char *to = b->next;
    for (size_t i = 0; i < b->n;) {
        uint32_t c, after;
        int bad;
        const int size = utf8_decode(b->now + i, b->n - i, &c, &bad);
        const size_t dash = i + (size_t)size;
        to = mempcpy(to, b->now + i, (size_t)size);
        i = dash;
        if (unicode_space(c) || dash + 1 >= b->n || b->now[dash] != '-')
            continue;
        const int next = utf8_decode(b->now + dash + 1, b->n - dash - 1, &after, &bad);
        if (unicode_space(after))
            continue;
        to = mempcpy(to, mark, sizeof mark - 1);
        to = mempcpy(to, b->now + dash + 1, (size_t)next);
        i = dash + 1 + (size_t)next;
    }
    swap(b, (size_t)(to - b->next));
}

/* A reference's unknown word is equal to nothing: give each a number of its own. */
static void part_unknown(struct bleu_words *b, struct ids *ids)
{
    const int unknown = words_find(b->words, "<unk>", 5);
    for (size_t i = 0; unknown >= 0 && i < ids->n; i++)
        if (ids->at[i] == unknown)
            ids->at[i] = --b->unknown;
}

void bleu_words(struct bleu_words *b, struct span text, int is_reference, struct ids *ids)
{
    struct bleu_cuts *c = &b->cuts;
    take(b, text);
    if (b->lower && b->kind == BLEU_MULTI)
        utf8_ascii_lower(b->now, b->n, b->now);
    else if (b->lower)
        swap(b, unicode_lower(b->now, b->n, b->next));
    b->n = unicode_trimmed(b->now, b->n);
    if (b->compounds)
        split_compounds(b);
    if (bleu_cut(c, b->kind, b->now, b->n)) {
        rewrite_13a(b);
        bleu_cut(c, b->kind, b->now, b->n);
    }
    ids_room(ids, c->n + 1);
    words_ids(b->words, b->now, c->from, c->to, c->n, ids->at);
    ids->n = c->n;
    if (b->kind == BLEU_FAIRSEQ && is_reference)
        part_unknown(b, ids);
    if (b->kind == BLEU_FAIRSEQ && !ids->n)
        ids_add(ids, words_id(b->words, "</s>", 4));
}

char *bleu_words_joined(struct bleu_words *b, struct span text)
{
    struct ids ids = {0};
    char *joined;
    size_t size;
    FILE *f = open_memstream(&joined, &size);
    if (!f)
        die("out of memory");
    bleu_words(b, text, 0, &ids);
    for (size_t i = 0; i < ids.n; i++) {
        const struct span w = words_text(b->words, ids.at[i]);
        fprintf(f, "%s%.*s", i ? " " : "", (int)w.n, w.at);
    }
    free(ids.at);
    if (fclose(f))
        die("out of memory");
    return joined;
}
