/* permute.c - a Feistel network over the least even number of bits that holds n,
 * walked on until it lands below n (Black and Rogaway 2002, "Ciphers with arbitrary
 * finite domains").  Six rounds of Philox leave no order to see. */
#include "data/permute.h"
#include "base/random.h"

enum { ROUNDS = 6, SITE = 0x7065726d /* "perm" */ };

uint64_t permute(uint64_t i, uint64_t n, uint64_t seed, uint32_t number)
{
    int half = 1;
    while (half < 32 && (n - 1) >> 2 * half)
        half++;
    const uint64_t mask = (UINT64_C(1) << half) - 1;
    do {
        uint64_t left = i >> half, right = i & mask;
        for (uint32_t r = 0; r < ROUNDS; r++) {
            const struct random4 f = random_at(seed, SITE + r, number, right);
            const uint64_t next = left ^ (f.v[0] & mask);
            left = right;
            right = next;
        }
        i = left << half | right;
    } while (i >= n);
    return i;
}
