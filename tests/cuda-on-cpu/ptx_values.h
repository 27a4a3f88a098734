/* ptx_values.h - registers as values of a type, lane by lane. */
#pragma once
#include "intrinsics.h"
#include "ptx.h"

namespace ptx
{
template <class T>
T get(Warp &w, const Opd &o, int l)
{
    if (o.k == REG) {
        T t;
        memcpy(&t, &w.R[o.reg * 32 + l], sizeof t);
        return t;
    }
    if (o.lit_float) {
        if (std::is_same<T, double>::value) {
            T t;
            double d = o.f;
            memcpy(&t, &d, sizeof t);
            return t;
        }
        float f = (float)o.f;
        T t{};
        memcpy(&t, &f, std::min(sizeof t, sizeof f));
        return t;
    }
    T t;
    uint64_t v =
        o.imm
        + (!o.sym.empty() && w.k->sym[o.sym].first == 'l' ? (uint64_t)&w.local[l * w.k->local_bytes]
                                                          : 0);
    memcpy(&t, &v, sizeof t);
    return t;
}

template <class T>
void put(Warp &w, const Opd &o, int l, T v)
{
    if (o.reg < 0)
        return;                 /* "_" */
    uint64_t u = 0;
    memcpy(&u, &v, sizeof v);
    w.R[o.reg * 32 + l] = u;
}

/* For each lane l of the lanes m. */
#define LANES for (uint32_t m_ = m, l; m_ && (l = __builtin_ctz(m_), true); m_ &= m_ - 1)
template <class T, class F>
void bin(Warp &w, Ins &i, uint32_t m, F f)
{
    LANES put<T>(w, i.a[0], l, f(get<T>(w, i.a[1], l), get<T>(w, i.a[2], l)));
}

template <class T, class F>
void una(Warp &w, Ins &i, uint32_t m, F f)
{
    LANES put<T>(w, i.a[0], l, f(get<T>(w, i.a[1], l)));
}

#define F(...) \
    +[](Warp &w, Ins &i, uint32_t m) { \
        (void)w, (void)i, (void)m; \
        __VA_ARGS__; \
    }
/* A function for each type T of an instruction whose type is t. */
#define TYPES_INT(T, ...) \
    (t == "s32"                 ? F(typedef int32_t T; __VA_ARGS__) \
     : t == "u32" || t == "b32" ? F(typedef uint32_t T; __VA_ARGS__) \
     : t == "s64"               ? F(typedef int64_t T; __VA_ARGS__) \
     : t == "u64" || t == "b64" ? F(typedef uint64_t T; __VA_ARGS__) \
     : t == "s16"               ? F(typedef int16_t T; __VA_ARGS__) \
     : t == "u16" || t == "b16" ? F(typedef uint16_t T; __VA_ARGS__) \
     : t == "pred"              ? F(typedef uint8_t T; __VA_ARGS__) \
                                : Fn(nullptr))
#define TYPES_FL(T, ...) \
    (t == "f32"   ? F(typedef float T; __VA_ARGS__) \
     : t == "f64" ? F(typedef double T; __VA_ARGS__) \
                  : Fn(nullptr))
#define TYPES(T, ...) (t[0] == 'f' ? TYPES_FL(T, __VA_ARGS__) : TYPES_INT(T, __VA_ARGS__))

static inline float widen(uint32_t bf16)
{
    return emu_bits<float>(bf16 << 16);
}

static inline uint16_t narrow(float f)
{
    const uint32_t b = emu_bits<uint32_t>(f);
    return f != f ? 0x7fff : (uint16_t)((b + 0x7fff + (b >> 16 & 1)) >> 16);
}
} // namespace ptx
