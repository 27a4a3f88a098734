#include "text/classify.h"
#include "text/utf8.h"
#include <pthread.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

static const struct { uint32_t first, last; enum char_class class; } ranges[] = {
#include "text/classes_ranges.h"
};

static unsigned char classes[0x110000 / 4];     /* 2 bits each */

/* What an ASCII character is, for block_avx512(). */
enum { IS_LETTER = 1, IS_NUMBER = 2, IS_SPACE = 4, IS_BLANK = 8, IS_QUOTE = 16 };
static unsigned char ascii[128];

enum char_class char_class(uint32_t code)
{
    return (enum char_class)(classes[code / 4] >> 2 * (code % 4) & 3);
}

static void fill_classes(void)
{
    static const unsigned char bit[] = {[LETTER] = IS_LETTER, [NUMBER] = IS_NUMBER,
                                        [SPACE] = IS_SPACE};
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++)
        for (uint32_t c = ranges[r].first; c <= ranges[r].last; c++)
            classes[c / 4] |= (unsigned char)(ranges[r].class << 2 * (c % 4));
    for (uint32_t c = 0; c < 128; c++)
        ascii[c] = bit[char_class(c)];
    ascii[' '] |= IS_BLANK;
    ascii['\''] |= IS_QUOTE;
}

void classify_begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_classes);
}

/* One block's masks for ASCII, and which bytes are not; `text` has 64 bytes. */
typedef uint64_t classify_block(const unsigned char *text, struct class_masks *m);

static uint64_t block_plain(const unsigned char *text, struct class_masks *m)
{
    uint64_t by_class[4] = {0}, wide = 0, blank = 0, quote = 0;

    for (int i = 0; i < 64; i++) {
        const uint64_t bit = (uint64_t)1 << i;
        if (text[i] >= 0x80)
            wide |= bit;
        else
            by_class[char_class(text[i])] |= bit;
        blank |= text[i] == ' ' ? bit : 0;
        quote |= text[i] == '\'' ? bit : 0;
    }
    *m = (struct class_masks){by_class[LETTER], by_class[NUMBER], by_class[SPACE], blank, quote, 0};
    return wide;
}

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi")))

/* Bytes in [first, first + span]. */
AVX2 static inline __m256i in_range(__m256i x, char first, char span)
{
    const __m256i d = _mm256_sub_epi8(x, _mm256_set1_epi8(first));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(d, _mm256_set1_epi8(span)), d);
}

AVX2 static inline uint64_t bits_of(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low)
           | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

AVX2 static inline uint64_t block_avx2(const unsigned char *text, struct class_masks *m)
{
    const __m256i a = _mm256_loadu_si256((const __m256i *)text);
    const __m256i b = _mm256_loadu_si256((const __m256i *)(text + 32));
    const __m256i blank = _mm256_set1_epi8(' '), quote = _mm256_set1_epi8('\'');
    const __m256i a_blank = _mm256_cmpeq_epi8(a, blank), b_blank = _mm256_cmpeq_epi8(b, blank);

    m->letter = bits_of(in_range(_mm256_or_si256(a, blank), 'a', 25),
                        in_range(_mm256_or_si256(b, blank), 'a', 25));
    m->number = bits_of(in_range(a, '0', 9), in_range(b, '0', 9));
    m->space = bits_of(_mm256_or_si256(a_blank, in_range(a, '\t', 4)),
                       _mm256_or_si256(b_blank, in_range(b, '\t', 4)));
    m->blank = bits_of(a_blank, b_blank);
    m->quote = bits_of(_mm256_cmpeq_epi8(a, quote), _mm256_cmpeq_epi8(b, quote));
    m->inner = 0;
    return bits_of(a, b);
}

/* Every byte looked up in a table of 128 by one instruction. */
AVX512 static inline uint64_t block_avx512(const unsigned char *text, struct class_masks *m)
{
    const __m512i x = _mm512_loadu_si512(text);
    const uint64_t wide = _mm512_movepi8_mask(x);
    const __m512i is = _mm512_maskz_permutex2var_epi8(~wide, _mm512_loadu_si512(ascii), x,
                                                      _mm512_loadu_si512(ascii + 64));

    m->letter = _mm512_test_epi8_mask(is, _mm512_set1_epi8(IS_LETTER));
    m->number = _mm512_test_epi8_mask(is, _mm512_set1_epi8(IS_NUMBER));
    m->space = _mm512_test_epi8_mask(is, _mm512_set1_epi8(IS_SPACE));
    m->blank = _mm512_test_epi8_mask(is, _mm512_set1_epi8(IS_BLANK));
    m->quote = _mm512_test_epi8_mask(is, _mm512_set1_epi8(IS_QUOTE));
    m->inner = 0;
    return wide;
}
#endif

/* A character that reaches from one block into the next. */
struct carry {
    int bytes;
    enum char_class class;
};

static uint64_t low_bits(int n)
{
    return n >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1;
}

static void add_class(struct class_masks *m, enum char_class class, uint64_t bits)
{
    m->letter |= class == LETTER ? bits : 0;
    m->number |= class == NUMBER ? bits : 0;
    m->space |= class == SPACE ? bits : 0;
}

/* Characters outside ASCII: `wide` marks their bytes in the block at `text`. */
static void add_wide(const unsigned char *text, const unsigned char *end, uint64_t wide,
                     struct carry *carry, struct class_masks *m)
{
    const uint64_t rest = low_bits(carry->bytes);
    add_class(m, carry->class, rest);
    m->inner |= carry->class == SPACE ? rest : 0;
    wide &= ~rest;
    carry->bytes = 0;
    while (wide) {
        const int i = __builtin_ctzll(wide);
        uint32_t code;
        int bad;
        const int n = utf8_decode((const char *)text + i, (size_t)(end - text - i), &code, &bad);
        const uint64_t bits = low_bits(n ? n : 1) << i;
        const enum char_class class = n ? char_class(code) : OTHER;

        add_class(m, class, bits);
        m->inner |= class == SPACE ? bits & (bits - 1) : 0;
        if (i + n > 64)
            *carry = (struct carry){i + n - 64, class};
        wide &= ~bits;
    }
}

/* Inlined into the callers below with their own block function. */
static inline __attribute__((always_inline)) void
classify_with(classify_block *block, const unsigned char *text, size_t n,
              struct class_masks *blocks)
{
    struct carry carry = {0, OTHER};
    const unsigned char *const end = text + n;

    for (size_t at = 0; at < n; at += 64, blocks++) {
        const int there = n - at < 64 ? (int)(n - at) : 64;
        unsigned char last[64] = {0};
        const unsigned char *p = text + at;
        if (there < 64)
            p = memcpy(last, p, (size_t)there);
        const uint64_t wide = block(p, blocks);
        if (wide | (uint64_t)carry.bytes)
            add_wide(text + at, end, wide, &carry, blocks);
    }
}

void classify_plain(const unsigned char *text, size_t n, struct class_masks *blocks)
{
    classify_with(block_plain, text, n, blocks);
}

#ifdef __x86_64__
AVX2 static void classify_avx2(const unsigned char *text, size_t n, struct class_masks *blocks)
{
    classify_with(block_avx2, text, n, blocks);
}

AVX512 static void classify_avx512(const unsigned char *text, size_t n, struct class_masks *blocks)
{
    classify_with(block_avx512, text, n, blocks);
}
#endif

void classify(const unsigned char *text, size_t n, struct class_masks *blocks)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw")) {
        classify_avx512(text, n, blocks);
        return;
    }
    if (__builtin_cpu_supports("avx2")) {
        classify_avx2(text, n, blocks);
        return;
    }
#endif
    classify_plain(text, n, blocks);
}
