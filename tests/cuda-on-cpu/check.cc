/* check.cc - what compute-sanitizer would find, on the CPU.  Kernel files are compiled with
 * -fsanitize=thread but not linked with its runtime: its __tsan_readN and __tsan_writeN calls
 * come here, one for each memory access of a CUDA thread.  Found are
 *   races: two accesses to a byte by different threads, one of them a write, that no barrier
 *     orders, in shared and in device memory;
 *   bounds: an access outside every live device allocation and outside shared memory;
 *   uninitialised shared memory: a read of a byte that no thread of the block wrote. */
#include "check.h"
#include "profile.h"
#include <sys/mman.h>
#include <unordered_map>

extern "C" char __executable_start, _end;

/* One access; a cell keeps the last four of its 8 bytes. */
struct Rec {
    uint32_t launch, block, clock, pc;
    uint16_t tid, epoch;
    uint8_t mask, write : 1, atomic : 1, used : 1;
};
struct Cell {
    Rec r[4];
};

static Cell *shadow_global;                                     /* by arena offset / 8 */
static std::unordered_map<uintptr_t, Cell> shadow_shared;       /* by address / 8, of this block */
static std::unordered_map<uintptr_t, uint8_t> written;          /* bytes of shared memory */

static Cell &cell(uintptr_t a, bool shared)
{
    if (shared)
        return shadow_shared[a >> 3];
    if (!shadow_global)
        shadow_global = (Cell *)mmap(nullptr, (EMU_ARENA >> 3) * sizeof(Cell),
                                     PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return shadow_global[(a - (uintptr_t)emu_arena()) >> 3];
}

uint32_t emu_pc_offset(const void *pc)
{
    return (uint32_t)((const char *)pc - &__executable_start);
}

const void *emu_pc_at(uint32_t offset)
{
    return &__executable_start + offset;
}

/* Does something order access a before what `me` does now? */
static bool ordered(const Rec &a, const Lane *me)
{
    if (a.launch != emu.launch)
        return true;
    if (a.block != emu.block)
        return false;
    if (a.tid == me->index || a.epoch < emu.bar_epoch)
        return true;
    return a.tid / 32 == me->index / 32 && a.clock < me->clock;     /* __syncwarp */
}

static void report_race(uintptr_t a, const Rec &old, const Rec &now)
{
    size_t off;
    std::string name = emu_shared_name((void *)a, &off);
    if (name.empty()) {
        const char *g = emu_global_find((void *)a, 1, &off);
        name = g ? g : "memory";
    }
    emu_die("data race", emu_where(emu_pc_at(now.pc)),
            "%s of %s + %zu by thread %u of block %u, and %s by thread %u of block %u at %s",
            now.write ? "write" : "read", name.c_str(), off, now.tid, now.block,
            old.write ? "write" : "read", old.tid, old.block,
            emu_str(emu_where(emu_pc_at(old.pc))).c_str());
}

/* Look for a race with what the cell remembers, and remember this access. */
static void enter(Cell &c, uintptr_t a, const Rec &now)
{
    int slot = -1;
    for (int i = 0; i < 4; i++) {
        const Rec &r = c.r[i];
        if (!r.used) {
            slot = slot < 0 ? i : slot;
            continue;
        }
        if ((r.mask & now.mask) && (r.write || now.write) && !(r.atomic && now.atomic)
            && !ordered(r, emu.cur))
            report_race(a, r, now);
        const bool same = r.launch == now.launch && r.block == now.block && r.tid == now.tid;
        if (same && r.mask == now.mask && (now.write || !r.write) && r.atomic == now.atomic)
            slot = i;
        else if (slot < 0 && r.launch != now.launch)
            slot = i;
    }
    c.r[slot < 0 ? (int)((a >> 3 ^ emu.cur->index) & 3) : slot] = now;
}

static void need_written(uintptr_t a, uint8_t mask, bool write, const void *pc)
{
    uint8_t &w = written[a >> 3];
    if (write) {
        w |= mask;
    } else if (mask & ~w) {
        size_t off;
        const std::string name = emu_shared_name((void *)a, &off);
        emu_die("uninitialised shared memory", emu_where(pc),
                "read of %s + %zu, which no thread of the block wrote", name.c_str(), off);
    }
}

static void need_bounds(const void *p, size_t n, bool write, const void *pc, bool shared)
{
    size_t off;
    if (shared) {
        if (emu_shared_name((const char *)p + n - 1, &off)[0] == 'p')
            emu_die("bounds", emu_where(pc), "access past the %zu bytes of dynamic shared memory",
                    emu.smem);
    } else if ((size_t)((const char *)p - emu_arena()) >= EMU_ARENA) {
        emu_die("bounds", emu_where(pc), "%s of %zu bytes at %p, which is not device memory",
                write ? "write" : "read", n, p);
    } else if (!emu_global_find(p, n, &off)) {
        emu_die("bounds", emu_where(pc),
                "%s of %zu bytes at %zu bytes past the start of a device allocation: outside it, "
                "or it was freed", write ? "write" : "read", n, off);
    }
}

/* A local variable, a parameter, or a constant of the program. */
static bool is_private(const void *p)
{
    return (size_t)((const char *)p - emu.stacks) < emu.stacks_size
        || (size_t)((const char *)p - (const char *)emu.arg) < emu.arg_size;
}

void emu_note_access(const void *p, size_t n, bool write, bool atomic, const void *pc)
{
    const Lane *me = emu.cur;
    if (!me || is_private(p))
        return;
    const bool shared = emu_is_shared(p);
    if (!shared && (const char *)p >= &__executable_start && (const char *)p < &_end)
        return;
    need_bounds(p, n, write, pc, shared);
    emu_trace_access(p, n, write, pc);
    for (uintptr_t a = (uintptr_t)p, end = a + n; a < end;) {
        const unsigned off = a & 7, k = (unsigned)std::min<size_t>(end - a, 8 - off);
        const uint8_t mask = (uint8_t)(((1u << k) - 1) << off);
        if (shared)
            need_written(a, mask, write, pc);
        enter(cell(a, shared), a,
              {emu.launch, (uint32_t)emu.block, me->clock, emu_pc_offset(pc), (uint16_t)me->index,
               (uint16_t)emu.bar_epoch, mask, write, atomic, 1});
        a += k;
    }
}

void emu_block_begin()
{
    written.clear();
    shadow_shared.clear();
    emu_trace_begin();
}

void emu_block_end()
{
    emu_trace_end();
}

void emu_launch_end()
{
    emu_profile_launch_end();
}

/* The compiler's calls. */
#define RW(n)                                                                                \
    extern "C" void __tsan_read##n(void *p) { emu_note_access(p, n, false, false, EMU_PC); } \
    extern "C" void __tsan_write##n(void *p) { emu_note_access(p, n, true, false, EMU_PC); } \
    extern "C" void __tsan_unaligned_read##n(void *p)                                        \
    {                                                                                        \
        emu_note_access(p, n, false, false, EMU_PC);                                         \
    }                                                                                        \
    extern "C" void __tsan_unaligned_write##n(void *p)                                       \
    {                                                                                        \
        emu_note_access(p, n, true, false, EMU_PC);                                          \
    }
RW(1)
RW(2)
RW(4)
RW(8)
RW(16)

extern "C" void __tsan_read_range(void *p, size_t n)
{
    emu_note_access(p, n, false, false, EMU_PC);
}

extern "C" void __tsan_write_range(void *p, size_t n)
{
    emu_note_access(p, n, true, false, EMU_PC);
}

extern "C" void __tsan_func_entry(void *) {}
extern "C" void __tsan_func_exit() {}
extern "C" void __tsan_init() {}
extern "C" void __tsan_vptr_update(void **, void *) {}
extern "C" void __tsan_vptr_read(void **) {}
extern "C" void __tsan_atomic_thread_fence(int) {}

extern "C" char __tsan_atomic8_load(const volatile char *p, int)
{
    return *p;
}

extern "C" void *__tsan_memcpy(void *d, const void *s, size_t n)
{
    emu_note_access(s, n, false, false, EMU_PC);
    emu_note_access(d, n, true, false, EMU_PC);
    return memcpy(d, s, n);
}

extern "C" void *__tsan_memset(void *d, int v, size_t n)
{
    emu_note_access(d, n, true, false, EMU_PC);
    return memset(d, v, n);
}
