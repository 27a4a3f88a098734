/* safetensors.h - Hugging Face's file of tensors: eight bytes of length, a JSON
 * header, the numbers.  keel adds a checksum of the whole file to the header's
 * __metadata__, where other readers pass it over. */
#pragma once
#include <stddef.h>
#include <stdio.h>

enum { SAFETENSORS_DIMS = 8 };

struct safetensors_entry {
    char *name;
    const struct safetensors_type *type;
    int dims;
    size_t shape[SAFETENSORS_DIMS], count;      /* elements in all */
    size_t begin, end;                          /* bytes of the data part */
};

struct safetensors {
    struct safetensors_entry *entries;          /* in the order of their data */
    size_t n;
    struct safetensors_note { char *key, *value; } *notes;      /* __metadata__ */
    size_t n_notes;
    const unsigned char *data;                  /* into the bytes that were parsed */
    int checked;                                /* it had a checksum, which was right */
};

/* Parse a whole file in memory, which must outlive the result: NULL, or an error text (valid
 * until the next call).  Free the result in either case. */
const char *safetensors_parse(const unsigned char *bytes, size_t n, struct safetensors *s);
void safetensors_free(struct safetensors *s);
const struct safetensors_entry *safetensors_find(const struct safetensors *s, const char *name);
/* A value of __metadata__, or NULL. */
const char *safetensors_note(const struct safetensors *s, const char *key);
/* All elements as floats (F32, or F16 and BF16 widened): NULL, or an error text. */
const char *safetensors_floats(const struct safetensors *s, const struct safetensors_entry *e,
                               float *out);

/* Write F32 tensors: name them all, begin, put their numbers in the same order, end.
 * Dies with the file's name when the disk fails. */
struct safetensors_writer;
struct safetensors_writer *safetensors_create(const char *path);
void safetensors_add_note(struct safetensors_writer *w, const char *key, const char *value);
void safetensors_add(struct safetensors_writer *w, const char *name, int dims,
                     const size_t *shape);
void safetensors_put(struct safetensors_writer *w, const float *x, size_t n);
void safetensors_finish(struct safetensors_writer *w);
