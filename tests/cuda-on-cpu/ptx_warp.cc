/* ptx_warp.cc - what the lanes of a warp do together in PTX: shuffles, votes, tensor cores. */
#include "ptx_values.h"

namespace ptx
{
void need_mask(const Warp &w, uint32_t m, uint32_t mask)
{
    mask &= w.exists;
    if (mask & ~w.live)
        die("warp collective", "its mask names lanes that left the kernel");
    if (m & ~mask)
        die("warp collective", "a calling lane is not in its mask");
    if (mask & ~m)
        die("warp divergence", "lanes of the mask are elsewhere");
}

static void do_shfl(Warp &w, Ins &i, uint32_t m)
{
    uint32_t v[32];
    LANES {
        v[l] = get<uint32_t>(w, i.a[1], l);
        need_mask(w, m, get<uint32_t>(w, i.a[4], l));
    }
    LANES {
        int b = get<uint32_t>(w, i.a[2], l) & 31, c = get<uint32_t>(w, i.a[3], l), cv = c & 31,
            sm = c >> 8 & 31, mx = (l & sm) | (cv & ~sm), mn = l & sm, j;
        bool p;
        if (i.has("up"))
            j = l - b, p = j >= mx;
        else if (i.has("down"))
            j = l + b, p = j <= mx;
        else if (i.has("bfly"))
            j = l ^ b, p = j <= mx;
        else
            j = mn | (b & ~sm), p = j <= mx;
        if (!p)
            j = l;
        if (!(m >> j & 1))
            die("shuffle", "reads lane " + std::to_string(j) + ", which takes no part");
        put<uint32_t>(w, i.a[0], l, v[j]);
    }
}

static void do_vote(Warp &w, Ins &i, uint32_t m)
{
    uint32_t b = 0;
    LANES {
        need_mask(w, m, get<uint32_t>(w, i.a[2], l));
        if (get<uint8_t>(w, i.a[1], l) & 1)
            b |= 1u << l;
    }
    LANES put<uint32_t>(w, i.a[0], l, i.has("ballot") ? b : i.has("any") ? b != 0 : b == m);
}

static void do_mma(Warp &w, Ins &i, uint32_t m)
{
    if (m != 0xffffffffu)
        die("warp divergence", "mma needs all 32 lanes");
    if (!i.has("m16n8k16") || !i.has("bf16"))
        die("unsupported", "this mma shape");
    float A[16][16], B[16][8], D[16][8];
    auto e = [](uint32_t r, int h) { return widen(h ? r >> 16 : r & 0xffff); };
    for (int l = 0; l < 32; l++) {
        for (int x = 0; x < 8; x++)
            A[l / 4 + 8 * (x / 2 % 2)][l % 4 * 2 + x % 2 + 8 * (x / 4)] =
                e(get<uint32_t>(w, i.a[1].v[x / 2], l), x & 1);
        for (int x = 0; x < 4; x++)
            B[l % 4 * 2 + x % 2 + 8 * (x / 2)][l / 4] =
                e(get<uint32_t>(w, i.a[2].v[x / 2], l), x & 1);
        for (int x = 0; x < 4; x++)
            D[l / 4 + 8 * (x / 2)][l % 4 * 2 + x % 2] = get<float>(w, i.a[3].v[x], l);
    }
    for (int r = 0; r < 16; r++)
        for (int k = 0; k < 16; k++)
            for (int c = 0; c < 8; c++)
                D[r][c] += A[r][k] * B[k][c];
    LANES for (int x = 0; x < 4; x++)
        put<float>(w, i.a[0].v[x], l, D[l / 4 + 8 * (x / 2)][l % 4 * 2 + x % 2]);
}

Fn pick_warp(const Ins &i)
{
    const string &o = i.op[0];
    return o == "shfl" ? do_shfl : o == "vote" ? do_vote : o == "mma" ? do_mma : nullptr;
}
} // namespace ptx
