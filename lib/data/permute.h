/* permute.h - a permutation of 0 .. n-1 that is computed, not stored. */
#pragma once
#include <stdint.h>

/* Where i < n goes in the permutation of this seed and number (an epoch's, say). */
uint64_t permute(uint64_t i, uint64_t n, uint64_t seed, uint32_t number);
