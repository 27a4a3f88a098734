/* words.h - words as numbers: the same bytes, the same id. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* A run of bytes somewhere else. */
struct span {
    const char *at;
    size_t n;
};

/* A growing list of ids. */
struct ids {
    int *at;
    size_t n, room;
};

void ids_add(struct ids *list, int id);
/* Room for n in all. */
void ids_room(struct ids *list, size_t n);

enum { WORDS_PAD = 16 };

struct words;

struct words *words_new(void);
void words_free(struct words *w);
/* The id of a word, counted from 0 in the order of first sight. */
int words_id(struct words *w, const char *at, size_t n);
/* Those of n words of a text, its bytes [from[i], to[i]): faster.  WORDS_PAD bytes behind the
 * text must be readable. */
void words_ids(struct words *w, const char *text, const uint32_t *from, const uint32_t *to,
               size_t n, int *ids);
/* words_id(), or -1 for a word not seen. */
int words_find(const struct words *w, const char *at, size_t n);
int words_count(const struct words *w);
/* Its bytes; valid until the next word is added. */
struct span words_text(const struct words *w, int id);
/* Forget every word; ids begin at 0 again. */
void words_clear(struct words *w);
