#include "text/byte_masks.h"
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

/* Of one block, whose 64 bytes can be read. */
typedef void block_masks(const unsigned char classes[128], const unsigned char *text,
                         struct byte_masks *m);

static void block_plain(const unsigned char classes[128], const unsigned char *text,
                        struct byte_masks *m)
{
    *m = (struct byte_masks){0};
    for (int i = 0; i < 64; i++) {
        const unsigned char c = text[i], class = c < 128 ? classes[c] : 0;
        m->wide |= (uint64_t)(c >> 7) << i;
        for (int k = 0; k < BYTE_CLASSES; k++)
            m->of[k] |= (uint64_t)(class >> k & 1) << i;
    }
}

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2")))

/* The classes of 32 bytes.  A shuffle looks up the low four bits of each byte in sixteen classes,
 * and gives 0 where the top bit is set: adding 0x70 sets it in all bytes but the sixteen that
 * have had their high bits taken away. */
AVX2 static inline __m256i look_up(const unsigned char classes[128], __m256i x)
{
    __m256i found = _mm256_setzero_si256();
    for (int row = 0; row < 8; row++) {
        const __m128i sixteen = _mm_loadu_si128((const __m128i *)(classes + 16 * row));
        const __m256i place = _mm256_adds_epu8(x, _mm256_set1_epi8(0x70));
        found = _mm256_or_si256(found, _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(sixteen),
                                                           place));
        x = _mm256_sub_epi8(x, _mm256_set1_epi8(0x10));
    }
    return found;
}

AVX2 static inline uint64_t top_bits(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low)
           | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

AVX2 static inline void block_avx2(const unsigned char classes[128], const unsigned char *text,
                                   struct byte_masks *m)
{
    const __m256i a = _mm256_loadu_si256((const __m256i *)text);
    const __m256i b = _mm256_loadu_si256((const __m256i *)(text + 32));
    __m256i in_a = look_up(classes, a), in_b = look_up(classes, b);

    in_a = _mm256_slli_epi16(in_a, 8 - BYTE_CLASSES);
    in_b = _mm256_slli_epi16(in_b, 8 - BYTE_CLASSES);
    for (int k = BYTE_CLASSES - 1; k >= 0; k--) {
        m->of[k] = top_bits(in_a, in_b);
        in_a = _mm256_add_epi8(in_a, in_a);
        in_b = _mm256_add_epi8(in_b, in_b);
    }
    m->wide = top_bits(a, b);
}
#endif

/* Inlined into both callers below with their own block function. */
static inline __attribute__((always_inline)) void
masks_with(block_masks *block, const unsigned char *classes, const char *text, size_t n,
           struct byte_masks *blocks)
{
    for (size_t at = 0; at <= n; at += 64, blocks++) {
        block(classes, (const unsigned char *)text + at, blocks);
        if (n - at < 64) {
            const uint64_t real = (UINT64_C(1) << (n - at)) - 1;
            for (int k = 0; k < BYTE_CLASSES; k++)
                blocks->of[k] &= real;
            blocks->wide &= real;
        }
    }
}

void byte_masks_plain(const unsigned char classes[128], const char *text, size_t n,
                      struct byte_masks *blocks)
{
    masks_with(block_plain, classes, text, n, blocks);
}

#ifdef __x86_64__
AVX2 static void byte_masks_avx2(const unsigned char classes[128], const char *text, size_t n,
                                 struct byte_masks *blocks)
{
    masks_with(block_avx2, classes, text, n, blocks);
}
#endif

void byte_masks(const unsigned char classes[128], const char *text, size_t n,
                struct byte_masks *blocks)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        byte_masks_avx2(classes, text, n, blocks);
        return;
    }
#endif
    byte_masks_plain(classes, text, n, blocks);
}
