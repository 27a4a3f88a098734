#include "text/words.h"
#include "base/base.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct word {
    uint32_t hash, size;
    size_t at;              /* first byte in `bytes` */
};

struct words {
    struct word *list;
    int *slots;             /* open addressing: id + 1, or 0 */
    size_t n, room, mask;
    char *bytes;
    size_t used, bytes_room;
};

void ids_add(struct ids *list, int id)
{
    if (list->n == list->room) {
        list->room = list->room ? 2 * list->room : 64;
        list->at = reallocarray(list->at, list->room, sizeof *list->at);
        if (!list->at)
            die("out of memory (%zu words)", list->room);
    }
    list->at[list->n++] = id;
}

struct words *words_new(void)
{
    struct words *w = zalloc(1, sizeof *w);
    w->mask = 1023;
    w->slots = zalloc(w->mask + 1, sizeof *w->slots);
    return w;
}

void words_free(struct words *w)
{
    if (!w)
        return;
    free(w->list);
    free(w->slots);
    free(w->bytes);
    free(w);
}

int words_count(const struct words *w)
{
    return (int)w->n;
}

struct span words_text(const struct words *w, int id)
{
    return (struct span){w->bytes + w->list[id].at, w->list[id].size};
}

void words_clear(struct words *w)
{
    memset(w->slots, 0, (w->mask + 1) * sizeof *w->slots);
    w->n = w->used = 0;
}

static uint32_t hash_of(const char *at, size_t n)
{
    uint64_t h = n, k;
    for (; n >= 8; at += 8, n -= 8) {
        memcpy(&k, at, 8);
        h = (h ^ k) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 32;
    }
    k = 0;
    for (size_t i = 0; i < n; i++)
        k |= (uint64_t)(unsigned char)at[i] << 8 * i;
    h = (h ^ k) * UINT64_C(0x9E3779B97F4A7C15);
    h = (h ^ h >> 29) * UINT64_C(0xBF58476D1CE4E5B9);
    return (uint32_t)(h >> 32);
}

static void place(struct words *w, uint32_t hash, int id)
{
    size_t s = hash & w->mask;
    while (w->slots[s])
        s = (s + 1) & w->mask;
    w->slots[s] = id + 1;
}

static void enlarge(struct words *w)
{
    free(w->slots);
    w->mask = 2 * w->mask + 1;
    w->slots = zalloc(w->mask + 1, sizeof *w->slots);
    for (size_t i = 0; i < w->n; i++)
        place(w, w->list[i].hash, (int)i);
}

static int add(struct words *w, uint32_t hash, const char *at, size_t n)
{
    if (w->n == w->room) {
        w->room = w->room ? 2 * w->room : 512;
        w->list = reallocarray(w->list, w->room, sizeof *w->list);
    }
    if (w->used + n > w->bytes_room) {
        w->bytes_room = 2 * (w->used + n) + 4096;
        w->bytes = realloc(w->bytes, w->bytes_room);
    }
    if (!w->list || !w->bytes || n > UINT32_MAX || w->n >= INT32_MAX)
        die("out of memory (%zu words)", w->n);
    memcpy(w->bytes + w->used, at, n);
    w->list[w->n] = (struct word){hash, (uint32_t)n, w->used};
    w->used += n;
    if (2 * ++w->n > w->mask)
        enlarge(w);
    else
        place(w, hash, (int)w->n - 1);
    return (int)w->n - 1;
}

static int find(const struct words *w, uint32_t hash, const char *at, size_t n)
{
    for (size_t s = hash & w->mask; w->slots[s]; s = (s + 1) & w->mask) {
        const struct word *x = &w->list[w->slots[s] - 1];
        if (x->hash == hash && x->size == n && !memcmp(w->bytes + x->at, at, n))
            return w->slots[s] - 1;
    }
    return -1;
}

int words_find(const struct words *w, const char *at, size_t n)
{
    return find(w, hash_of(at, n), at, n);
}

int words_id(struct words *w, const char *at, size_t n)
{
    const uint32_t hash = hash_of(at, n);
    const int id = find(w, hash, at, n);
    return id < 0 ? add(w, hash, at, n) : id;
}
