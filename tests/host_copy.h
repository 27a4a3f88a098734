/* host_copy.h - host memory and its copy on a device, for host_face.h. */
#pragma once
#include "kernels/backend.h"

static const struct backend *face_of;

/* Host memory and its copy on the device. */
struct face_copy {
    float *host, *device;
    size_t n;
};

static inline float *face_send(struct face_copy *c, float *host, size_t n)
{
    *c = (struct face_copy){host, NULL, n};
    if (!host)
        return NULL;
    c->device = face_of->alloc(n);
    face_of->put(c->device, host, n * sizeof *host);
    return c->device;
}

static inline void face_drop(struct face_copy *c)
{
    if (c->host)
        face_of->release(c->device);
}

static inline void face_fetch(struct face_copy *c)
{
    if (c->host)
        face_of->get(c->host, c->device, c->n * sizeof *c->host);
    face_drop(c);
}
