/* numpy.c - the permutation that Hugging Face's train_test_split draws, and so nanoGPT. */
#include "base/base.h"
#include "base/numpy.h"
#include "shard/shard.h"

uint32_t *numpy_permutation(uint64_t seed, uint32_t n)
{
    uint32_t *a = zalloc(n, sizeof *a);
    struct pcg64 g;
    pcg64_seed(&g, seed);
    for (uint32_t i = 0; i < n; i++)
        a[i] = i;
    for (uint32_t i = n; i-- > 1;) {
        const uint32_t mask = UINT32_MAX >> __builtin_clz(i);
        uint32_t j;
        do
            j = pcg64_word(&g) & mask;
        while (j > i);
        const uint32_t t = a[i];
        a[i] = a[j];
        a[j] = t;
    }
    return a;
}
