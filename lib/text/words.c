#include "text/words.h"
#include "base/base.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct word {
    size_t at;              /* its first byte in `bytes` */
    uint32_t size, hash;
};

struct place {
    uint64_t head;          /* the word's first 8 bytes, zeros after its end */
    uint32_t size;
    int id;                 /* + 1; 0: free */
};

struct words {
    struct word *list;
    struct place *slots;    /* open addressing */
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

static uint32_t hash_of(uint64_t head, const char *at, size_t n)
{
    uint64_t h = (head ^ n) * UINT64_C(0x9E3779B97F4A7C15);
    for (size_t i = 8; i < n; i += 8) {
        h ^= h >> 32;
        h = (h ^ head_of(at + i, n - i)) * UINT64_C(0x9E3779B97F4A7C15);
    }
    return (uint32_t)((h ^ h >> 29) * UINT64_C(0xBF58476D1CE4E5B9) >> 32);
}

static void put(struct words *w, uint64_t head, uint32_t size, uint32_t hash, int id)
{
    size_t s = hash & w->mask;
    while (w->slots[s].id)
        s = (s + 1) & w->mask;
    w->slots[s] = (struct place){head, size, id + 1};
}

static void enlarge(struct words *w)
{
    struct place *old = w->slots;
    const size_t n = w->mask + 1;
    w->mask = 2 * n - 1;
    w->slots = zalloc(2 * n, sizeof *w->slots);
    for (size_t i = 0; i < n; i++)
        if (old[i].id)
            put(w, old[i].head, old[i].size, w->list[old[i].id - 1].hash, old[i].id - 1);
    free(old);
}

static int add(struct words *w, uint32_t hash, uint64_t head, const char *at, size_t n)
{
    if (w->n == w->room) {
        w->room = w->room ? 2 * w->room : 512;
        w->list = reallocarray(w->list, w->room, sizeof *w->list);
    }
    if (w->used + n > w->bytes_room) {
        w->bytes_room = 2 * (w->used + n) + 4096;
        w->bytes = realloc(w->bytes, w->bytes_room);
    }
    if (!w->list || !w->bytes || w->n >= INT32_MAX || n > UINT32_MAX)
        die("out of memory (%zu words)", w->n);
    memcpy(w->bytes + w->used, at, n);
    w->list[w->n] = (struct word){w->used, (uint32_t)n, hash};
    w->used += n;
    put(w, head, (uint32_t)n, hash, (int)w->n++);
    if (2 * w->n > w->mask)
        enlarge(w);
    return (int)w->n - 1;
}

static int find(const struct words *w, uint32_t hash, uint64_t head, const char *at, size_t n)
{
    for (size_t s = hash & w->mask; w->slots[s].id; s = (s + 1) & w->mask) {
        const struct place *x = &w->slots[s];
        if (x->head == head && x->size == n
            && (n <= 8 || !memcmp(w->bytes + w->list[x->id - 1].at + 8, at + 8, n - 8)))
            return x->id - 1;
    }
    return -1;
}

int words_find(const struct words *w, const char *at, size_t n)
{
    const uint64_t head = head_of(at, n);
    return find(w, hash_of(head, at, n), head, at, n);
}

int words_id(struct words *w, const char *at, size_t n)
{
    const uint64_t head = head_of(at, n);
    const uint32_t hash = hash_of(head, at, n);
    const int id = find(w, hash, head, at, n);
    return id < 0 ? add(w, hash, head, at, n) : id;
}
