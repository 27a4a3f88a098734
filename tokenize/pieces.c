/* pieces.c - tokenize --pieces: the text with blanks between sub-words, as subword-nmt's
 * apply-bpe writes it. */
#include "tokenize/tokenize.h"
#include "base/base.h"
#include "base/progress.h"
#include "base/stream.h"
#include "base/walk.h"
#include "text/subword.h"
#include "text/vocab.h"
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 18, LONGEST = 1 << 30 };

struct pieces {
    const struct subword *codes;
    FILE *out;
    uint32_t *ends;
    size_t room;
    int begun, line_ended;      /* a word was written; a line end was its last character */
};

static void write_word(struct pieces *p, const char *word, size_t n)
{
    if (n > p->room) {
        p->room = 2 * n;
        free(p->ends);
        p->ends = zalloc(p->room, sizeof *p->ends);
    }
    const size_t units = subword_units(p->codes, word, n, p->ends);
    for (size_t i = 0, begin = 0; i < units; begin = p->ends[i++]) {
        if (i)
            fputs(SUBWORD_MARK " ", p->out);
        fwrite(word + begin, 1, p->ends[i] - begin, p->out);
    }
    p->begun = 1;
}

/* What stands between two words: inside a line one blank, with a line's end all of it. */
static void write_gap(struct pieces *p, const char *text, size_t n, int last)
{
    const int whole = !p->begun || p->line_ended || last || memchr(text, '\n', n)
                      || memchr(text, '\r', n);
    if (whole)
        fwrite(text, 1, n, p->out);
    else
        fputc(' ', p->out);
}

static void write_text(struct pieces *p, const unsigned char *text, size_t n, int last)
{
    size_t at = 0;
    for (size_t begin = 0, end; (end = subword_word(text, n, &begin)) > begin; at = begin = end) {
        write_gap(p, (const char *)text + at, begin - at, 0);
        write_word(p, (const char *)text + begin, end - begin);
        p->line_ended = subword_ends_line(text + begin, end - begin);
    }
    if (at < n)
        write_gap(p, (const char *)text + at, n - at, last);
    if (ferror(p->out))
        die("writing text:");
}

static void write_file(struct pieces *p, struct stream *s, struct progress *progress, double *bytes)
{
    unsigned char *text = zalloc(CHUNK, 1);
    size_t room = CHUNK, n = 0, got;
    p->begun = p->line_ended = 0;
    while ((got = stream_read(s, text + n, room - n))) {
        n += got;
        *bytes += (double)got;
        progress_show(progress, *bytes, NULL);
        const size_t cut = subword_cut(text, n);
        write_text(p, text, cut, 0);
        memmove(text, text + cut, n -= cut);
        if (n > room / 2) {
            if (room >= LONGEST)
                die("%s: a word of more than %d MB", stream_name(s), LONGEST >> 21);
            text = realloc(text, room *= 2);
            if (!text)
                die("out of memory (%zu bytes)", room);
        }
    }
    write_text(p, text, n, 1);
    free(text);
}

void pieces(char *const *operands, int n, const char *vocab, FILE *out)
{
    struct vocab *v = vocab_open(vocab);
    struct pieces p = {.codes = vocab_subword(v), .out = out};
    struct progress progress = progress_begin("bytes", 0, 0);
    struct walk *walk = walk_open(operands, n);
    double bytes = 0;

    if (!p.codes)
        misuse("--pieces: vocabulary %s is not of sub-words, with codes.txt and vocab.txt", vocab);
    for (const char *path; (path = walk_next(walk));) {
        struct stream *s = stream_open(path);
        write_file(&p, s, &progress, &bytes);
        stream_close(s);
    }
    progress_end(&progress);
    walk_close(walk);
    vocab_free(v);
    free(p.ends);
}
