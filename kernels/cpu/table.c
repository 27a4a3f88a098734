/* table.c - the backend of one level. */
#include "kernels/cpu/cpu.h"
#include "kernels/memory.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

const struct backend KERNEL(backend) = {
    .name = "cpu-" TEXT(LEVEL), .stores = 1, .narrows = 1,
    .alloc = memory_alloc, .release = memory_release, .put = memory_put, .get = memory_get,
    .send = memory_put, .copy = memory_copy, .wait = memory_wait, .replay = memory_replay,
    .forget = memory_forget, .settle = memory_settle,
    .zero = KERNEL(zero), .sum = KERNEL(sum), .sum_squares = KERNEL(sum_squares),
    .sums = KERNEL(sums), .welford = KERNEL(welford), .ellipsoid = KERNEL(ellipsoid),
    .support = KERNEL(support),
    .adam = KERNEL(adam), .sgd = KERNEL(sgd),
    .halve = KERNEL(halve), .peak = KERNEL(peak), .bandwidth = KERNEL(bandwidth),
#define OP(op, in, out, keep) \
    .op##_forward = KERNEL(op##_forward), .op##_backward = KERNEL(op##_backward),
#include "kernels/ops.def"
#undef OP
};
