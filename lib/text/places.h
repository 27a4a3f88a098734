/* places.h - where each word stands among up to 64 words of a text: bit i of a mask is word i.
 * What many words have in common is then found by shifting their masks. */
#pragma once
#include "text/words.h"

enum { MOST_PLACES = 64 };

struct places {
    uint64_t *of;       /* by id; all 0 but between put and take */
    size_t room;
};

/* Put n <= MOST_PLACES words; an id below 0 is a word that is like no other. */
void places_put(struct places *p, const int *ids, size_t n);
/* Take the same words away. */
void places_take(struct places *p, const int *ids, size_t n);

static inline uint64_t places_of(const struct places *p, int id)
{
    return (size_t)id < p->room ? p->of[id] : 0;
}
