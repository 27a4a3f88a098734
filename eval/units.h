/* units.h - how many bytes and words of text a stream of tokens is. */
#pragma once
#include "eval/stream.h"

struct units { double bytes, words; };

/* Decode every document; words as lm-evaluation-harness counts them: pieces between runs of
 * white space, empty ones at the ends included.  Zeros when the ids have no known text. */
struct units units_count(struct stream *s);
