/* stream.h - the bytes of a file or of standard input, as they are or unpacked:
 * Zstandard, gzip and xz are known by their first bytes. */
#pragma once
#include <stddef.h>

struct stream;

/* "-" is standard input; dies with the reason. */
struct stream *stream_open(const char *path);
void stream_close(struct stream *s);
/* Up to n bytes; fewer only at the end, where it is 0.  Dies on an error, and
 * on packed data that is damaged or cut short. */
size_t stream_read(struct stream *s, void *into, size_t n);
/* How messages call it. */
const char *stream_name(const struct stream *s);
