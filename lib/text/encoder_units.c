#include "text/encoder_units.h"
#include "base/base.h"
#include "text/vocab_inside.h"
#include "text/wordpiece.h"
#include "text/words.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_IDS = 1 << 20 };    /* of words that are remembered */

struct unit_encoder {
    const struct vocab *v;
    struct words *words;        /* seen before: */
    struct place { size_t at, n; } *places;     /* where their ids are in `ids` */
    struct ids ids;
    uint32_t *ends;             /* of the units of a word */
    char *unit;                 /* one with its mark */
    size_t room;
};

struct unit_encoder *unit_encoder_new(const struct vocab *v)
{
    if (!v->subword && !v->wordpiece)
        return NULL;
    struct unit_encoder *u = zalloc(1, sizeof *u);
    u->v = v;
    u->words = words_new();
    return u;
}

void unit_encoder_free(struct unit_encoder *u)
{
    if (!u)
        return;
    words_free(u->words);
    free(u->places);
    free(u->ids.at);
    free(u->ends);
    free(u->unit);
    free(u);
}

static void need_room(struct unit_encoder *u, size_t n)
{
    if (n <= u->room)
        return;
    u->room = 2 * n;
    free(u->ends);
    free(u->unit);
    u->ends = zalloc(u->room, sizeof *u->ends);
    u->unit = zalloc(u->room + sizeof SUBWORD_MARK, 1);
}

static void split_word(struct unit_encoder *u, const char *word, size_t n)
{
    need_room(u, n);
    const size_t units = subword_units(u->v->subword, word, n, u->ends);
    for (size_t i = 0; i < units; i++) {
        const uint32_t begin = i ? u->ends[i - 1] : 0;
        size_t size = u->ends[i] - begin;
        memcpy(u->unit, word + begin, size);
        if (i + 1 < units) {
            memcpy(u->unit + size, SUBWORD_MARK, strlen(SUBWORD_MARK));
            size += strlen(SUBWORD_MARK);
        }
        ids_add(&u->ids, vocab_unit(u->v, u->unit, size));
    }
}

/* The place of a word's ids. */
static struct place find(struct unit_encoder *u, const char *word, size_t n)
{
    if (u->ids.n > MOST_IDS) {
        words_clear(u->words);
        u->ids.n = 0;
        free(u->places);
        u->places = NULL;
    }
    const int known = words_count(u->words), id = words_id(u->words, word, n);
    if (id == known) {
        const size_t at = u->ids.n;
        split_word(u, word, n);
        u->places = grow(u->places, (size_t)id, sizeof *u->places);
        u->places[id] = (struct place){at, u->ids.n - at};
    }
    return u->places[id];
}

size_t unit_encoder_run(struct unit_encoder *u, const unsigned char *text, size_t n, int *ids)
{
    int *out = ids;
    if (u->v->wordpiece) {
        wordpiece_ordinary(u->v->wordpiece, (const char *)text, n, &u->ids);
        if (u->ids.n > n)
            die("%s: more pieces than bytes in a text", vocab_name(u->v));
        if (u->ids.n)
            memcpy(ids, u->ids.at, u->ids.n * sizeof *ids);
        return u->ids.n;
    }
    for (size_t begin = 0, end; (end = subword_word(text, n, &begin)) > begin; begin = end) {
        const struct place p = find(u, (const char *)text + begin, end - begin);
        memcpy(out, u->ids.at + p.at, p.n * sizeof *out);
        out += p.n;
    }
    return (size_t)(out - ids);
}
