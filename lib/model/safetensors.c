#include "model/safetensors.h"
#include "base/base.h"
#include "base/fault.h"
#include "model/safetensors_format.h"
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct safetensors_type { const char *name; size_t bytes; };

static const struct safetensors_type types[] = {
    {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8}, {"I64", 8}, {"I32", 4}, {"I16", 2},
    {"I8", 1}, {"U64", 8}, {"U32", 4}, {"U16", 2}, {"U8", 1}, {"BOOL", 1},
    {"F8_E4M3", 1}, {"F8_E5M2", 1}, {NULL, 0},
};

/* A size from JSON; 0 if it is none. */
static int size_of(const json_t *j, size_t *out)
{
    if (!json_is_integer(j) || json_integer_value(j) < 0)
        return 0;
    *out = (size_t)json_integer_value(j);
    return 1;
}

static const char *parse_shape(struct safetensors_entry *e, const json_t *shape)
{
    if (!json_is_array(shape) || json_array_size(shape) > SAFETENSORS_DIMS)
        return fault("tensor %.100s: its shape is no list of up to %d sizes", e->name,
                     SAFETENSORS_DIMS);
    e->dims = (int)json_array_size(shape);
    e->count = 1;
    for (int i = 0; i < e->dims; i++)
        if (!size_of(json_array_get(shape, (size_t)i), &e->shape[i])
            || __builtin_mul_overflow(e->count, e->shape[i], &e->count))
            return fault("tensor %.100s: a bad size in its shape", e->name);
    return NULL;
}

static const char *parse_entry(struct safetensors_entry *e, const json_t *j, size_t data_bytes)
{
    const char *type = json_string_value(json_object_get(j, "dtype"));
    const json_t *offsets = json_object_get(j, "data_offsets");
    size_t bytes;

    if (!type)
        return fault("tensor %.100s: no dtype", e->name);
    for (e->type = types; e->type->name && strcmp(e->type->name, type);)
        e->type++;
    if (!e->type->name)
        return fault("tensor %.100s: unknown dtype %.20s", e->name, type);
    const char *why = parse_shape(e, json_object_get(j, "shape"));
    if (why)
        return why;
    if (json_array_size(offsets) != 2 || !size_of(json_array_get(offsets, 0), &e->begin)
        || !size_of(json_array_get(offsets, 1), &e->end) || e->begin > e->end)
        return fault("tensor %.100s: its data_offsets are no pair [begin, end]", e->name);
    if (e->end > data_bytes)
        return fault("cut short: tensor %.100s ends at byte %zu of the data, which has %zu",
                     e->name, e->end, data_bytes);
    if (__builtin_mul_overflow(e->count, e->type->bytes, &bytes) || bytes != e->end - e->begin)
        return fault("tensor %.100s: %zu bytes do not hold its shape in %s", e->name,
                     e->end - e->begin, type);
    return NULL;
}

static int by_begin(const void *a, const void *b)
{
    const struct safetensors_entry *x = a, *y = b;
    return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin)
                                : (x->end > y->end) - (x->end < y->end);
}

/* The data must be covered by the tensors exactly once. */
static const char *check_cover(struct safetensors *s, size_t data_bytes)
{
    size_t at = 0;
    qsort(s->entries, s->n, sizeof *s->entries, by_begin);
    for (size_t i = 0; i < s->n; i++) {
        const struct safetensors_entry *e = &s->entries[i];
        if (e->begin != at)
            return fault("tensor %.100s: its data begin at byte %zu, %s at %zu", e->name, e->begin,
                         e->begin < at ? "overlapping those that end" : "after a hole that begins",
                         at);
        at = e->end;
    }
    return at == data_bytes ? NULL : fault("%zu bytes after the last tensor", data_bytes - at);
}

static const char *parse_notes(struct safetensors *s, json_t *notes)
{
    const char *key;
    json_t *value;
    if (!json_is_object(notes))
        return fault("__metadata__ is no object");
    s->notes = calloc(json_object_size(notes) + 1, sizeof *s->notes);
    if (!s->notes)
        return fault("out of memory");
    json_object_foreach(notes, key, value) {
        if (!json_is_string(value))
            return fault("__metadata__: %.100s is no string", key);
        struct safetensors_note *note = &s->notes[s->n_notes++];
        note->key = strdup(key);
        note->value = strdup(json_string_value(value));
        if (!note->key || !note->value)
            return fault("out of memory");
    }
    return NULL;
}

static const char *parse_header(struct safetensors *s, json_t *header, size_t data_bytes)
{
    const char *key, *why = NULL;
    json_t *value;
    s->entries = calloc(json_object_size(header) + 1, sizeof *s->entries);
    if (!s->entries)
        return fault("out of memory");
    json_object_foreach(header, key, value) {
        if (!strcmp(key, "__metadata__")) {
            why = parse_notes(s, value);
        } else {
            struct safetensors_entry *e = &s->entries[s->n++];
            e->name = strdup(key);
            why = e->name ? parse_entry(e, value, data_bytes) : fault("out of memory");
        }
        if (why)
            return why;
    }
    return check_cover(s, data_bytes);
}

/* The checksum is of the whole file with its own digits as zeros. */
static const char *check_sum(struct safetensors *s, const unsigned char *bytes, size_t n,
                             size_t header_end)
{
    static const char key[] = "\"" CHECKSUM_KEY "\":\"";
    const char *stated = safetensors_note(s, CHECKSUM_KEY);
    const unsigned char *at = memmem(bytes, header_end, key, sizeof key - 1);

    if (!stated)
        return safetensors_note(s, VERSION_KEY) ? fault("its checksum is missing") : NULL;
    if (!at || strlen(stated) != CHECKSUM_DIGITS)
        return fault("its checksum is no checksum");
    at += sizeof key - 1;
    const size_t before = (size_t)(at - bytes), after = before + CHECKSUM_DIGITS;
    uLong sum = crc32_z(0, bytes, before);
    sum = crc32_z(sum, (const unsigned char *)CHECKSUM_ZEROS, CHECKSUM_DIGITS);
    sum = crc32_z(sum, bytes + after, n - after);
    char text[CHECKSUM_DIGITS + 1];
    snprintf(text, sizeof text, "%08lx", sum);
    if (strcmp(text, stated))
        return fault("damaged: the checksum is %s and should be %.8s", text, stated);
    s->checked = 1;
    return NULL;
}

const char *safetensors_parse(const unsigned char *bytes, size_t n, struct safetensors *s)
{
    uint64_t length = 0;
    *s = (struct safetensors){0};
    for (size_t i = 0; i < LENGTH_BYTES && i < n; i++)
        length |= (uint64_t)bytes[i] << 8 * i;
    if (n < LENGTH_BYTES)
        return fault("cut short: %zu bytes", n);
    if (length > HEADER_MAX)
        return fault("not a safetensors file: a header of %llu bytes", (unsigned long long)length);
    if (length > n - LENGTH_BYTES)
        return fault("cut short: a header of %llu bytes in %zu", (unsigned long long)length, n);
    const size_t header_end = LENGTH_BYTES + (size_t)length;
    s->data = bytes + header_end;

    json_error_t error;
    json_t *header = json_loadb((const char *)bytes + LENGTH_BYTES, (size_t)length,
                                JSON_REJECT_DUPLICATES, &error);
    if (!header)
        return fault("its header is no JSON: byte %d: %.100s", error.position, error.text);
    const char *why = json_is_object(header) ? parse_header(s, header, n - header_end)
                                             : fault("its header is no JSON object");
    json_decref(header);
    return why ? why : check_sum(s, bytes, n, header_end);
}

void safetensors_free(struct safetensors *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->entries[i].name);
    for (size_t i = 0; i < s->n_notes; i++) {
        free(s->notes[i].key);
        free(s->notes[i].value);
    }
    free(s->entries);
    free(s->notes);
    *s = (struct safetensors){0};
}

const struct safetensors_entry *safetensors_find(const struct safetensors *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(s->entries[i].name, name))
            return &s->entries[i];
    return NULL;
}

const char *safetensors_note(const struct safetensors *s, const char *key)
{
    for (size_t i = 0; i < s->n_notes; i++)
        if (!strcmp(s->notes[i].key, key))
            return s->notes[i].value;
    return NULL;
}

/* IEEE half precision: whole numbers of 2^-24 below its normal range, else the exponent of
 * another bias: 127 for 15. */
static float from_half(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16, rest = h & 0x7fff;
    const int special = rest >= 0x7c00;         /* infinity, or no number */
    const uint32_t bits = sign | ((rest << 13) + (special ? 0x70000000 : 0x38000000));
    float x;
    memcpy(&x, &bits, sizeof x);
    if (rest >= 0x0400)
        return x;
    return (sign ? -0x1p-24f : 0x1p-24f) * (float)rest;
}

const char *safetensors_floats(const struct safetensors *s, const struct safetensors_entry *e,
                               float *out)
{
    const unsigned char *from = s->data + e->begin;
    if (!strcmp(e->type->name, "F32")) {
        memcpy(out, from, e->end - e->begin);
        return NULL;
    }
    const int brain = !strcmp(e->type->name, "BF16");
    if (!brain && strcmp(e->type->name, "F16"))
        return fault("tensor %.100s: %s cannot be read as floats; F32, F16 and BF16 can", e->name,
                     e->type->name);
    for (size_t i = 0; i < e->count; i++) {
        const uint16_t h = (uint16_t)(from[2 * i] | from[2 * i + 1] << 8);
        const uint32_t wide = (uint32_t)h << 16;
        if (brain)
            memcpy(&out[i], &wide, sizeof wide);
        else
            out[i] = from_half(h);
    }
    return NULL;
}
