#include "data/shard_file.h"
#include "base/base.h"
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { SKIP = 8, FOOTER = 9, SEEK_ENTRY = 8, CHECK_ENTRY = 8, CHECK_HEAD = sizeof CHECK_TEXT - 1 };

__attribute__((format(printf, 2, 3)))
static const char *wrong(struct shard_index *x, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(x->why, sizeof x->why, fmt, ap);
    va_end(ap);
    return x->why;
}

static int get_number(const json_t *o, const char *key, json_int_t max, json_int_t *v)
{
    const json_t *j = json_object_get(o, key);
    *v = json_integer_value(j);
    return json_is_integer(j) && *v >= 0 && *v <= max ? 0 : -1;
}

static const char *parse_head(const unsigned char *text, size_t n, struct shard_index *x)
{
    json_error_t error;
    json_int_t size, eot = 0, width, tokens, documents;
    const char *why = NULL;
    json_t *o = json_loadb((const char *)text, n, 0, &error);
    if (!o)
        return wrong(x, "head: not JSON: %s", error.text);

    const char *format = json_string_value(json_object_get(o, "format"));
    const char *vocab = json_string_value(json_object_get(o, "vocab"));
    if (!format || strcmp(format, "keel shard 1"))
        why = wrong(x, "head: the format is '%.40s', not 'keel shard 1'", format ? format : "");
    else if (!vocab || strlen(vocab) >= sizeof x->kind.vocab)
        why = wrong(x, "head: no vocabulary");
    else if (get_number(o, "size", TOKENS_MAX_SIZE, &size) || !size
             || get_number(o, "eot", size - 1, &eot) || get_number(o, "width", 4, &width)
             || width != (size > 65536 ? 4 : 2) || get_number(o, "tokens", INT64_MAX / 8, &tokens)
             || get_number(o, "documents", tokens, &documents))
        why = wrong(x, "head: size, eot, width, tokens or documents is missing or out of range");
    else {
        strcpy(x->kind.vocab, vocab);
        x->kind.size = (int)size;
        x->kind.eot = (int)eot;
        x->width = (int)width;
        x->pairs = json_is_true(json_object_get(o, "pairs"));
        x->tokens = (uint64_t)tokens;
        x->documents = (uint64_t)documents;
    }
    json_decref(o);
    return why;
}

/* The frames from the seek table, whose first and last but one entries are the
 * skippable frames; they must tile the file from `head` on up to `end`. */
static const char *parse_frames(const unsigned char *data, const unsigned char *table, size_t head,
                                size_t end, struct shard_index *x)
{
    uint64_t at = head, first = 0;
    for (size_t i = 0; i < x->n; i++) {
        struct shard_frame *f = &x->frames[i];
        const uint32_t size = get32(table + SEEK_ENTRY * (i + 1));
        const uint32_t bytes = get32(table + SEEK_ENTRY * (i + 1) + 4);
        const uint32_t ids = bytes / (uint32_t)x->width;
        if (!bytes || bytes % (uint32_t)x->width || ids > FRAME_MAX || size > end - at)
            return wrong(x, "seek table: entry %zu is out of range", i + 1);
        *f = (struct shard_frame){.at = at, .first = first, .size = size, .ids = ids};
        at += size;
        first += ids;
    }
    if (first != x->tokens)
        return wrong(x, "the seek table counts %llu tokens, the head %llu",
                     (unsigned long long)first, (unsigned long long)x->tokens);
    if (at + SKIP > end || get32(data + at) != MAGIC_CHECK
        || get32(data + at + 4) != CHECK_HEAD + CHECK_ENTRY * x->n
        || at + SKIP + CHECK_HEAD + CHECK_ENTRY * x->n != end
        || memcmp(data + at + SKIP, CHECK_TEXT, CHECK_HEAD))
        return wrong(x, "byte %llu: the frame of check sums is not where the seek table ends",
                     (unsigned long long)at);

    uint64_t ends = 0;
    for (size_t i = 0; i < x->n; i++) {
        const unsigned char *c = data + at + SKIP + CHECK_HEAD + CHECK_ENTRY * i;
        x->frames[i].crc = get32(c);
        x->frames[i].ends = get32(c + 4);
        ends += x->frames[i].ends;
    }
    if (ends != x->documents)
        return wrong(x, "the check sums count %llu documents, the head %llu",
                     (unsigned long long)ends, (unsigned long long)x->documents);
    x->crc = (uint32_t)crc32_z(crc32(0, NULL, 0), data, head);
    return NULL;
}

const char *shard_parse(const unsigned char *data, size_t size, struct shard_index *x)
{
    memset(x, 0, sizeof *x);
    if (size < 2 * SKIP + FOOTER || get32(data) != MAGIC_HEAD
        || get32(data + 4) > size - 2 * SKIP - FOOTER)
        return wrong(x, "byte 0: not a shard of keel");
    const size_t head = SKIP + get32(data + 4);
    const char *why = parse_head(data + SKIP, head - SKIP, x);
    if (why)
        return why;

    const unsigned char *const footer = data + size - FOOTER;
    const size_t entries = get32(footer), table = (size_t)SEEK_ENTRY * entries;
    if (get32(footer + 5) != MAGIC_SEEKABLE || footer[4])
        return wrong(x, "byte %zu: no seek table at the end; the file was cut short or damaged",
                     size - FOOTER);
    if (entries < 2 || entries > (size - head - SKIP - FOOTER) / SEEK_ENTRY)
        return wrong(x, "byte %zu: the seek table has %zu entries, more or less than fit",
                     size - FOOTER, entries);
    const size_t end = size - FOOTER - table - SKIP;
    if (end < head || get32(data + end) != MAGIC_SEEK || get32(data + end + 4) != table + FOOTER)
        return wrong(x, "byte %zu: the seek table does not begin where its length says", end);
    const unsigned char *const first = data + end + SKIP, *const last = first + table - SEEK_ENTRY;
    x->n = entries - 2;
    if (get32(first) != head || get32(first + 4)
        || get32(last) != SKIP + CHECK_HEAD + CHECK_ENTRY * x->n || get32(last + 4))
        return wrong(x, "seek table: the entries of the skippable frames are wrong");
    x->frames = calloc(x->n + 1, sizeof *x->frames);
    if (!x->frames)
        return wrong(x, "out of memory");
    if ((why = parse_frames(data, first, head, end, x)))
        return why;
    const size_t rest = end - SKIP - CHECK_HEAD - CHECK_ENTRY * x->n;
    x->crc = (uint32_t)crc32_z(x->crc, data + rest, size - rest);
    return NULL;
}

void shard_index_free(struct shard_index *x)
{
    free(x->frames);
    x->frames = NULL;
    x->n = 0;
}

/* The greatest id, and how many ends of text. */
static uint32_t greatest(const void *raw, size_t n, int width, uint32_t eot, uint32_t *ends)
{
    uint32_t max = 0, count = 0;
    if (width == 2) {
        const uint16_t *ids = raw;
        uint16_t top = 0;
        for (size_t i = 0; i < n; i++) {
            top = ids[i] > top ? ids[i] : top;
            count += ids[i] == eot;
        }
        max = top;
    } else {
        const uint32_t *ids = raw;
        for (size_t i = 0; i < n; i++) {
            max = ids[i] > max ? ids[i] : max;
            count += ids[i] == eot;
        }
    }
    *ends = count;
    return max;
}

const char *shard_decode(ZSTD_DCtx *z, const struct shard_index *x, const unsigned char *data,
                         size_t i, void *raw, char why[200])
{
    const struct shard_frame *f = &x->frames[i];
    const unsigned char *const in = data + f->at;
    const size_t bytes = (size_t)f->ids * (size_t)x->width;
    const char *what = NULL;
    uint32_t max, ends;

    if ((uint32_t)crc32_z(crc32(0, NULL, 0), in, f->size) != f->crc)
        what = "its check sum is wrong";
    else {
        const size_t n = ZSTD_decompressDCtx(z, raw, bytes, in, f->size);
        if (ZSTD_isError(n))
            what = ZSTD_getErrorName(n);
        else if (n != bytes)
            what = "it is shorter than the seek table says";
        else if ((max = greatest(raw, f->ids, x->width, (uint32_t)x->kind.eot, &ends))
                 >= (uint32_t)x->kind.size)
            what = "an id is beyond the vocabulary";
        else if (ends < f->ends)
            what = "documents are missing";
    }
    if (!what)
        return NULL;
    snprintf(why, 200, "frame %zu (bytes %llu to %llu) is damaged: %s", i,
             (unsigned long long)f->at, (unsigned long long)(f->at + f->size), what);
    return why;
}

size_t shard_frame_of(const struct shard_index *x, uint64_t at)
{
    size_t low = 0, high = x->n;
    while (high - low > 1) {
        const size_t mid = low + (high - low) / 2;
        if (x->frames[mid].first <= at)
            low = mid;
        else
            high = mid;
    }
    return low;
}

void ids_from_raw(int *ids, const void *raw, size_t n, int width)
{
    if (width == 4) {
        memcpy(ids, raw, n * sizeof *ids);
        return;
    }
    const uint16_t *narrow = raw;
    for (size_t i = 0; i < n; i++)
        ids[i] = narrow[i];
}
