/* stream.h - a launch becomes work of a stream. */
#pragma once
#include "cuda_on_cpu.h"

/* Run f at its turn in the stream. */
void emu_enqueue(cudaStream_t s, const std::function<void()> &f);
void emu_not_captured(const char *call);
void emu_check_smem(const void *f, size_t smem);
/* A kernel's name in C++, and the same mangled: PTX names it so. */
const char *emu_kernel_name(const void *f);
const char *emu_kernel_symbol(const void *f);
/* True where the kernel's PTX was run instead. */
bool emu_ptx(const void *f, void **argv, dim3 g, dim3 b, size_t smem);

template <class... P, class... A>
static void emu_launch(void (*k)(P...), dim3 g, dim3 b, size_t smem, cudaStream_t s, A &&...a)
{
    struct Call {
        void (*k)(P...);
        std::tuple<P...> args;
    } call{k, std::tuple<P...>(static_cast<P>(a)...)};
    emu_check_smem((const void *)k, smem);
    emu_enqueue(s, [=]() {
        Call c = call;
        void *argv[sizeof...(P) + 1], **p = argv;
        std::apply([&](P &...x) { ((*p++ = &x), ...); }, c.args);
        if (emu_ptx((const void *)k, argv, g, b, smem))
            return;
        auto thread = [](void *arg) {
            auto *one = static_cast<Call *>(arg);
            std::apply(one->k, one->args);
        };
        emu_run(thread, &c, sizeof c, g, b, smem, emu_kernel_name((const void *)k));
    });
}
