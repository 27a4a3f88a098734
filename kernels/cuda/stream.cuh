/* stream.cuh - streams, asynchronous batches and graphs: see stream.cu. */
#pragma once
#include "kernels/cuda/cuda.cuh"

/* Make cuda_stream and the stream that brings batches, once. */
void streams_open(void);

extern "C" {
/* As backend.h has them. */
void cuda_send(float *device, const void *host, size_t bytes);
void cuda_copy(float *to, const float *from, size_t floats);
void cuda_wait(void);
void cuda_replay(struct recording **keep, void (*work)(void *), void *of);
void cuda_forget(struct recording **keep);
}
