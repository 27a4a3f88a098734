/* profile.cc - EMU_PROFILE=FILE: what each kernel asked of memory, counted by the 32-byte sector
 * and the bank pass, appended to FILE at the end as a table.
 *
 *   kernel launches distinct asked beyond needed passes best threads shared
 * distinct: bytes of device memory touched, reads and writes apart, each sector once a launch;
 * asked: bytes of all sectors that the warp accesses asked of the first cache; beyond: of those
 * that went beyond it, a block's first reading of each and every write; needed: bytes that the
 * accesses hold, a broadcast once; passes: shared memory passes, and
 * how many they would be without bank conflicts; threads of a block and bytes of its dynamic
 * shared memory, of the launch that had most of it. */
#include "profile.h"
#include <map>
#include <set>
#include <unordered_set>

struct Count {
    uint64_t launches, distinct, asked, beyond, needed, passes, best, threads, shared;
};

static const char *file;
static bool asked;
static std::unordered_set<uintptr_t> touched[2];    /* sectors read and written in this launch */
static std::unordered_set<uintptr_t> held;          /* sectors that this block has read */
static size_t held_block, held_launch;
static std::map<std::string, Count> kernels;

bool emu_profile_on()
{
    if (!asked)
        file = getenv("EMU_PROFILE");
    asked = true;
    return file != nullptr;
}

static void count_global(const Req &r, Count &k)
{
    std::set<uintptr_t> sectors, items;
    for (int i = 0; i < 32; i++)
        if (r.lanes >> i & 1) {
            for (uintptr_t a = r.addr[i] >> 5; a <= (r.addr[i] + r.size - 1) >> 5; a++)
                sectors.insert(a);
            items.insert(r.addr[i]);
        }
    if (held_block != emu.block || held_launch != k.launches)
        held.clear();
    held_block = emu.block, held_launch = k.launches;
    k.asked += sectors.size() * 32;
    for (auto a : sectors)
        k.beyond += r.write || held.insert(a).second ? 32 : 0;
    k.needed += items.size() * r.size;
    touched[r.write].insert(sectors.begin(), sectors.end());
}

/* 4-byte words: 32 lanes a pass; 8: 16; 16: 8. */
static void count_shared(const Req &r, Count &k)
{
    const int together = r.size <= 4 ? 32 : 128 / r.size;
    for (int first = 0; first < 32; first += together) {
        std::set<uintptr_t> bank[32];
        size_t most = 0;
        for (int i = first; i < first + together; i++)
            for (unsigned w = 0; r.lanes >> i & 1 && w < (r.size + 3u) / 4; w++)
                bank[(r.addr[i] / 4 + w) % 32].insert(r.addr[i] / 4 + w);
        for (auto &b : bank)
            most = std::max(most, b.size());
        k.passes += most;
        k.best += most > 0;
    }
}

void emu_profile_request(const Req &r, bool shared)
{
    if (shared)
        count_shared(r, kernels[emu.name]);
    else
        count_global(r, kernels[emu.name]);
}

void emu_profile_launch_end()
{
    if (!emu_profile_on())
        return;
    Count &k = kernels[emu.name];
    k.launches++;
    if (emu.smem >= k.shared)
        k.shared = emu.smem, k.threads = emu.n_threads;
    k.distinct += (touched[0].size() + touched[1].size()) * 32;
    touched[0].clear(), touched[1].clear();
}

/* The table is written when the program ends. */
static struct Report {
    ~Report()
    {
        FILE *f = emu_profile_on() ? fopen(file, "a") : nullptr;
        if (!f)
            return;
        fprintf(f, "kernel\tlaunches\tdistinct\tasked\tbeyond\tneeded\tpasses\tbest\t"
                   "threads\tshared\n");
        for (auto &[name, k] : kernels)
            fprintf(f, "%s\t%lu\t%lu\t%lu\t%lu\t%lu\t%lu\t%lu\t%lu\t%lu\n", name.c_str(),
                    k.launches, k.distinct, k.asked, k.beyond, k.needed, k.passes, k.best,
                    k.threads, k.shared);
        fclose(f);
    }
} report;
