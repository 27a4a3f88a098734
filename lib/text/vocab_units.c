/* vocab_units.c - the vocabularies whose ids are parts of words between blanks.
 *
 * Sub-words: codes.txt has subword-nmt's merges and vocab.txt is fairseq's dictionary, lines of a
 * unit and its count; the ids are <s> <pad> </s> <unk>, then the lines.  Word pieces: BERT's
 * vocab.txt, a piece a line. */
#include "base/base.h"
#include "base/fault.h"
#include "text/vocab_inside.h"
#include "text/wordpiece.h"
#include "text/words.h"
#include <stdlib.h>
#include <string.h>

enum { END = 2, UNKNOWN = 3, SPECIALS = 4 };

/* How one of n tokens is written in a text: its bytes go to the pool's end. */
static void set_token(struct vocab *v, int id, const char *before, struct span text,
                      const char *after, size_t *used)
{
    const size_t n = strlen(before) + text.n + strlen(after);
    char *at = v->pool + *used;
    memcpy(at, before, strlen(before));
    memcpy(at + strlen(before), text.at, text.n);
    memcpy(at + strlen(before) + text.n, after, strlen(after));
    v->tokens[id].at = (uint32_t)*used;
    v->tokens[id].n = (uint32_t)n;
    *used += n;
}

/* A line of the dictionary: the unit, a blank, digits. */
static const char *add_unit(struct vocab *v, const char *line, size_t n)
{
    size_t digits = 0;
    while (digits < n && line[n - digits - 1] >= '0' && line[n - digits - 1] <= '9')
        digits++;
    if (!digits || digits + 2 > n || line[n - digits - 1] != ' ')
        return "is not a unit and its count";
    const size_t size = n - digits - 1;
    if (words_id(v->units, line, size) != v->size - SPECIALS)
        return "is there twice";
    v->size++;
    return NULL;
}

static const char *read_units(struct vocab *v, const char *text, size_t n)
{
    const char *at = text, *end = text + n, *why = NULL;
    for (size_t number = 1; at < end && !why; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const size_t size = (size_t)((stop ? stop : end) - at);
        why = add_unit(v, at, size);
        if (why)
            why = fault("vocab.txt:%zu: '%.*s' %s", number, size < 60 ? (int)size : 60, at, why);
        at += size + 1;
    }
    return why;
}

static int is_marked(struct span unit)
{
    const size_t n = strlen(SUBWORD_MARK);
    return unit.n > n && !memcmp(unit.at + unit.n - n, SUBWORD_MARK, n);
}

const char *vocab_from_codes(struct vocab *v, const char *codes, size_t codes_size,
                             const char *dictionary, size_t dictionary_size)
{
    size_t used = 0;
    v->subword = subword_new();
    v->units = words_new();
    v->size = SPECIALS;
    v->eot = END;
    const char *why = subword_parse(v->subword, codes, codes_size);
    if (why)
        return fault("codes.txt:%s", why);
    if (dictionary_size > INT32_MAX)
        return "vocab.txt: is too long";
    if ((why = read_units(v, dictionary, dictionary_size)))
        return why;
    v->tokens = zalloc((size_t)v->size, sizeof *v->tokens);
    v->pool = zalloc(dictionary_size + (size_t)v->size + 16, 1);
    set_token(v, UNKNOWN, "", (struct span){"<unk>", 5}, " ", &used);
    for (int id = SPECIALS; id < v->size; id++) {
        struct span unit = words_text(v->units, id - SPECIALS);
        const int marked = is_marked(unit);
        unit.n -= marked ? strlen(SUBWORD_MARK) : 0;
        set_token(v, id, "", unit, marked ? "" : " ", &used);
    }
    return NULL;
}

int vocab_unit(const struct vocab *v, const char *unit, size_t n)
{
    const int line = words_find(v->units, unit, n);
    return line < 0 ? UNKNOWN : line + SPECIALS;
}

const char *vocab_from_wordpiece(struct vocab *v, const char *pieces, size_t pieces_size, int cased)
{
    const char *why = wordpiece_parse(&v->wordpiece, pieces, pieces_size, cased);
    const struct wordpiece *w = v->wordpiece;
    size_t used = 0, n, room = 1;

    if (why)
        return why;
    v->size = wordpiece_size(w);
    v->eot = wordpiece_special(w, WORDPIECE_SEPARATOR);
    for (int id = 0; id < v->size; id++) {
        wordpiece_text(w, id, &n);
        room += n + 1;
    }
    v->tokens = zalloc((size_t)v->size, sizeof *v->tokens);
    v->pool = zalloc(room, 1);
    for (int id = 0; id < v->size; id++) {
        const char *text = wordpiece_text(w, id, &n);
        const int inside = n > 2 && !memcmp(text, "##", 2);
        if (id != v->eot)
            set_token(v, id, inside ? "" : " ", (struct span){text + 2 * inside, n - 2 * inside},
                      "", &used);
    }
    return NULL;
}
