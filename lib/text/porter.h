/* porter.h - Porter's stemmer as nltk has it (its NLTK_EXTENSIONS mode), which
 * rouge-score uses; it differs from Martin Porter's own in a dozen places. */
#pragma once
#include <stddef.h>

/* Stem n bytes of [a-z0-9] in place; the new length, at most n. */
size_t porter_stem(char *word, size_t n);
