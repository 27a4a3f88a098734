/* ptx_memory.cc - loads, stores, atomics, ldmatrix and asynchronous copies of PTX. */
#include "ptx_values.h"

namespace ptx
{
/* Where lane l reads or writes; stops at what no allocation holds. */
static char *address(Warp &w, const Opd &o, int l, char space, size_t n)
{
    uint64_t a = (o.reg >= 0 ? w.R[o.reg * 32 + l] : o.imm) + o.off;
    if (space == 's') {
        a = (uint32_t)a;
        if (a + n > w.k->shared_bytes + emu.smem)
            die("bounds", "shared address " + std::to_string(a) + " of "
                              + std::to_string(w.k->shared_bytes + emu.smem));
        a += (uint64_t)w.shared;
    } else if (space == 'p')
        return w.param + a;
    if (a % n)
        die("misaligned", std::to_string(n) + "-byte access at " + std::to_string(a));
    size_t off;
    bool sh = a - (uint64_t)w.shared < w.k->shared_bytes + emu.smem,
         lo = !w.local.empty() && a - (uint64_t)w.local.data() < w.local.size();
    if (!sh && !lo && !emu_global_find((void *)a, n, &off))
        die("bounds", "address outside device memory");
    return (char *)a;
}

/* Tell the profile of one access by the lanes m. */
static void account(const Warp &w, uint32_t m, char *const *p, size_t n, bool write)
{
    if (!emu_profile_on() || !m)
        return;
    const char *first = p[__builtin_ctz(m)];
    if (!w.local.empty() && (size_t)(first - w.local.data()) < w.local.size())
        return;
    Req r;
    r.lanes = m, r.size = (uint16_t)n, r.write = write;
    LANES r.addr[l] = (uintptr_t)p[l];
    emu_profile_request(r, (size_t)(first - w.shared) < EMU_SHARED_MAX);
}

static char space_of(const Ins &i)
{
    return i.has("shared") || i.has("shared::cta") ? 's'
           : i.has("param")                        ? 'p'
           : i.has("local")                        ? 'l'
                                                   : 'g';
}

static void do_ldst(Warp &w, Ins &i, uint32_t m)
{
    bool st = i.op[0] == "st";
    const string &t = i.op.back();
    size_t n = width(t), vn = i.has("v4") ? 4 : i.has("v2") ? 2 : 1;
    char sp = space_of(i), *p[32];
    const Opd &mem = i.a[st ? 0 : 1], &val = i.a[st ? 1 : 0];
    LANES p[l] = address(w, mem, l, sp, n * vn);
    if (sp != 'p')
        account(w, m, p, n * vn, st);
    LANES for (size_t k = 0; k < vn; k++) {
        const Opd &r = val.k == VEC ? val.v[k] : val;
        if (st) {
            uint64_t v = get<uint64_t>(w, r, l);
            if (r.lit_float && t == "f64")
                v = emu_bits<uint64_t>(r.f);
            memcpy(p[l] + k * n, &v, n);
        } else {
            uint64_t v = 0;
            memcpy(&v, p[l] + k * n, n);
            if (t[0] == 's' && n < 8)
                v = (uint64_t)((int64_t)(v << (64 - 8 * n)) >> (64 - 8 * n));
            put(w, r, l, v);
        }
    }
}

template <class T>
static T atom_op(const Ins &i, T o, T v, T c)
{
    for (auto &s : i.op) {
        if (s == "add")
            return o + v;
        if (s == "min")
            return std::min(o, v);
        if (s == "max")
            return std::max(o, v);
        if (s == "exch")
            return v;
        if (s == "cas")
            return o == v ? c : o;
    }
    die("unsupported", "atomic");
}

template <class T>
static void atom_t(Warp &w, Ins &i, uint32_t m)
{
    bool red = i.op[0] == "red";
    char *p[32];
    LANES p[l] = address(w, i.a[!red], l, space_of(i), sizeof(T));
    account(w, m, p, sizeof(T), true);
    LANES {
        T o;
        memcpy(&o, p[l], sizeof o);
        T v = get<T>(w, i.a[2 - red], l),
          n = atom_op<T>(i, o, v, i.a.size() > 3u - red ? get<T>(w, i.a[3 - red], l) : v);
        memcpy(p[l], &n, sizeof n);
        if (!red)
            put(w, i.a[0], l, o);
    }
}

static void do_ldmatrix(Warp &w, Ins &i, uint32_t m)
{
    if (m != 0xffffffffu)
        die("warp divergence", "ldmatrix needs all 32 lanes");
    int n = i.has("x4") ? 4 : i.has("x2") ? 2 : 1;
    char *p[32];
    for (int l = 0; l < 8 * n; l++)
        p[l] = address(w, i.a[1], l, 's', 16);
    account(w, n == 4 ? ~0u : (1u << 8 * n) - 1, p, 16, false);
    for (int x = 0; x < n; x++)
        LANES {
            auto at = [&](int r, int c) {
                uint16_t u;
                memcpy(&u, p[x * 8 + r] + 2 * c, 2);
                return (uint32_t)u;
            };
            int r = l / 4, c = l % 4 * 2;
            put<uint32_t>(w, i.a[0].k == VEC ? i.a[0].v[x] : i.a[0], l,
                          i.has("trans") ? at(c, r) | at(c + 1, r) << 16
                                         : at(r, c) | at(r, c + 1) << 16);
        }
}

static void do_cp_async(Warp &w, Ins &i, uint32_t m)
{
    if (i.has("commit_group")) {
        LANES w.group[l]++;
        return;
    }
    if (i.has("wait_group") || i.has("wait_all")) {
        LANES {
            int pend = i.has("wait_all") ? -1 : (int)i.a[0].imm;
            auto &c = w.copies[l];
            size_t k = 0;
            for (; k < c.size() && c[k].group < w.group[l] - pend; k++) {
                memset(c[k].dst, 0, c[k].n);
                memcpy(c[k].dst, c[k].src, c[k].valid);
            }
            c.erase(c.begin(), c.begin() + k);
        }
        return;
    }
    int n = i.a[2].imm;
    char *d[32], *s[32];
    LANES d[l] = address(w, i.a[0], l, 's', n);
    uint32_t mm = 0;
    LANES {
        int v = i.a.size() > 3 ? get<int>(w, i.a[3], l) : n;
        s[l] = v ? address(w, i.a[1], l, 'g', n) : nullptr;
        if (v)
            mm |= 1u << l;
        memset(d[l], 0xff, n);
        w.copies[l].push_back({d[l], s[l] ? s[l] : d[l], n, v, w.group[l]});
    }
    account(w, mm, s, n, false);
    account(w, m, d, n, true);
}

template <class T> static void atomic(Warp &w, Ins &i, uint32_t m)
{
    atom_t<T>(w, i, m);
}

Fn pick_memory(const Ins &i)
{
    const string &o = i.op[0], &t = i.op.back();
    if (o == "ld" || o == "st")
        return do_ldst;
    if (o == "ldmatrix")
        return do_ldmatrix;
    if (o == "cp")
        return do_cp_async;
    if (o != "atom" && o != "red")
        return nullptr;
    return t == "f32" ? atomic<float> : t == "s32" ? atomic<int32_t> : t == "u32" ? atomic<uint32_t>
                                                                                   : nullptr;
}
} // namespace ptx
