#include "base/numpy.h"

void twister_seed(struct twister *t, uint32_t seed)
{
    t->state[0] = seed;
    for (uint32_t i = 1; i < TWISTER_WORDS; i++)
        t->state[i] = 1812433253u * (t->state[i - 1] ^ t->state[i - 1] >> 30) + i;
    t->at = TWISTER_WORDS;
}

static uint32_t twist(uint32_t now, uint32_t next, uint32_t far)
{
    const uint32_t y = (now & 0x80000000u) | (next & 0x7fffffffu);
    return far ^ y >> 1 ^ (-(y & 1) & 0x9908b0dfu);
}

/* The next 624 words. */
static void twister_turn(struct twister *t)
{
    enum { N = TWISTER_WORDS, M = 397 };
    uint32_t *s = t->state;
    for (int i = 0; i < N - M; i++)
        s[i] = twist(s[i], s[i + 1], s[i + M]);
    for (int i = N - M; i < N - 1; i++)
        s[i] = twist(s[i], s[i + 1], s[i + M - N]);
    s[N - 1] = twist(s[N - 1], s[0], s[M - 1]);
    for (int i = 0; i < N; i++) {
        uint32_t y = s[i];
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c5680u;
        y ^= y << 15 & 0xefc60000u;
        t->words[i] = y ^ y >> 18;
    }
    t->at = 0;
}

void twister_picks(struct twister *t, uint32_t n, uint32_t *picks, size_t count)
{
    if (n < 2) {
        for (size_t i = 0; i < count; i++)
            picks[i] = 0;
        return;
    }
    const uint32_t mask = UINT32_MAX >> __builtin_clz(n - 1);
    for (size_t i = 0; i < count; i += picks[i] < n) {      /* what is too large is drawn over */
        if (t->at == TWISTER_WORDS)
            twister_turn(t);
        picks[i] = t->words[t->at++] & mask;
    }
}

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

void pcg64_seed(struct pcg64 *g, uint64_t seed)
{
    uint64_t w[4];
    seed_words(seed, w);
    *g = (struct pcg64){.increment = ((wide)w[2] << 64 | w[3]) << 1 | 1};
    step(g);
    g->state += (wide)w[0] << 64 | w[1];
    step(g);
}

uint32_t pcg64_word(struct pcg64 *g)
{
    if (g->has) {
        g->has = 0;
        return g->kept;
    }
    step(g);
    const uint64_t x = (uint64_t)(g->state >> 64) ^ (uint64_t)g->state;
    const int r = (int)(g->state >> 122);
    const uint64_t v = x >> r | x << (-r & 63);
    g->kept = (uint32_t)(v >> 32);
    g->has = 1;
    return (uint32_t)v;
}

void pcg64_picks(struct pcg64 *g, uint32_t n, uint32_t *picks, size_t count)
{
    const uint32_t redrawn = n ? -n % n : 0;        /* 2^32 modulo n */
    for (size_t i = 0; i < count; i++) {
        uint64_t product = 0;
        if (n > 1)
            do
                product = (uint64_t)pcg64_word(g) * n;
            while ((uint32_t)product < redrawn);
        picks[i] = (uint32_t)(product >> 32);
    }
}
