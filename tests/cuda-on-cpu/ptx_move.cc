/* ptx_move.cc - PTX that moves, converts, compares and selects. */
#include "ptx_values.h"

namespace ptx
{
static void do_cvt(Warp &w, Ins &i, uint32_t m)
{
    const string &s = i.op.back(), &d = i.op[i.op.size() - 2];
    if (d == "bf16x2") {
        LANES put<uint32_t>(w, i.a[0], l,
                            (uint32_t)narrow(get<float>(w, i.a[1], l)) << 16
                                | narrow(get<float>(w, i.a[2], l)));
        return;
    }
    size_t sn = width(s), dn = width(d);
    LANES {
        uint64_t u = get<uint64_t>(w, i.a[1], l);
        double f = 0;
        __int128 z = 0;
        bool fl = s[0] == 'f' || s == "bf16";
        if (s == "bf16")
            f = widen((uint16_t)u);
        else if (s == "f32")
            f = get<float>(w, i.a[1], l);
        else if (s == "f64")
            f = emu_bits<double>(u);
        else if (s == "f16")
            die("unsupported", "f16");
        else
            z = s[0] == 's' ? (__int128)((int64_t)(u << (64 - 8 * sn)) >> (64 - 8 * sn))
                            : (__int128)(sn < 8 ? u & ((1ull << 8 * sn) - 1) : u);
        if (d[0] == 'f' || d == "bf16") {
            if (fl && (i.has("rni") || i.has("rzi") || i.has("rmi") || i.has("rpi")))
                f = i.has("rni")   ? nearbyint(f)
                    : i.has("rzi") ? trunc(f)
                    : i.has("rmi") ? floor(f)
                                   : ceil(f);
            if (i.has("sat"))
                f = f < 0 || f != f ? 0 : f > 1 ? 1 : f;
            if (d == "f32")
                put<float>(w, i.a[0], l, fl ? (float)f : (float)z);
            else if (d == "f64")
                put<double>(w, i.a[0], l, fl ? f : (double)z);
            else if (d == "bf16")
                put<uint16_t>(w, i.a[0], l, narrow(fl ? (float)f : (float)z));
            else
                die("unsupported", d);
        } else {
            if (fl) {
                f = i.has("rni")   ? nearbyint(f)
                    : i.has("rmi") ? floor(f)
                    : i.has("rpi") ? ceil(f)
                                   : trunc(f);
                double lo = d[0] == 's' ? -ldexp(1, 8 * dn - 1) : 0,
                       hi = ldexp(1, 8 * dn - (d[0] == 's'));
                z = f != f ? 0 : f <= lo ? (__int128)lo : f >= hi ? (__int128)hi - 1 : (__int128)f;
            }
            uint64_t r = (uint64_t)z;
            if (dn < 8)
                r = d[0] == 's' ? (uint64_t)((int64_t)(r << (64 - 8 * dn)) >> (64 - 8 * dn))
                                : r & ((1ull << 8 * dn) - 1);
            put(w, i.a[0], l, r);
        }
    }
}

template <class T>
static void setp_t(Warp &w, Ins &i, uint32_t m)
{
    const string &c = i.op[1];
    LANES {
        T a = get<T>(w, i.a[1], l), b = get<T>(w, i.a[2], l);
        bool nan = a != a || b != b, r;
        string k = c;
        bool unord = false;
        if (std::is_floating_point<T>::value && k.size() == 3 && k[2] == 'u')
            unord = true, k = k.substr(0, 2);
        r = k == "eq"                ? a == b
            : k == "ne"              ? a != b && (!nan || !std::is_floating_point<T>::value)
            : k == "lt" || k == "lo" ? a < b
            : k == "le" || k == "ls" ? a <= b
            : k == "gt" || k == "hi" ? a > b
            : k == "ge" || k == "hs" ? a >= b
            : k == "nan"             ? nan
                                     : !nan;
        if (unord)
            r = r || nan;
        if (i.a.size() > 3) {
            bool q = get<uint8_t>(w, i.a[3], l) & 1;
            r = i.has("and") ? r && q : i.has("or") ? r || q : r != q;
        }
        put<uint64_t>(w, i.a[0], l, r);
    }
}

Fn pick_move(const Ins &i)
{
    const string &o = i.op[0], t = i.op.size() > 1 ? i.op.back() : "";
    Fn f = nullptr;
    if (o == "cvt")
        return do_cvt;
    if (o == "membar" || o == "fence" || o == "prefetch")
        return F();
    if (o == "cvta")
        return i.has("to")
                   ? (i.has("shared") ? F(LANES put<uint64_t>(
                          w, i.a[0], l, get<uint64_t>(w, i.a[1], l) - (uint64_t)w.shared))
                                      : F(LANES put(w, i.a[0], l, get<uint64_t>(w, i.a[1], l))))
                   : (i.has("shared") ? F(LANES put<uint64_t>(
                          w, i.a[0], l, get<uint64_t>(w, i.a[1], l) + (uint64_t)w.shared))
                                      : F(LANES put(w, i.a[0], l, get<uint64_t>(w, i.a[1], l))));
    if (o == "mov") {
        if (i.a[0].k == VEC)
            return F(
                size_t n = i.a[0].v.size(), b = width(i.op.back()) * 8 / n; LANES {
                    uint64_t v = get<uint64_t>(w, i.a[1], l);
                    for (size_t k = 0; k < n; k++)
                        put<uint64_t>(w, i.a[0].v[k], l,
                                      v >> (k * b) & (b == 64 ? ~0ull : (1ull << b) - 1));
                });
        if (i.a[1].k == VEC)
            return F(
                size_t n = i.a[1].v.size(), b = width(i.op.back()) * 8 / n; LANES {
                    uint64_t v = 0;
                    for (size_t k = 0; k < n; k++)
                        v |= (get<uint64_t>(w, i.a[1].v[k], l) & ((1ull << b) - 1)) << (k * b);
                    put(w, i.a[0], l, v);
                });
        return t == "f64"   ? F(una<double>(w, i, m, [](double x) { return x; }))
               : t == "f32" ? F(una<float>(w, i, m, [](float x) { return x; }))
                            : F(LANES put(w, i.a[0], l, get<uint64_t>(w, i.a[1], l)));
    }
    if (o == "setp")
        return TYPES(T, setp_t<T>(w, i, m));
    if (o == "selp")
        f = F(LANES {
            bool c = get<uint8_t>(w, i.a[3], l) & 1;
            if (i.op.back() == "f32")
                put(w, i.a[0], l, c ? get<float>(w, i.a[1], l) : get<float>(w, i.a[2], l));
            else
                put(w, i.a[0], l, c ? get<uint64_t>(w, i.a[1], l) : get<uint64_t>(w, i.a[2], l));
        });
    return f;
}
} // namespace ptx
