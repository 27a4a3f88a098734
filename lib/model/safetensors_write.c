#include "base/base.h"
#include "model/safetensors.h"
#include "model/safetensors_format.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct safetensors_writer {
    FILE *f;
    char *path;
    json_t *header, *notes;
    size_t bytes, written;      /* of data: named, put so far */
    uLong sum;
    long sum_at;                /* where the checksum's digits stand */
};

struct safetensors_writer *safetensors_create(const char *path)
{
    struct safetensors_writer *w = zalloc(1, sizeof *w);
    w->path = copy_text(path);
    w->f = fopen(path, "wb");
    if (!w->f)
        die("%s:", path);
    w->header = json_object();
    w->notes = json_object();
    json_object_set_new(w->header, "__metadata__", w->notes);
    safetensors_add_note(w, "format", "pt");        /* transformers asks for it */
    safetensors_add_note(w, VERSION_KEY, KEEL_VERSION);
    safetensors_add_note(w, CHECKSUM_KEY, CHECKSUM_ZEROS);
    return w;
}

void safetensors_add_note(struct safetensors_writer *w, const char *key, const char *value)
{
    json_t *text = json_string(value);
    if (!text) {                        /* not UTF-8: what is not ASCII becomes a question mark */
        char *plain = copy_text(value);
        for (char *c = plain; *c; c++)
            *c = (unsigned char)*c < 0x80 ? *c : '?';
        text = json_string(plain);
        free(plain);
    }
    json_object_set_new(w->notes, key, text);
}

void safetensors_add(struct safetensors_writer *w, const char *name, int dims, const size_t *shape)
{
    size_t count = 1;
    json_t *sizes = json_array();
    for (int i = 0; i < dims; i++) {
        count *= shape[i];
        json_array_append_new(sizes, json_integer((json_int_t)shape[i]));
    }
    const size_t end = w->bytes + count * sizeof(float);
    json_object_set_new(w->header, name,
                        json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", sizes,
                                  "data_offsets", (json_int_t)w->bytes, (json_int_t)end));
    w->bytes = end;
}

static void put_bytes(struct safetensors_writer *w, const void *bytes, size_t n)
{
    w->sum = crc32_z(w->sum, bytes, n);
    if (fwrite(bytes, 1, n, w->f) != n)
        die("%s:", w->path);
}

/* The header, padded so that the data begin at a multiple of 8. */
static void put_header(struct safetensors_writer *w)
{
    static const char key[] = "\"" CHECKSUM_KEY "\":\"";
    char *text = json_dumps(w->header, JSON_COMPACT);
    if (!text)
        die("%s: out of memory for its header", w->path);
    const size_t n = strlen(text), padded = (n + 7) / 8 * 8;
    unsigned char length[LENGTH_BYTES];
    for (int i = 0; i < LENGTH_BYTES; i++)
        length[i] = (unsigned char)((unsigned long long)padded >> 8 * i);
    put_bytes(w, length, sizeof length);
    put_bytes(w, text, n);
    put_bytes(w, "       ", padded - n);
    w->sum_at = LENGTH_BYTES + (long)(strstr(text, key) - text) + (long)sizeof key - 1;
    free(text);
    json_decref(w->header);
    w->header = NULL;
}

void safetensors_put(struct safetensors_writer *w, const float *x, size_t n)
{
    if (w->header)
        put_header(w);
    put_bytes(w, x, n * sizeof *x);
    w->written += n * sizeof *x;
}

void safetensors_finish(struct safetensors_writer *w)
{
    if (w->header)
        put_header(w);
    if (w->written != w->bytes)
        die("%s: %zu bytes of tensors where %zu were named", w->path, w->written, w->bytes);
    if (fseek(w->f, w->sum_at, SEEK_SET) || fprintf(w->f, "%08lx", w->sum) != CHECKSUM_DIGITS
        || fclose(w->f))
        die("%s:", w->path);
    free(w->path);
    free(w);
}
