/* bin_file.h - the token files of nanoGPT and of llm.c.
 *
 * nanoGPT: bare u16 ids, each document followed by the end of text, as in a set.
 * llm.c: a head of 256 words, then u16 ids (u32 under another magic number), the end of
 * text before each document; documents run on from file to file. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum bin_form { BIN_NONE, BIN_NANOGPT, BIN_LLMC };
enum { BIN_HEAD = 1024 };       /* bytes of llm.c's head */

struct bin { const unsigned char *ids; uint64_t n; int width; };

/* Where the ids are in a file's bytes: NULL or what is wrong. */
const char *bin_parse(enum bin_form form, const unsigned char *data, size_t size, struct bin *b);
/* llm.c's head of a file of n ids. */
void bin_head(unsigned char head[BIN_HEAD], int width, uint32_t n);
