/* emu.h - what the parts of the emulator share: the running launch and its threads. */
#pragma once
#include "cuda_on_cpu.h"
#include <cstdarg>
#include <cstdlib>
#include <dlfcn.h>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
enum { ASAN = 1 };
#else
enum { ASAN = 0 };
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum LaneState : uint8_t { READY, AT_BARRIER, AT_WARP, DONE };

/* An asynchronous copy that has been asked for and has not happened. */
struct Copy {
    void *dst;
    const void *src;
    int n, valid, group;
};

/* One CUDA thread. */
struct Lane {
    uint3 tid;
    unsigned index;             /* in the block */
    int lane, arg, width, group;
    LaneState state;
    uint32_t clock;             /* Lamport clock of __syncwarp */
    uint64_t in, res;           /* of the collective it waits in */
    void *sp, *fake;            /* saved stack pointer; ASan's fake stack */
    char *stack;
    EmuSite site;
    std::vector<Copy> copies;
};

/* A collective that some lanes of its mask have reached. */
struct Pend {
    unsigned mask, here;
    EmuOp op;
    EmuSite at;
};

struct Warp {
    unsigned ready, exited, exists;     /* lanes */
    int n_pend;
    Pend pend[8];
};

enum Order { ORDER_FORWARD, ORDER_REVERSE, ORDER_RANDOM };

/* The running launch. */
struct EmuState {
    Lane *cur;                  /* NULL on the host */
    unsigned cur_warp;
    std::vector<Lane> lanes;    /* of the running block */
    std::vector<Warp> warps;
    unsigned n_threads, n_done;
    void (*thunk)(void *);      /* one thread's run of the kernel */
    void *arg;
    size_t arg_size;
    char *stacks;
    size_t stacks_size;
    void (*call)(void *arg[32], unsigned mask);
    const char *name;           /* of the kernel */
    size_t smem, block;         /* dynamic shared bytes; the block's number */
    uint32_t launch, bar_epoch;
    Order order;
    bool entered_from_main;
    const void *main_stack;
    size_t main_stack_size;
    void *main_fake;
};

extern EmuState emu;
/* What a kernel sees as threadIdx and so on, writable here. */
extern uint3 emu_tid asm("threadIdx"), emu_bid asm("blockIdx"), emu_bdim asm("blockDim"),
    emu_gdim asm("gridDim");

/* Bytes of device address space.  The check build's shadow is 12 times as large. */
#ifdef EMU_CHECK
static const size_t EMU_ARENA = 8ull << 30;
#else
static const size_t EMU_ARENA = 64ull << 30;
#endif
enum { EMU_SHARED_MAX = 227 << 10 };

/* fail.cc: whether this call of a function of the API is to fail. */
bool emu_fails(const char *call);
#define EMU_MAY_FAIL(error)   \
    do {                      \
        if (emu_fails(__func__)) \
            return error;     \
    } while (0)

[[noreturn]] void emu_die(const char *kind, EmuSite at, const char *fmt, ...);
EmuSite emu_where(const void *pc);      /* of a return address, through addr2line */
std::string emu_str(EmuSite s);
uint64_t emu_random();                  /* of the schedule */

/* fiber.cc: run the block's threads until none can go on; leave the current one. */
void emu_run_block();
void emu_yield();
void emu_wake(Lane *l);
/* collect.cc */
void emu_barriers_reset();
void emu_thread_exits();                /* barriers see that the current thread has left */
/* shared.cc */
void emu_shared_reset();                /* fill with NaN at the start of a block */
bool emu_is_shared(const void *p);
std::string emu_shared_name(const void *p, size_t *off);    /* "" if not shared memory */

/* memory.cc */
char *emu_arena();
/* Open the arena to kernels and copies, or shut it again; calls nest. */
void emu_open_memory(bool open);
/* Where p is in its live device allocation; NULL if [p, p + n) is not inside one. */
const char *emu_global_find(const void *p, size_t n, size_t *off);

/* check.cc, and nothing in the other builds. */
void emu_block_begin();
void emu_block_end();
void emu_launch_end();
