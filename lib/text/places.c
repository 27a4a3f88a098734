#include "text/places.h"
#include "base/base.h"
#include <stdlib.h>
#include <string.h>

static void make_room(struct places *p, size_t id)
{
    const size_t room = 2 * id + 1024;
    p->of = reallocarray(p->of, room, sizeof *p->of);
    if (!p->of)
        die("out of memory (%zu words)", room);
    memset(p->of + p->room, 0, (room - p->room) * sizeof *p->of);
    p->room = room;
}

void places_put(struct places *p, const int *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < 0)
            continue;
        if ((size_t)ids[i] >= p->room)
            make_room(p, (size_t)ids[i]);
        p->of[ids[i]] |= UINT64_C(1) << i;
    }
}

void places_take(struct places *p, const int *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] >= 0)
            p->of[ids[i]] = 0;
}
