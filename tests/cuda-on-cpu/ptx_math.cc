/* ptx_math.cc - PTX that computes. */
#include "ptx_values.h"

namespace ptx
{
template <class T> static T divide(T a, T b)
{
    return b == 0 ? (T)-1 : (T)(a / b);
}

static Fn pick_sum(const string &o, const string &t, const Ins &i)
{
    Fn f = nullptr;
    (void)i;
    if (o == "add")
        f = TYPES(T, bin<T>(w, i, m, [](T a, T b) { return (T)(a + b); }));
    if (o == "sub")
        f = TYPES(T, bin<T>(w, i, m, [](T a, T b) { return (T)(a - b); }));
    if (o == "min")
        f = t[0] == 'f' ? TYPES_FL(T, bin<T>(w, i, m, [](T a, T b) { return std::fmin(a, b); }))
                        : TYPES_INT(T, bin<T>(w, i, m, [](T a, T b) { return a < b ? a : b; }));
    if (o == "max")
        f = t[0] == 'f' ? TYPES_FL(T, bin<T>(w, i, m, [](T a, T b) { return std::fmax(a, b); }))
                        : TYPES_INT(T, bin<T>(w, i, m, [](T a, T b) { return a > b ? a : b; }));
    if (o == "div")
        f = t[0] == 'f' ? TYPES_FL(T, bin<T>(w, i, m, [](T a, T b) { return a / b; }))
                        : TYPES_INT(T, bin<T>(w, i, m, divide<T>));
    if (o == "rem")
        f = TYPES_INT(T, bin<T>(w, i, m, [](T a, T b) { return b ? (T)(a % b) : a; }));
    if (o == "abs")
        f = t[0] == 'f' ? TYPES_FL(T, una<T>(w, i, m, [](T a) { return std::fabs(a); }))
                        : TYPES_INT(T, una<T>(w, i, m, [](T a) { return (T)(a < (T)0 ? -a : a); }));
    if (o == "neg")
        f = TYPES(T, una<T>(w, i, m, [](T a) { return (T)-a; }));
    return f;
}

/* bfi: the low bits of one number inside another. */
template <class T> static T insert(Warp &w, const Ins &i, uint32_t l)
{
    const uint32_t at = get<uint32_t>(w, i.a[3], l) & 255, n = get<uint32_t>(w, i.a[4], l) & 255;
    const T all = n >= 8 * sizeof(T) ? ~(T)0 : ((T)1 << n) - 1;
    const T mask = at < 8 * sizeof(T) ? all << at : 0;
    return (get<T>(w, i.a[2], l) & ~mask) | (get<T>(w, i.a[1], l) << at & mask);
}

static Fn pick_bits(const string &o, const string &t, const Ins &i)
{
    Fn f = nullptr;
    (void)i;
    if (o == "not")
        f = t == "pred" ? F(una<uint8_t>(w, i, m, [](uint8_t a) { return (uint8_t)(a ^ 1); }))
                        : TYPES_INT(T, una<T>(w, i, m, [](T a) { return (T)~a; }));
    if (o == "and")
        f = TYPES_INT(T, bin<T>(w, i, m, [](T a, T b) { return (T)(a & b); }));
    if (o == "or")
        f = TYPES_INT(T, bin<T>(w, i, m, [](T a, T b) { return (T)(a | b); }));
    if (o == "xor")
        f = TYPES_INT(T, bin<T>(w, i, m, [](T a, T b) { return (T)(a ^ b); }));
    if (o == "shl")
        f = TYPES_INT(
            T, LANES {
                uint32_t s = get<uint32_t>(w, i.a[2], l);
                put<T>(w, i.a[0], l, s >= 8 * sizeof(T) ? 0 : (T)(get<T>(w, i.a[1], l) << s));
            });
    if (o == "shr")
        f = TYPES_INT(
            T, LANES {
                uint32_t s = get<uint32_t>(w, i.a[2], l);
                T v = get<T>(w, i.a[1], l);
                put<T>(w, i.a[0], l, s >= 8 * sizeof(T) ? (T)(v < (T)0 ? -1 : 0) : (T)(v >> s));
            });
    if (o == "shf")
        f = F(LANES {
            uint32_t s = get<uint32_t>(w, i.a[3], l);
            s = i.has("clamp") ? std::min(s, 32u) : s & 31;
            uint64_t v = get<uint32_t>(w, i.a[1], l) | (uint64_t)get<uint32_t>(w, i.a[2], l) << 32;
            put<uint32_t>(w, i.a[0], l, i.has("l") ? (v << s) >> 32 : v >> s);
        });
    if (o == "bfi")
        f = t == "b64" ? F(LANES put(w, i.a[0], l, insert<uint64_t>(w, i, l)))
                       : F(LANES put(w, i.a[0], l, insert<uint32_t>(w, i, l)));
    if (o == "bfe" && t == "u32")
        f = F(LANES {
            uint32_t p = get<uint32_t>(w, i.a[2], l) & 255, n = get<uint32_t>(w, i.a[3], l) & 255;
            uint64_t v = p < 32 ? get<uint32_t>(w, i.a[1], l) >> p : 0;
            put<uint32_t>(w, i.a[0], l, n >= 32 ? v : v & ((1ull << n) - 1));
        });
    if (o == "prmt")
        f = F(LANES {
            uint64_t v = get<uint32_t>(w, i.a[1], l) | (uint64_t)get<uint32_t>(w, i.a[2], l) << 32;
            uint32_t c = get<uint32_t>(w, i.a[3], l), r = 0;
            for (int k = 0; k < 4; k++) {
                uint32_t s = c >> 4 * k & 15, b = v >> 8 * (s & 7) & 255;
                if (s & 8)
                    b = b & 128 ? 255 : 0;
                r |= b << 8 * k;
            }
            put(w, i.a[0], l, r);
        });
    if (o == "lop3")
        f = F(LANES {
            uint32_t a = get<uint32_t>(w, i.a[1], l), b = get<uint32_t>(w, i.a[2], l),
                     c = get<uint32_t>(w, i.a[3], l), k = i.a[4].imm, r = 0;
            for (int x = 0; x < 8; x++)
                if (k >> x & 1)
                    r |= (x & 4 ? a : ~a) & (x & 2 ? b : ~b) & (x & 1 ? c : ~c);
            put(w, i.a[0], l, r);
        });
    if (o == "popc")
        f = F(LANES put<uint32_t>(w, i.a[0], l,
                                  __builtin_popcountll(i.op.back() == "b64"
                                                           ? get<uint64_t>(w, i.a[1], l)
                                                           : get<uint32_t>(w, i.a[1], l))));
    if (o == "clz")
        f = F(LANES {
            uint32_t v = get<uint32_t>(w, i.a[1], l);
            put<uint32_t>(w, i.a[0], l, v ? __builtin_clz(v) : 32);
        });
    return f;
}

static Fn pick_product(const string &o, const string &t, const Ins &i)
{
    Fn f = nullptr;
    (void)i;
    if (o == "mul" || o == "mad" || o == "fma") {
        if (t[0] == 'f')
            f = o == "mul"
                    ? TYPES_FL(T, bin<T>(w, i, m, [](T a, T b) { return a * b; }))
                    : TYPES_FL(T, LANES put<T>(w, i.a[0], l,
                                               std::fma(get<T>(w, i.a[1], l), get<T>(w, i.a[2], l),
                                                        get<T>(w, i.a[3], l))));
        else if (i.has("wide"))
            f = t == "s32"   ? F(LANES put<int64_t>(
                    w, i.a[0], l,
                    (int64_t)get<int32_t>(w, i.a[1], l) * get<int32_t>(w, i.a[2], l)
                        + (i.a.size() > 3 ? get<int64_t>(w, i.a[3], l) : 0)))
                : t == "u32" ? F(LANES put<uint64_t>(
                      w, i.a[0], l,
                      (uint64_t)get<uint32_t>(w, i.a[1], l) * get<uint32_t>(w, i.a[2], l)
                          + (i.a.size() > 3 ? get<uint64_t>(w, i.a[3], l) : 0)))
                : t == "u16" ? F(LANES put<uint32_t>(w, i.a[0], l,
                                                     (uint32_t)get<uint16_t>(w, i.a[1], l)
                                                         * get<uint16_t>(w, i.a[2], l)))
                             : Fn(nullptr);
        else if (i.has("hi"))
            f = TYPES_INT(T,
                          LANES put<T>(w, i.a[0], l,
                                       (T)(((__int128)get<T>(w, i.a[1], l) * get<T>(w, i.a[2], l))
                                           >> 8 * sizeof(T))
                                           + (i.a.size() > 3 ? get<T>(w, i.a[3], l) : (T)0)));
        else
            f = TYPES_INT(
                T, LANES put<T>(w, i.a[0], l,
                                (T)((uint64_t)get<T>(w, i.a[1], l) * (uint64_t)get<T>(w, i.a[2], l)
                                    + (i.a.size() > 3 ? (uint64_t)get<T>(w, i.a[3], l) : 0))));
    }
    return f;
}

static Fn pick_function(const string &o, const string &t, const Ins &i)
{
    Fn f = nullptr;
    (void)i;
    if (o == "copysign")
        f = F(bin<float>(w, i, m, [](float sign, float x) { return copysignf(x, sign); }));
    if (o == "sqrt")
        f = TYPES_FL(T, una<T>(w, i, m, [](T a) { return std::sqrt(a); }));
    if (o == "rsqrt")
        f = F(una<float>(w, i, m, [](float x) { return 1.0f / sqrtf(x); }));
    if (o == "rcp")
        f = TYPES_FL(T, una<T>(w, i, m, [](T x) { return 1 / x; }));
    if (o == "ex2")
        f = F(una<float>(w, i, m, exp2f));
    if (o == "lg2")
        f = F(una<float>(w, i, m, log2f));
    if (o == "sin")
        f = F(una<float>(w, i, m, sinf));
    if (o == "cos")
        f = F(una<float>(w, i, m, cosf));
    if (o == "tanh")
        f = F(una<float>(w, i, m, tanhf));
    return f;
}

Fn pick(const Ins &i)
{
    const string &o = i.op[0], t = i.op.size() > 1 ? i.op.back() : "";
    Fn f = pick_memory(i);
    f = f ? f : pick_warp(i);
    f = f ? f : pick_move(i);
    f = f ? f : pick_sum(o, t, i);
    f = f ? f : pick_bits(o, t, i);
    f = f ? f : pick_product(o, t, i);
    return f ? f : pick_function(o, t, i);
}
} // namespace ptx
