/* fiber.cc - the threads of a block as fibers: they switch at barriers and warp
 * collectives only, in the order that EMU_ORDER=forward|reverse|random[:seed] asks for. */
#include "emu.h"
#include <sys/mman.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

enum : size_t { STACK = ASAN ? 256 << 10 : 64 << 10, GUARD = 4096 };
static std::vector<char *> free_stacks;
static size_t n_stacks;
static void *main_sp;

/* Save the callee-saved registers and the stack pointer; go on where `to` was saved. */
extern "C" void emu_switch(void **save, void *to);
asm(R"(.text
.globl emu_switch
.type emu_switch,@function
emu_switch:
  pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
  movq %rsp, (%rdi); movq %rsi, %rsp
  popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
  ret
.size emu_switch,.-emu_switch
)");

/* A ready lane of a warp, by the order. */
static unsigned pick_lane(unsigned ready)
{
    if (emu.order == ORDER_REVERSE)
        return 31 - (unsigned)__builtin_clz(ready);
    if (emu.order == ORDER_RANDOM)
        for (unsigned s = emu_random() % (unsigned)__builtin_popcount(ready); s--;)
            ready &= ready - 1;
    return (unsigned)__builtin_ctz(ready);
}

static Lane *pick()
{
    const unsigned n = (unsigned)emu.warps.size();
    const unsigned first = emu.order == ORDER_RANDOM ? emu_random() % n : emu.cur_warp;
    for (unsigned i = 0; i < n; i++) {
        const unsigned k = emu.order == ORDER_REVERSE ? (first + n - i) % n : (first + i) % n;
        if (emu.warps[k].ready) {
            const unsigned l = pick_lane(emu.warps[k].ready);
            emu.warps[k].ready &= ~(1u << l);
            emu.cur_warp = k;
            return &emu.lanes[k * 32 + l];
        }
    }
    return nullptr;
}

void emu_wake(Lane *l)
{
    l->state = READY;
    emu.warps[l->index / 32].ready |= 1u << l->lane;
}

static void become(Lane *l)
{
    emu.cur = l;
    emu_tid = l->tid;
}

/* Leave the current fiber for `to`, or for the host where to is NULL. */
static void switch_to(void **save, Lane *to, bool dying)
{
#if defined(__SANITIZE_ADDRESS__)
    Lane *me = emu.cur;
    void **fake = me ? &me->fake : &emu.main_fake;
    if (to)
        __sanitizer_start_switch_fiber(dying ? nullptr : fake, to->stack, STACK);
    else
        __sanitizer_start_switch_fiber(dying ? nullptr : fake, emu.main_stack,
                                       emu.main_stack_size);
#endif
    if (to)
        become(to);
    else
        emu.cur = nullptr;
    emu_switch(save, to ? to->sp : main_sp);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(*fake, nullptr, nullptr);
#endif
    (void)dying;
}

static void fiber_main()
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, emu.entered_from_main ? &emu.main_stack : nullptr,
                                    emu.entered_from_main ? &emu.main_stack_size : nullptr);
#endif
    for (;;) {
        Lane *me = emu.cur;
        emu.thunk(emu.arg);
        me->state = DONE;
        emu.n_done++;
        emu.warps[emu.cur_warp].exited |= 1u << me->lane;
        emu_cp_async_wait(0);
        emu_thread_exits();
        Lane *next = pick();
        if (next && !next->sp) {        /* a fresh thread takes over this stack */
            next->stack = me->stack;
            become(next);
            continue;
        }
        free_stacks.push_back(me->stack);
        void *dead;
        switch_to(&dead, next, true);
        __builtin_unreachable();
    }
}

/* A stack for a thread that starts; the page below it faults. */
static void prepare(Lane *l)
{
    if (free_stacks.empty()) {
        emu.stacks_size = 1025 * (STACK + GUARD);
        if (!emu.stacks)
            emu.stacks = (char *)mmap(nullptr, emu.stacks_size, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        char *p = emu.stacks + n_stacks++ * (STACK + GUARD);
        mprotect(p, GUARD, PROT_NONE);
        free_stacks.push_back(p + GUARD);
    }
    l->stack = free_stacks.back();
    free_stacks.pop_back();
    ASAN_UNPOISON_MEMORY_REGION(l->stack, STACK);
    void **sp = (void **)(l->stack + STACK - 16);
    *--sp = nullptr;
    *--sp = (void *)fiber_main;
    for (int i = 0; i < 6; i++)         /* the registers that emu_switch restores */
        *--sp = nullptr;
    l->sp = sp;
}

void emu_yield()
{
    Lane *me = emu.cur, *next = pick();
    if (next == me)
        return;
    if (next && !next->sp)
        prepare(next);
    emu.entered_from_main = false;
    switch_to(&me->sp, next, false);
}

void emu_run_block()
{
    emu.cur = nullptr;
    Lane *first = pick();
    prepare(first);
    emu.entered_from_main = true;
    switch_to(&main_sp, first, false);
}
