/* launch.cc - a kernel's blocks, one after the other. */
#include "emu.h"
#include <algorithm>

uint3 emu_tid, emu_bid, emu_bdim, emu_gdim;
EmuState emu;
static uint64_t seed = 1;

uint64_t emu_random()
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void read_order()
{
    const char *o = getenv("EMU_ORDER");
    emu.order = !o || *o == 'f' ? ORDER_FORWARD : !strncmp(o, "rev", 3) ? ORDER_REVERSE
                                                                        : ORDER_RANDOM;
    if (o && strchr(o, ':'))
        seed = strtoull(strchr(o, ':') + 1, nullptr, 0) * 2654435761u + 1;
}

/* The i-th block to run. */
static size_t block_at(size_t i, size_t n)
{
    const size_t stride = 2654435761u;
    if (emu.order == ORDER_REVERSE)
        return n - 1 - i;
    if (emu.order == ORDER_RANDOM && std::__gcd(stride, n) == 1)
        return (i * stride + 12345) % n;
    return i;
}

static void start_threads(dim3 b)
{
    emu.lanes.resize(emu.n_threads);
    emu.warps.assign((emu.n_threads + 31) / 32, Warp{});
    for (unsigned t = 0; t < emu.n_threads; t++) {
        Lane &l = emu.lanes[t];
        Warp &w = emu.warps[t / 32];
        l.copies.clear();
        l.index = t, l.lane = t & 31, l.state = READY, l.sp = nullptr, l.fake = nullptr;
        l.clock = 0, l.group = 0;
        l.tid = {t % b.x, t / b.x % b.y, t / b.x / b.y};
        w.exists |= 1u << l.lane;
        w.ready |= 1u << l.lane;
    }
    emu.n_done = 0, emu.bar_epoch = 0;
    emu.cur_warp = emu.order == ORDER_REVERSE ? (unsigned)emu.warps.size() - 1 : 0;
}

static void report_deadlock()
{
    for (auto &l : emu.lanes)
        if (l.state == AT_BARRIER || l.state == AT_WARP) {
            emu_tid = l.tid;
            emu_die("deadlock", l.site,
                    "%u of %u threads left; this one waits at a %s for threads that will not come",
                    emu.n_done, emu.n_threads,
                    l.state == AT_BARRIER ? "barrier" : "warp collective");
        }
}

void emu_run(void (*thunk)(void *), void *arg, size_t arg_size, dim3 g, dim3 b, size_t smem,
             const char *name)
{
    if (!emu.launch)
        read_order();
    emu.n_threads = b.x * b.y * b.z;
    emu_gdim = {g.x, g.y, g.z}, emu_bdim = {b.x, b.y, b.z};
    emu.name = name, emu.thunk = thunk, emu.arg = arg, emu.arg_size = arg_size, emu.smem = smem;
    emu.launch++;
    if (!emu.n_threads || emu.n_threads > 1024 || !(g.x && g.y && g.z) || g.x > INT32_MAX
        || g.y > 65535 || g.z > 65535 || smem > EMU_SHARED_MAX)
        emu_die("launch", {}, "bad configuration");
    const size_t blocks = (size_t)g.x * g.y * g.z;
    for (size_t i = 0; i < blocks; i++) {
        const size_t k = block_at(i, blocks);
        emu_bid = {(unsigned)(k % g.x), (unsigned)(k / g.x % g.y), (unsigned)(k / g.x / g.y)};
        emu.block = k;
        emu_shared_reset();
        start_threads(b);
        emu_barriers_reset();
        emu_block_begin();
        emu_run_block();
        emu_block_end();
        if (emu.n_done != emu.n_threads)
            report_deadlock();
    }
    emu_launch_end();
    emu.name = nullptr;
}
