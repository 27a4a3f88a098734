/* numpy.c - the permutation that Hugging Face's train_test_split draws, and so
 * nanoGPT: numpy's SeedSequence, PCG64 (XSL-RR 128/64) and masked rejection. */
#include "shard/shard.h"
#include "base/base.h"

__extension__ typedef unsigned __int128 wide;

struct pcg64 {
    wide state, increment;
    uint32_t kept;          /* the high half of the last 64 bits drawn */
    int has;
};

static uint32_t hash_mix(uint32_t v, uint32_t *h, uint32_t factor)
{
    v ^= *h;
    *h *= factor;
    v *= *h;
    return v ^ v >> 16;
}

static uint32_t mix(uint32_t x, uint32_t y)
{
    const uint32_t r = 0xca01f9ddu * x - 0x4973f715u * y;
    return r ^ r >> 16;
}

/* SeedSequence(seed).generate_state(4, uint64). */
static void seed_words(uint64_t seed, uint64_t out[4])
{
    uint32_t pool[4], h = 0x43b0d7e5u, word[8];
    const uint32_t entropy[4] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (int i = 0; i < 4; i++)
        pool[i] = hash_mix(entropy[i], &h, 0x931e8875u);
    for (int s = 0; s < 4; s++)
        for (int d = 0; d < 4; d++)
            if (s != d)
                pool[d] = mix(pool[d], hash_mix(pool[s], &h, 0x931e8875u));
    h = 0x8b51f9ddu;
    for (int i = 0; i < 8; i++)
        word[i] = hash_mix(pool[i % 4], &h, 0x58f38dedu);
    for (int i = 0; i < 4; i++)
        out[i] = word[2 * i] | (uint64_t)word[2 * i + 1] << 32;
}

static void step(struct pcg64 *g)
{
    const wide factor = (wide)0x2360ed051fc65da4u << 64 | 0x4385df649fccf645u;
    g->state = g->state * factor + g->increment;
}

static uint32_t next32(struct pcg64 *g)
{
    if (g->has) {
        g->has = 0;
        return g->kept;
    }
    step(g);
    const uint64_t x = (uint64_t)(g->state >> 64) ^ (uint64_t)g->state;
    const int r = (int)(g->state >> 122);
    const uint64_t v = r ? x >> r | x << (64 - r) : x;
    g->kept = (uint32_t)(v >> 32);
    g->has = 1;
    return (uint32_t)v;
}

uint32_t *numpy_permutation(uint64_t seed, uint32_t n)
{
    uint32_t *a = zalloc(n, sizeof *a);
    uint64_t w[4];
    struct pcg64 g = {0};
    seed_words(seed, w);
    g.increment = ((wide)w[2] << 64 | w[3]) << 1 | 1;
    step(&g);
    g.state += (wide)w[0] << 64 | w[1];
    step(&g);
    for (uint32_t i = 0; i < n; i++)
        a[i] = i;
    for (uint32_t i = n; i-- > 1;) {
        const uint32_t mask = UINT32_MAX >> __builtin_clz(i);
        uint32_t j;
        do
            j = next32(&g) & mask;
        while (j > i);
        const uint32_t t = a[i];
        a[i] = a[j];
        a[j] = t;
    }
    return a;
}
