/* numpy.h - numpy's random numbers, draw for draw: what a Python tool draws can be had again. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* np.random.seed(): the Mersenne twister MT19937 (Matsumoto and Nishimura 1998). */
enum { TWISTER_WORDS = 624 };

struct twister {
    uint32_t state[TWISTER_WORDS], words[TWISTER_WORDS];
    size_t at;              /* of the next word */
};

void twister_seed(struct twister *t, uint32_t seed);
/* np.random.randint(0, n, count): masked and redrawn; n = 1 draws nothing. */
void twister_picks(struct twister *t, uint32_t n, uint32_t *picks, size_t count);

__extension__ typedef unsigned __int128 wide;

/* np.random.default_rng(): PCG64, XSL-RR 128/64 (O'Neill 2014), seeded by a SeedSequence. */
struct pcg64 {
    wide state, increment;
    uint32_t kept;          /* the high half of the last 64 bits drawn */
    int has;
};

void pcg64_seed(struct pcg64 *g, uint64_t seed);
uint32_t pcg64_word(struct pcg64 *g);
/* rng.integers(0, n, count) of 64 bits: multiplied and shifted (Lemire 2019). */
void pcg64_picks(struct pcg64 *g, uint32_t n, uint32_t *picks, size_t count);
