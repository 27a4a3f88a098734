/* classify.h - the four classes of characters that GPT-2's pre-tokeniser tells
 * apart, as bit masks of 64 bytes of text each.
 *
 * Every byte of a character has the character's class.  What is neither letter,
 * number nor white space is the fourth class, bytes of invalid UTF-8 too. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum char_class { OTHER, LETTER, NUMBER, SPACE };

/* Of one code point (<= 0x10FFFF). */
enum char_class char_class(uint32_t code);

struct class_masks {            /* bit i of a mask is byte i of the block */
    uint64_t letter, number, space;
    uint64_t blank, quote;      /* U+0020 and U+0027 */
    uint64_t inner;             /* bytes of a white-space character but its first */
};

/* Masks of n bytes of text into (n + 63) / 64 blocks; past the end all are 0. */
void classify(const unsigned char *text, size_t n, struct class_masks *blocks);
/* The same without vector instructions: what classify() is tested against. */
void classify_plain(const unsigned char *text, size_t n, struct class_masks *blocks);

/* Once before the functions above; safe from any thread, any number of times. */
void classify_begin(void);
