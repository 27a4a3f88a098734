#include "text/words.h"
#include "base/base.h"
#include "text/key.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct word {
    size_t at;              /* its first byte in `bytes` */
    uint32_t size;
};

struct place {
    struct key key;
    int id;                 /* + 1; 0: free */
};

struct words {
    struct word *list;
    struct place *slots;    /* open addressing */
    size_t n, room, mask;
    char *bytes;
    size_t used, bytes_room;
};

void ids_room(struct ids *list, size_t n)
{
    if (n <= list->room)
        return;
    list->room = 2 * n < 64 ? 64 : 2 * n;
    list->at = reallocarray(list->at, list->room, sizeof *list->at);
    if (!list->at)
        die("out of memory (%zu words)", list->room);
}

void ids_add(struct ids *list, int id)
{
    ids_room(list, list->n + 1);
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

static uint64_t load4(const char *at)
{
    uint32_t four;
    memcpy(&four, at, 4);
    return four;
}

/* Up to 8 bytes as a number, zeros after the end; loads may overlap. */
static uint64_t head_of(const char *at, size_t n)
{
    uint64_t head = 0;
    const unsigned char *b = (const unsigned char *)at;
    if (n >= 8)
        memcpy(&head, at, 8);
    else if (n >= 4)
        head = load4(at) | load4(at + n - 4) << 8 * (n - 4);
    else if (n)
        head = (uint64_t)b[0] | (uint64_t)b[n / 2] << 8 * (n / 2)
             | (uint64_t)b[n - 1] << 8 * (n - 1);
    return head;
}

/* key_of() of a word behind which nothing can be read. */
static struct key careful_key(const char *at, size_t n)
{
    if (n > KEY_MAX)
        return key_of_long((const unsigned char *)at, n);
    return (struct key){head_of(at, n < 8 ? n : 8),
                        (n > 8 ? head_of(at + 8, n - 8) : 0) | (uint64_t)n << 56};
}

/* The slot of a word that is not there. */
static struct place *free_slot(const struct words *w, struct key key)
{
    size_t s = key_hash(key) >> 32 & w->mask;
    while (w->slots[s].id)
        s = (s + 1) & w->mask;
    return &w->slots[s];
}

static void enlarge(struct words *w)
{
    struct place *old = w->slots;
    const size_t n = w->mask + 1;
    w->mask = 2 * n - 1;
    w->slots = zalloc(2 * n, sizeof *w->slots);
    for (size_t i = 0; i < n; i++)
        if (old[i].id)
            *free_slot(w, old[i].key) = old[i];
    free(old);
}

static int add(struct words *w, struct key key, const char *at, size_t n)
{
    if (w->n == w->room) {
        w->room = w->room ? 2 * w->room : 512;
        w->list = reallocarray(w->list, w->room, sizeof *w->list);
    }
    if (!w->bytes || w->used + n > w->bytes_room) {
        w->bytes_room = 2 * (w->used + n) + 4096;
        w->bytes = realloc(w->bytes, w->bytes_room);
    }
    if (!w->list || !w->bytes || w->n >= INT32_MAX || n > UINT32_MAX)
        die("out of memory (%zu words)", w->n);
    memcpy(w->bytes + w->used, at, n);
    w->list[w->n] = (struct word){w->used, (uint32_t)n};
    w->used += n;
    *free_slot(w, key) = (struct place){key, (int)++w->n};
    if (2 * w->n > w->mask)
        enlarge(w);
    return (int)w->n - 1;
}

static inline int find(const struct words *w, struct key key, const char *at, size_t n)
{
    for (size_t s = key_hash(key) >> 32 & w->mask; w->slots[s].id; s = (s + 1) & w->mask) {
        const struct place *x = &w->slots[s];
        if (key_same(x->key, key)
            && (n <= KEY_MAX || !memcmp(w->bytes + w->list[x->id - 1].at, at, n)))
            return x->id - 1;
    }
    return -1;
}

int words_find(const struct words *w, const char *at, size_t n)
{
    return find(w, careful_key(at, n), at, n);
}

int words_id(struct words *w, const char *at, size_t n)
{
    const struct key key = careful_key(at, n);
    const int id = find(w, key, at, n);
    return id < 0 ? add(w, key, at, n) : id;
}

void words_ids(struct words *w, const char *text, const uint32_t *from, const uint32_t *to,
               size_t n, int *ids)
{
    for (size_t i = 0; i < n; i++) {
        const char *at = text + from[i];
        const size_t size = to[i] - from[i];
        const struct key key = size > KEY_MAX ? key_of_long((const unsigned char *)at, size)
                                              : key_of((const unsigned char *)at, size);
        const int id = find(w, key, at, size);
        ids[i] = id < 0 ? add(w, key, at, size) : id;
    }
}
