#include "base/base.h"
#include "base/fault.h"
#include "text/key.h"
#include "text/vocab_inside.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1 << 16 };     /* bytes of a token */

/* A vocabulary under construction. */
struct build {
    struct vocab *v;
    size_t pool_size, pool_room;
    struct token_slot { uint32_t hash; int id; } *slots;    /* by the bytes; an id + 1, 0: empty */
    size_t mask;
    int shift;              /* 32 - the bits of the slots' number */
};

static void build_begin(struct build *b, struct vocab *v, size_t tokens, size_t merges)
{
    int bits = 10;
    while ((size_t)1 << bits < 2 * tokens)
        bits++;
    const size_t slots = (size_t)1 << bits;
    *b = (struct build){.v = v, .slots = zalloc(slots, sizeof *b->slots), .mask = slots - 1,
                        .shift = 32 - bits};
    v->tokens = zalloc(tokens, sizeof *v->tokens);
    bpe_begin(&v->bpe, merges);
}

static void set_token(struct build *b, int id, const char *bytes, size_t n)
{
    struct vocab *v = b->v;
    if (b->pool_size + n > b->pool_room) {
        b->pool_room = 2 * (b->pool_size + n);
        v->pool = realloc(v->pool, b->pool_room);
        if (!v->pool)
            die("out of memory");
    }
    memcpy(v->pool + b->pool_size, bytes, n);
    v->tokens[id].at = (uint32_t)b->pool_size;
    v->tokens[id].n = (uint32_t)n;
    b->pool_size += n;
}

/* The slot of a token, or the empty one where it belongs; 16 bytes at `bytes` are read. */
static struct token_slot *slot_of(const struct build *b, const char *bytes, size_t n)
{
    const struct vocab *v = b->v;
    const unsigned char *piece = (const unsigned char *)bytes;
    const struct key k = n > KEY_MAX ? key_of_long(piece, n) : key_of(piece, n);
    const uint32_t hash = (uint32_t)(key_hash(k) >> 32);
    struct token_slot *slot;

    for (size_t i = hash >> b->shift; (slot = &b->slots[i])->id; i = (i + 1) & b->mask) {
        const int id = slot->id - 1;
        if (slot->hash == hash && v->tokens[id].n == n
            && !memcmp(v->pool + v->tokens[id].at, bytes, n))
            return slot;
    }
    slot->hash = hash;
    return slot;
}

static int find_token(const struct build *b, const char *bytes, size_t n)
{
    return slot_of(b, bytes, n)->id - 1;
}

/* Give a token its id; 0 when it has one. */
static int add_token(struct build *b, int id, const char *bytes, size_t n)
{
    struct token_slot *slot = slot_of(b, bytes, n);
    if (slot->id)
        return 0;
    set_token(b, id, bytes, n);
    slot->id = id + 1;
    return 1;
}

/* One merge: both sides one after the other. */
struct line {
    char bytes[LONGEST + KEY_MAX];
    size_t left, n;
};

static const char *read_line(const char *text, size_t n, struct line *l)
{
    const char *blank = memchr(text, ' ', n);
    if (!blank || memchr(blank + 1, ' ', (size_t)(text + n - blank - 1)))
        return "is not two tokens with a blank between";
    if (n > LONGEST)
        return "is too long";
    const size_t left_size = (size_t)(blank - text);
    const long left = alphabet_decode(text, left_size, l->bytes);
    const long right = left < 1 ? -1 :
        alphabet_decode(blank + 1, n - left_size - 1, l->bytes + left);
    if (right < 1)
        return "is not written in GPT-2's characters for bytes";
    l->left = (size_t)left;
    l->n = (size_t)(left + right);
    return NULL;
}

static const char *take_merge(struct build *b, const struct line *l, int new_ids)
{
    const int left = find_token(b, l->bytes, l->left);
    const int right = find_token(b, l->bytes + l->left, l->n - l->left);

    if (left < 0 || right < 0)
        return "merges what is not in the vocabulary";
    if (new_ids && !add_token(b, b->v->size++, l->bytes, l->n))
        return "merges to a token that is there already";
    const int whole = new_ids ? b->v->size - 1 : find_token(b, l->bytes, l->n);
    if (whole < 0)
        return "merges to what is not in the vocabulary";
    if (b->v->bpe.n == BPE_MOST)
        return "is one merge too many";
    bpe_add(&b->v->bpe, left, right, whole);
    return NULL;
}

/* Every line of merges; with new_ids each of them makes the next id. */
static const char *read_merges(struct build *b, const char *file, const char *text, size_t n,
                               int new_ids)
{
    const char *const end = text + n, *why = NULL;
    struct line *l = zalloc(1, sizeof *l);

    for (size_t number = 1; !why && text < end; number++) {
        const char *line = text, *stop = memchr(text, '\n', (size_t)(end - text));
        size_t size = (size_t)((stop ? stop : end) - line);
        text = stop ? stop + 1 : end;
        size -= size && line[size - 1] == '\r';
        if (!size || (number == 1 && size > 8 && !memcmp(line, "#version", 8)))
            continue;
        why = read_line(line, size, l);
        if (!why)
            why = take_merge(b, l, new_ids);
        if (why)
            why = fault("%s%zu: '%.*s' %s", file, number, size < 60 ? (int)size : 60, line, why);
    }
    free(l);
    return why;
}

static size_t count_lines(const char *text, size_t n)
{
    size_t lines = 1;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return lines;
}

const char *vocab_from_bpe(struct vocab *v, const char *text, size_t n)
{
    const size_t lines = count_lines(text, n);
    struct build b;

    build_begin(&b, v, 257 + lines, lines);
    for (int i = 0; i < 256; i++) {
        const char byte[KEY_MAX + 1] = {(char)alphabet_byte(i)};
        v->bpe.byte_id[(unsigned char)*byte] = i;
        add_token(&b, v->size++, byte, 1);
    }
    const char *why = read_merges(&b, "", text, n, 1);
    v->eot = v->size++;
    if (!why)
        bpe_seal(&v->bpe);
    free(b.slots);
    return why;
}

/* The token of one row of vocab.json, in the characters of the file. */
static const char *take_token(struct build *b, const char *key, size_t n, const json_t *value)
{
    struct vocab *v = b->v;
    const json_int_t id = json_integer_value(value);
    char bytes[LONGEST + KEY_MAX];

    if (!json_is_integer(value) || id < 0 || id >= v->size)
        return "has no id from 0 to the number of tokens";
    if (v->tokens[id].n || id == v->eot)
        return "has the id of another token";
    if (n == strlen(END_OF_TEXT) && !memcmp(key, END_OF_TEXT, n)) {
        v->eot = (int)id;
        return NULL;
    }
    const long size = n && n <= LONGEST ? alphabet_decode(key, n, bytes) : -1;
    if (size < 0)
        return "is not written in GPT-2's characters for bytes";
    add_token(b, (int)id, bytes, (size_t)size);
    return NULL;
}

/* A vocabulary without <|endoftext|> may end a text as RoBERTa's does. */
static const char *find_end(struct build *b)
{
    static const char end[KEY_MAX + 1] = ROBERTA_END;
    const int id = find_token(b, end, strlen(end));
    if (id < 0)
        return "vocab.json: has no " END_OF_TEXT " and no " ROBERTA_END;
    b->v->eot = id;
    b->v->tokens[id].n = 0;
    return NULL;
}

static const char *read_tokens(struct build *b, json_t *json)
{
    struct vocab *v = b->v;
    const char *key;
    json_t *value;

    v->size = (int)json_object_size(json);
    v->eot = -1;
    json_object_foreach(json, key, value) {
        const char *why = take_token(b, key, strlen(key), value);
        if (why)
            return fault("vocab.json: '%.60s' %s", key, why);
    }
    for (int byte = 0; byte < 256; byte++) {
        const char c[KEY_MAX + 1] = {(char)byte};
        v->bpe.byte_id[byte] = find_token(b, c, 1);
        if (v->bpe.byte_id[byte] < 0)
            return fault("vocab.json: has no token for the byte %d", byte);
    }
    return v->eot < 0 ? find_end(b) : NULL;
}

const char *vocab_from_pair(struct vocab *v, const char *json, size_t json_size,
                            const char *merges, size_t merges_size)
{
    json_error_t error;
    json_t *root = json_loadb(json, json_size, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(root)) {
        json_decref(root);
        return fault("vocab.json:%d: %s", root ? 1 : error.line,
                     root ? "is not an object of tokens and ids" : error.text);
    }
    struct build b;
    build_begin(&b, v, json_object_size(root), count_lines(merges, merges_size));
    const char *why = read_tokens(&b, root);
    json_decref(root);
    if (!why)
        why = read_merges(&b, "merges.txt:", merges, merges_size, 0);
    if (!why)
        bpe_seal(&v->bpe);
    free(b.slots);
    return why;
}
