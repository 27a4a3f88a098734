#include "base/stream.h"
#include "base/base.h"
#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { BUFFER = 1 << 17 };

struct stream {
    char *name;
    int fd, ended;          /* the file has no more bytes */
    unsigned char *buffer;
    size_t at, n;           /* unread bytes of it are [at, n) */
    size_t (*unpack)(struct stream *, unsigned char *, size_t);    /* some bytes; 0: the end */
    ZSTD_DCtx *zstd;
    z_stream gzip;
    lzma_stream xz;
    int between;            /* no frame of packed data is unfinished */
};

const char *stream_name(const struct stream *s)
{
    return s->name;
}

static size_t read_some(struct stream *s, void *into, size_t n)
{
    ssize_t got;
    do
        got = read(s->fd, into, n);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        die("%s:", s->name);
    s->ended = !got;
    return (size_t)got;
}

/* Have unread bytes in the buffer, unless the file ended. */
static void refill(struct stream *s)
{
    if (s->at < s->n || s->ended)
        return;
    s->at = 0;
    s->n = read_some(s, s->buffer, BUFFER);
}

__attribute__((noreturn)) static void damaged(const struct stream *s, const char *what)
{
    die("%s: %s data that is %s", s->name, what,
        s->ended && s->at == s->n ? "cut short" : "damaged");
}

static size_t unpack_plain(struct stream *s, unsigned char *into, size_t n)
{
    if (s->at == s->n)
        return s->ended ? 0 : read_some(s, into, n);
    const size_t have = s->n - s->at, take = n < have ? n : have;
    memcpy(into, s->buffer + s->at, take);
    s->at += take;
    return take;
}

static size_t unpack_zstd(struct stream *s, unsigned char *into, size_t n)
{
    ZSTD_outBuffer out = {into, n, 0};
    while (!out.pos) {
        refill(s);
        if (s->at == s->n && s->between)
            return 0;
        ZSTD_inBuffer in = {s->buffer, s->n, s->at};
        const size_t left = ZSTD_decompressStream(s->zstd, &out, &in);
        s->at = in.pos;
        if (ZSTD_isError(left) || (s->ended && left && !out.pos))
            damaged(s, "Zstandard");
        s->between = left == 0;
    }
    return out.pos;
}

static size_t unpack_gzip(struct stream *s, unsigned char *into, size_t n)
{
    z_stream *z = &s->gzip;
    z->next_out = into;
    z->avail_out = (unsigned)(n < BUFFER ? n : BUFFER);
    const unsigned room = z->avail_out;
    while (z->avail_out == room) {
        refill(s);
        if (s->at == s->n && s->between)
            return 0;
        if (s->between)
            inflateReset(z);        /* the next member */
        z->next_in = s->buffer + s->at;
        z->avail_in = (unsigned)(s->n - s->at);
        const int status = inflate(z, Z_NO_FLUSH);
        s->at = s->n - z->avail_in;
        if ((status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            || (s->ended && status != Z_STREAM_END && z->avail_out == room))
            damaged(s, "gzip");
        s->between = status == Z_STREAM_END;
    }
    return room - z->avail_out;
}

static size_t unpack_xz(struct stream *s, unsigned char *into, size_t n)
{
    lzma_stream *x = &s->xz;
    x->next_out = into;
    x->avail_out = n;
    while (x->avail_out == n && !s->between) {
        refill(s);
        x->next_in = s->buffer + s->at;
        x->avail_in = s->n - s->at;
        const lzma_ret status = lzma_code(x, s->ended ? LZMA_FINISH : LZMA_RUN);
        s->at = s->n - x->avail_in;
        if (status != LZMA_OK && status != LZMA_STREAM_END)
            damaged(s, "xz");
        s->between = status == LZMA_STREAM_END;
    }
    return n - x->avail_out;
}

/* What the first bytes say. */
static void choose(struct stream *s)
{
    static const unsigned char xz[] = {0xFD, '7', 'z', 'X', 'Z', 0};
    const unsigned char *b = s->buffer;

    s->unpack = unpack_plain;
    if (s->n >= 4 && (!memcmp(b, "\x28\xB5\x2F\xFD", 4)
                      || ((b[0] & 0xF0) == 0x50 && !memcmp(b + 1, "\x2A\x4D\x18", 3)))) {
        s->unpack = unpack_zstd;
        s->zstd = ZSTD_createDCtx();
    } else if (s->n >= 2 && b[0] == 0x1F && b[1] == 0x8B) {
        s->unpack = unpack_gzip;
        inflateInit2(&s->gzip, 16 + MAX_WBITS);
    } else if (s->n >= sizeof xz && !memcmp(b, xz, sizeof xz)) {
        s->unpack = unpack_xz;
        if (lzma_stream_decoder(&s->xz, UINT64_MAX, LZMA_CONCATENATED) != LZMA_OK)
            die("out of memory");
    }
}

struct stream *stream_open(const char *path)
{
    struct stream *s = zalloc(1, sizeof *s);
    const int own = strcmp(path, "-");

    s->name = copy_text(own ? path : "standard input");
    s->fd = own ? open(path, O_RDONLY) : STDIN_FILENO;
    if (s->fd < 0)
        die("%s:", path);
    s->buffer = zalloc(BUFFER, 1);
    while (s->n < 8 && !s->ended)       /* a pipe may give few bytes at a time */
        s->n += read_some(s, s->buffer + s->n, BUFFER - s->n);
    choose(s);
    return s;
}

size_t stream_read(struct stream *s, void *into, size_t n)
{
    size_t done = 0;
    for (size_t got; done < n && (got = s->unpack(s, (unsigned char *)into + done, n - done));)
        done += got;
    return done;
}

void stream_close(struct stream *s)
{
    if (s->fd != STDIN_FILENO)
        close(s->fd);
    if (s->zstd)
        ZSTD_freeDCtx(s->zstd);
    if (s->unpack == unpack_gzip)
        inflateEnd(&s->gzip);
    if (s->unpack == unpack_xz)
        lzma_end(&s->xz);
    free(s->buffer);
    free(s->name);
    free(s);
}
