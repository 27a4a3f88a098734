/* host_copy.h - host memory and its copy on a device, for host_face.h. */
#pragma once
#include "kernels/backend.h"
#include "kernels/bf16.h"
#include <stdlib.h>

static const struct backend *face_of;

/* Host memory and its copy on the device, where numbers may be stored in bf16. */
struct face_copy {
    float *host, *device;
    size_t n;
    enum storage storage;
};

static inline float *face_send(struct face_copy *c, float *host, size_t n)
{
    *c = (struct face_copy){host, NULL, n, STORAGE_F32};
    if (!host)
        return NULL;
    c->device = face_of->alloc(n);
    face_of->put(c->device, host, n * sizeof *host);
    return c->device;
}

/* The same, stored in bf16. */
static inline float *face_send_narrow(struct face_copy *c, float *host, size_t n)
{
    *c = (struct face_copy){host, NULL, n, STORAGE_BF16};
    if (!host)
        return NULL;
    uint16_t *narrow = malloc(n * sizeof *narrow);
    for (size_t i = 0; i < n; i++)
        narrow[i] = bf16_narrow(host[i]);
    c->device = face_of->alloc((n + 1) / 2);
    face_of->put(c->device, narrow, n * sizeof *narrow);
    free(narrow);
    return c->device;
}

static inline void face_drop(struct face_copy *c)
{
    if (c->host)
        face_of->release(c->device);
}

static inline void face_fetch(struct face_copy *c)
{
    if (c->host && c->storage == STORAGE_BF16) {
        uint16_t *narrow = malloc(c->n * sizeof *narrow);
        face_of->get(narrow, c->device, c->n * sizeof *narrow);
        for (size_t i = 0; i < c->n; i++)
            c->host[i] = bf16_widen(narrow[i]);
        free(narrow);
    } else if (c->host) {
        face_of->get(c->host, c->device, c->n * sizeof *c->host);
    }
    face_drop(c);
}
