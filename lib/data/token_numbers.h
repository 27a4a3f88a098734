/* token_numbers.h - the numbers in 64 bytes of token text: the bytes are sorted into digits, blanks
 * and the rest, and the numbers before the blanks are read two at a time, each by an eight-byte
 * load that ends at its separator, without a loop over digits. */
#pragma once
#include <smmintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_DIGITS = 8 };

struct masks { uint64_t digit, blank; };     /* bit i is byte i */

static inline struct masks sort_bytes(const unsigned char *s)
{
    struct masks m = {0};
    for (int i = 0; i < 4; i++) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(s + 16 * i));
        const __m128i d = _mm_xor_si128(x, _mm_set1_epi8('0'));
        const __m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(9)), d);
        const __m128i blank = _mm_cmpeq_epi8(x, _mm_set1_epi8(' '));
        m.digit |= (uint64_t)(uint32_t)_mm_movemask_epi8(digit) << 16 * i;
        m.blank |= (uint64_t)(uint32_t)_mm_movemask_epi8(blank) << 16 * i;
    }
    return m;
}

/* The bytes of the last n digits of eight, as numbers. */
static inline __m128i digits_before(const unsigned char *end, size_t n)
{
#define LAST(n) UINT64_C(0x0F0F0F0F0F0F0F0F) << (64 - 8 * (n))
    static const uint64_t mask[16] = {0, LAST(1), LAST(2), LAST(3), LAST(4), LAST(5), LAST(6),
                                      LAST(7), LAST(8)};
#undef LAST
    return _mm_and_si128(_mm_loadl_epi64((const __m128i *)(end - 8)),
                         _mm_loadl_epi64((const __m128i *)&mask[n & 15]));
}

/* Two numbers of up to eight digits each: tens of their digits, hundreds of those, and so on. */
static inline void put_numbers(int *out, __m128i a, __m128i b)
{
    __m128i x = _mm_unpacklo_epi64(a, b);
    x = _mm_maddubs_epi16(x, _mm_set1_epi16(1 << 8 | 10));
    x = _mm_madd_epi16(x, _mm_set1_epi32(1 << 16 | 100));
    x = _mm_madd_epi16(_mm_packus_epi32(x, x), _mm_set1_epi32(1 << 16 | 10000));
    _mm_storel_epi64((__m128i *)out, x);
}

/* The numbers before each blank at p; the first begins at `start`.  Four at a time: up to three
 * more are written behind them. */
static inline int *put_block(int *out, const unsigned char *start, const unsigned char *p,
                             uint64_t blank)
{
    const uint64_t top = (uint64_t)1 << 63;
    int *const end = out + __builtin_popcountll(blank);
    while (blank) {
        __m128i x[4];
        for (int i = 0; i < 4; i++, blank &= blank - 1) {
            const unsigned char *const stop = p + __builtin_ctzll(blank | top);
            x[i] = digits_before(stop, (size_t)(stop - start));
            start = stop + 1;
        }
        put_numbers(out, x[0], x[1]);
        put_numbers(out + 2, x[2], x[3]);
        out += 4;
    }
    return end;
}

static inline uint64_t low_bits(int n)
{
    return n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0;
}

/* Does a number begin with a blank, or have more than eight digits?  `open` digits stand before
 * the first byte of those that are looked at. */
static inline int has_bad_number(struct masks m, size_t open)
{
    const uint64_t empty = m.blank & ~(m.digit << 1 | (open != 0));
    const uint64_t two = m.digit & m.digit << 1, four = two & two << 2, eight = four & four << 4;
    const size_t first = ~m.digit ? (size_t)__builtin_ctzll(~m.digit) : 64;
    return (empty | (eight & m.digit << 8)) != 0 || open + first > MAX_DIGITS;
}
