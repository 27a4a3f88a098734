/* sides.h - pairs out of two files: line i of one and line i of the other. */
#pragma once
#include "text/documents.h"

struct sides;
struct sides *sides_open(const char *source, const char *target);
void sides_close(struct sides *s);
/* As documents_next().  Dies when one file has more lines. */
int sides_next(struct sides *s, struct text_batch *b);
size_t sides_bytes(const struct sides *s);
