/* ptx_run.cc - runs a kernel's PTX.  A warp runs its lanes together; lanes apart meet again at
 * the lowest place.  It stops at an address outside device and shared memory, a misaligned
 * access, a collective whose lanes differ from its mask, a barrier that not all lanes reach. */
#include "ptx_values.h"

namespace ptx
{
Ins *current;
alignas(1024) static char shared_memory[EMU_SHARED_MAX + 1024];

void die(const char *what, const string &why)
{
    const string at = "PTX line " + std::to_string(current->line) + " (" + current->text + ")";
    emu_die(what, {strdup(at.c_str()), 0}, "%s", why.c_str());
}

/* The lanes of `at` that an instruction's guard lets through. */
static uint32_t guarded(const Warp &w, const Ins &i, uint32_t at)
{
    uint32_t m = at;
    if (i.pred >= 0)
        for (uint32_t x = at; x; x &= x - 1) {
            const int l = __builtin_ctz(x);
            if (((w.R[(size_t)i.pred * 32 + (size_t)l] & 1) != 0) == i.neg)
                m &= ~(1u << l);
        }
    return m;
}

/* The lanes at the lowest place, and that place. */
static uint32_t together(const Warp &w, int *pc)
{
    uint32_t at = 0;
    *pc = INT32_MAX;
    for (uint32_t m = w.live; m; m &= m - 1)
        *pc = std::min(*pc, w.pc[__builtin_ctz(m)]);
    for (uint32_t m = w.live; m; m &= m - 1)
        if (w.pc[__builtin_ctz(m)] == *pc)
            at |= m & ~(m - 1);
    return at;
}

static void set_pc(Warp &w, uint32_t lanes, int pc)
{
    for (; lanes; lanes &= lanes - 1)
        w.pc[__builtin_ctz(lanes)] = pc;
}

/* Run until the lanes part, end or wait at a barrier. */
static void run_together(Warp &w)
{
    int pc;
    uint32_t at = together(w, &pc);
    const bool all = at == w.live;
    do {
        Ins &i = w.k->code[(size_t)pc];
        const uint32_t m = guarded(w, i, at);
        const string &o = i.op[0];
        current = &i;
        pc++;
        if (i.fn) {
            if (m)
                i.fn(w, i, m);
        } else if (o == "bra") {
            set_pc(w, at, pc);
            set_pc(w, m, i.target);
            if (m && m != at)
                return;
            pc = m ? i.target : pc;
        } else if (o == "ret" || o == "exit") {
            w.live &= ~m;
            at &= ~m;
        } else if (i.has("warp")) {
            need_mask(w, m, get<uint32_t>(w, i.a[0], __builtin_ctz(m)));
        } else {
            if (!all)
                die("barrier divergence", "lanes of the warp are elsewhere");
            w.at_bar = &i;
            break;
        }
    } while (all && at);
    set_pc(w, at, pc);
}

/* barrier.red.or: every lane gets whether any lane of the block said yes. */
static void release(vector<Warp> &warps)
{
    uint64_t any = 0;
    for (auto &w : warps)
        if (w.at_bar && w.at_bar->has("red")) {
            const uint32_t m = w.live;
            LANES any |= get<uint8_t>(w, w.at_bar->a.back(), l) & 1;
        }
    for (auto &w : warps) {
        const uint32_t m = w.live;
        if (w.at_bar && w.at_bar->has("red"))
            LANES put<uint64_t>(w, w.at_bar->a[0], l, any);
        w.at_bar = nullptr;
    }
}

static void start_warp(Warp &w, Kernel &k, unsigned index, dim3 g, dim3 b, const unsigned block[3])
{
    static const char axis[] = "xyz";
    const unsigned threads = b.x * b.y * b.z, sizes[] = {b.x, b.y, b.z}, grids[] = {g.x, g.y, g.z};
    w.index = index, w.live = 0, w.at_bar = nullptr;
    w.R.assign(k.regs.size() * 32, 0);
    w.local.assign(k.local_bytes * 32, (char)0xff);
    for (unsigned l = 0; l < 32 && index * 32 + l < threads; l++) {
        const unsigned t = index * 32 + l;
        const unsigned id[] = {t % b.x, t / b.x % b.y, t / b.x / b.y};
        w.live |= 1u << l;
        w.pc[l] = 0, w.group[l] = 0, w.copies[l].clear();
        for (int d = 0; d < 3; d++) {
            const string end = string(".") + axis[d];
            w.R[(size_t)reg(k, "%tid" + end) * 32 + l] = id[d];
            w.R[(size_t)reg(k, "%ntid" + end) * 32 + l] = sizes[d];
            w.R[(size_t)reg(k, "%ctaid" + end) * 32 + l] = block[d];
            w.R[(size_t)reg(k, "%nctaid" + end) * 32 + l] = grids[d];
        }
        w.R[(size_t)reg(k, "%laneid") * 32 + l] = l;
    }
    w.exists = w.live;
}

/* The special registers exist before any warp's registers are sized. */
static void name_registers(Kernel &k)
{
    for (const char *base : {"%tid", "%ntid", "%ctaid", "%nctaid"})
        for (const char *end : {".x", ".y", ".z"})
            reg(k, string(base) + end);
    reg(k, "%laneid");
}

static void run(Kernel &k, char *param, dim3 g, dim3 b)
{
    vector<Warp> warps((b.x * b.y * b.z + 31) / 32);
    name_registers(k);
    for (size_t n = 0; n < (size_t)g.x * g.y * g.z; n++) {
        const unsigned block[] = {(unsigned)(n % g.x), (unsigned)(n / g.x % g.y),
                                  (unsigned)(n / g.x / g.y)};
        bool waiting = true;
        emu.block = n;
        memset(shared_memory, 0xff, k.shared_bytes + emu.smem);
        for (unsigned i = 0; i < warps.size(); i++) {
            warps[i].k = &k, warps[i].shared = shared_memory, warps[i].param = param;
            start_warp(warps[i], k, i, g, b, block);
        }
        while (waiting) {
            waiting = false;
            for (auto &w : warps) {
                while (w.live && !w.at_bar)
                    run_together(w);
                waiting |= w.at_bar != nullptr;
            }
            release(warps);
        }
    }
    emu_profile_launch_end();
}
} // namespace ptx

bool emu_ptx_run(const char *symbol, void **argv, dim3 g, dim3 b, size_t smem)
{
    using namespace ptx;
    if (kernels.empty())
        for (auto &path : split(getenv("EMU_PTX"), ':'))
            load(path);
    const auto it = kernels.find(symbol);
    if (it == kernels.end())
        emu_die("PTX", {}, "no kernel %s in the PTX modules", symbol);
    Kernel &k = it->second;
    vector<char> param(k.param_bytes + 16);
    for (size_t i = 0; i < k.params.size(); i++)
        memcpy(&param[k.params[i].off], argv[i], k.params[i].size);
    emu.smem = smem;
    run(k, param.data(), g, b);
    return true;
}
