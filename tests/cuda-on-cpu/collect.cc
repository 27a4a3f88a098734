/* collect.cc - what the threads of a block do together: barriers, warp collectives,
 * asynchronous copies. */
#include "emu.h"
#include <algorithm>

/* __syncthreads and its reducing forms: one barrier a block, as in CUDA. */
static struct {
    int waiting, count, conj, disj;
    EmuSite site;
} bar;

void emu_barriers_reset()
{
    bar = {0, 0, 1, 0, {nullptr, 0}};
}

static void release_barrier()
{
    for (auto &l : emu.lanes)
        if (l.state == AT_BARRIER) {
            l.res = (uint64_t)bar.count | (uint64_t)bar.conj << 32 | (uint64_t)bar.disj << 33;
            emu_wake(&l);
        }
    emu_barriers_reset();
    emu.bar_epoch++;
}

int emu_barrier(EmuRed red, int pred, EmuSite site)
{
    Lane *me = emu.cur;
    if (bar.waiting == 0)
        bar.site = site;
    else if (bar.site.line != site.line || bar.site.file != site.file)
        emu_die("barrier divergence", site,
                "threads of one block wait at different barriers; the other is at %s",
                emu_str(bar.site).c_str());
    bar.waiting++, bar.count += pred != 0, bar.conj &= pred != 0, bar.disj |= pred != 0;
    me->state = AT_BARRIER, me->site = site;
    if (emu.n_done)
        emu_die("barrier divergence", site, "%u threads left the kernel before this barrier",
                emu.n_done);
    if (bar.waiting == (int)emu.n_threads)
        release_barrier();
    emu_yield();
    switch (red) {
    case EMU_BAR_COUNT: return (int)(uint32_t)me->res;
    case EMU_BAR_AND: return me->res >> 32 & 1;
    case EMU_BAR_OR: return me->res >> 33 & 1;
    default: return 0;
    }
}

void emu_thread_exits()
{
    if (bar.waiting)
        emu_die("barrier divergence", bar.site,
                "a thread left the kernel while others wait at __syncthreads");
}

/* What a vote over the lanes of the mask gives. */
static uint64_t vote(Lane *lanes, unsigned mask, EmuOp op)
{
    uint64_t acc = lanes[__builtin_ctz(mask)].in;
    if (op == EMU_BALLOT)
        acc = 0;
    for (unsigned m = mask; m; m &= m - 1) {
        const Lane &l = lanes[__builtin_ctz(m)];
        const uint64_t v = l.in;
        switch (op) {
        case EMU_BALLOT: acc |= (v & 1) << l.lane; break;
        case EMU_ANY: acc |= v; break;
        case EMU_ALL: acc &= v; break;
        default: return 0;
        }
    }
    return acc;
}

/* The value that a shuffle gives lane l. */
static uint64_t shuffled(const Lane *lanes, const Lane &l, unsigned mask, EmuOp op)
{
    const int base = l.lane & ~(l.width - 1);
    int from = l.lane;
    switch (op) {
    case EMU_SHFL: from = base + (l.arg & (l.width - 1)); break;
    case EMU_UP: from = l.lane - l.arg; break;
    case EMU_DOWN: from = l.lane + l.arg; break;
    default: from = l.lane ^ l.arg; break;
    }
    if (op != EMU_SHFL && (op == EMU_UP ? from < base : from >= base + l.width))
        from = l.lane;
    if (!(mask >> from & 1))
        emu_die("shuffle", l.site, "lane %d reads lane %d, which is not in the mask %#x", l.lane,
                from, mask);
    return lanes[from].in;
}

/* The last lane to arrive computes every lane's result. */
static void complete(Warp &w, unsigned mask, EmuOp op)
{
    Lane *lanes = &emu.lanes[(size_t)(&w - &emu.warps[0]) * 32];
    const uint64_t acc = vote(lanes, mask, op);
    uint32_t clock = 0;
    if (op == EMU_CALL) {
        void *args[32] = {};
        for (unsigned m = mask; m; m &= m - 1)
            args[__builtin_ctz(m)] = (void *)lanes[__builtin_ctz(m)].in;
        emu.call(args, mask);
    }
    for (unsigned m = mask; m; m &= m - 1)
        clock = std::max(clock, lanes[__builtin_ctz(m)].clock);
    for (unsigned m = mask; m; m &= m - 1) {
        Lane &l = lanes[__builtin_ctz(m)];
        l.res = op <= EMU_XOR ? shuffled(lanes, l, mask, op) : acc;
        if (op == EMU_SYNCWARP)
            l.clock = clock + 1;        /* shuffles order no memory: only __syncwarp does */
        emu_wake(&l);
    }
}

/* The place among the warp's waiting collectives that this lane belongs to. */
static int join(Warp &w, unsigned mask, EmuOp op, EmuSite at)
{
    const Lane *me = emu.cur;
    int k = 0;
    for (; k < w.n_pend; k++) {
        const Pend &p = w.pend[k];
        if (p.mask == mask && p.op == op && p.at.line == at.line && p.at.file == at.file)
            return k;
        if (p.mask & mask)
            emu_die("warp divergence", at,
                    "lane %d comes with mask %#x (op %d) while lanes %#x wait with mask %#x "
                    "(op %d) at %s",
                    me->lane, mask, op, p.here, p.mask, p.op, emu_str(p.at).c_str());
    }
    if (k == 8)
        emu_die("warp collective", at, "more than 8 groups of one warp wait at once");
    w.pend[w.n_pend++] = {mask, 0, op, at};
    return k;
}

uint64_t emu_warp(EmuOp op, unsigned mask, uint64_t in, int arg, int width, EmuSite at)
{
    Lane *me = emu.cur;
    Warp &w = emu.warps[emu.cur_warp];
    const unsigned bit = 1u << me->lane;
    mask &= w.exists;
    if (!(mask & bit))
        emu_die("warp collective", at, "the calling lane %d is not in its mask %#x", me->lane,
                mask);
    if (mask & w.exited)
        emu_die("warp collective", at, "mask %#x names lanes that left the kernel (%#x)", mask,
                mask & w.exited);
    me->in = in, me->arg = arg, me->width = width, me->state = AT_WARP, me->site = at;
    const int k = join(w, mask, op, at);
    if ((w.pend[k].here |= bit) == mask) {
        w.pend[k] = w.pend[--w.n_pend];
        complete(w, mask, op);
    }
    emu_yield();
    return me->res;
}

void emu_warp_call(unsigned mask, void (*f)(void *arg[32], unsigned mask), void *arg, EmuSite at)
{
    emu.call = f;
    emu_warp(EMU_CALL, mask, (uint64_t)arg, 0, 32, at);
}

unsigned __activemask(EmuSite at)
{
    emu_die("__activemask", at, "its value is not defined by the language; pass masks explicitly");
}

/* cp.async: the copy happens as late as the waits allow; until then the target holds NaN. */
void emu_cp_async(void *dst, const void *src, int n, int valid)
{
    if (((uintptr_t)dst | (uintptr_t)src) & (uintptr_t)(n - 1))
        emu_die("cp.async", emu_where(EMU_PC), "an address is not a multiple of %d", n);
    emu_note_access(dst, (size_t)n, true, false, EMU_PC);
    if (valid)
        emu_note_access(src, (size_t)valid, false, false, EMU_PC);
    memset(dst, 0xff, (size_t)n);
    emu.cur->copies.push_back({dst, src, n, valid, emu.cur->group});
}

void emu_cp_async_commit()
{
    emu.cur->group++;
}

void emu_cp_async_wait(int pending)
{
    auto &c = emu.cur->copies;
    size_t k = 0;
    for (; k < c.size() && c[k].group < emu.cur->group - pending; k++) {
        memset(c[k].dst, 0, (size_t)c[k].n);
        memcpy(c[k].dst, c[k].src, (size_t)c[k].valid);
    }
    if (k)
        c.erase(c.begin(), c.begin() + (long)k);
}
