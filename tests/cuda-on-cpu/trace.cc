/* trace.cc - a checked build's accesses, gathered into those of a warp for profile.cc: the k-th
 * run of one place by the lanes of a warp is taken as one access. */
#include "check.h"
#include "profile.h"
#include <map>

struct Access {
    uintptr_t addr;
    uint32_t pc;
    uint16_t size;
    bool write;
};

static std::vector<std::vector<Access>> trace;      /* by thread, of this block */

static void count_warp(unsigned w)
{
    std::map<std::pair<uint32_t, unsigned>, Req> reqs;      /* by place and run */
    for (size_t t = w * 32; t < std::min<size_t>(trace.size(), w * 32 + 32); t++) {
        std::map<uint32_t, unsigned> runs;
        for (auto &x : trace[t]) {
            Req &r = reqs[{x.pc, runs[x.pc]++}];
            r.lanes |= 1u << (t & 31), r.size = x.size, r.write = x.write;
            r.addr[t & 31] = x.addr;
        }
        trace[t].clear();
    }
    for (auto &[place, r] : reqs)
        emu_profile_request(r, emu_is_shared((void *)r.addr[__builtin_ctz(r.lanes)]));
}

void emu_trace_access(const void *p, size_t n, bool write, const void *pc)
{
    if (!emu_profile_on())
        return;
    auto &t = trace[emu.cur->index];
    const uint32_t at = emu_pc_offset(pc);
    if (!t.empty()) {                   /* a piece of one 8- or 16-byte vector access */
        Access &l = t.back();
        if (l.write == write && (uintptr_t)p == l.addr + l.size && l.size + n <= 16
            && at - l.pc < 64 && l.addr % 16 + l.size + n <= 16) {
            l.size = (uint16_t)(l.size + n);
            return;
        }
    }
    t.push_back({(uintptr_t)p, at, (uint16_t)n, write});
}

void emu_trace_begin()
{
    if (emu_profile_on())
        trace.assign(emu.n_threads, {});
}

void emu_trace_end()
{
    for (unsigned w = 0; w * 32 < trace.size(); w++)
        count_warp(w);
}
