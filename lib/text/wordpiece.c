#include "text/wordpiece.h"
#include "base/base.h"
#include "base/fault.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { LONGEST_WORD = 100 /* code points */ };
enum { UNKNOWN = WORDPIECE_UNKNOWN, SEPARATOR = WORDPIECE_SEPARATOR, CLASS = WORDPIECE_CLASS,
       SPECIALS = WORDPIECE_MASK + 1 };

static const char *const special_names[SPECIALS] = {"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"};

struct wordpiece {
    struct words *pieces;       /* ids are the lines */
    int special[SPECIALS];
    int cased;
};

const char *wordpiece_parse(struct wordpiece **new, const char *text, size_t n, int cased)
{
    struct wordpiece *w = *new = zalloc(1, sizeof *w);
    const char *at = text, *const end = text + n;

    w->cased = cased;
    w->pieces = words_new();
    for (int line = 1; at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const size_t size = (size_t)((stop ? stop : end) - at);
        if (words_id(w->pieces, at, size) != line - 1)
            return fault("vocab.txt:%d: the piece '%.*s' stands there twice", line,
                         size < 60 ? (int)size : 60, at);
        at += size + 1;
    }
    for (int i = 0; i < SPECIALS; i++) {
        w->special[i] = words_find(w->pieces, special_names[i], strlen(special_names[i]));
        if (w->special[i] < 0)
            return fault("vocab.txt: no line %s: is this a BERT vocabulary?", special_names[i]);
    }
    return NULL;
}

void wordpiece_free(struct wordpiece *w)
{
    if (w)
        words_free(w->pieces);
    free(w);
}

int wordpiece_size(const struct wordpiece *w)
{
    return words_count(w->pieces);
}

int wordpiece_special(const struct wordpiece *w, int which)
{
    return w->special[which];
}

const char *wordpiece_text(const struct wordpiece *w, int id, size_t *n)
{
    const struct span s = words_text(w->pieces, id);
    *n = s.n;
    return s.at;
}

int wordpiece_is_frame(const struct wordpiece *w, int id)
{
    return id == w->special[CLASS] || id == w->special[SEPARATOR];
}

static int is_ideograph(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xf900, 0xfaff}, {0x20000, 0x2a6df},
        {0x2a700, 0x2b73f}, {0x2b740, 0x2b81f}, {0x2b820, 0x2ceaf}, {0x2f800, 0x2fa1f},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return 1;
    return 0;
}

/* Category C but tab and line ends, or U+FFFD. */
static int is_dropped(uint32_t c)
{
    const utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);
    return c == 0xfffd || (c != '\t' && c != '\n' && c != '\r'
           && (k == UTF8PROC_CATEGORY_CN
               || (k >= UTF8PROC_CATEGORY_CC && k <= UTF8PROC_CATEGORY_CO)));
}

static int is_punctuation(uint32_t c)
{
    return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96)
        || (c >= 123 && c <= 126) || unicode_class(c) == UNICODE_PUNCTUATION;
}

/* The text without what is dropped, ideographs set apart, composed (NFC): a new text. */
static char *clean(const char *text, size_t n)
{
    char *kept = zalloc(3 * n + 1, 1), *to = kept;
    utf8proc_uint8_t *composed = NULL;
    uint32_t c;
    int bad;
    for (size_t i = 0; i < n;) {
        const int size = utf8_decode(text + i, n - i, &c, &bad);
        if (size && c && !is_dropped(c)) {
            const int apart = is_ideograph(c);
            if (apart)
                *to++ = ' ';
            to += utf8_encode(c, to);
            if (apart)
                *to++ = ' ';
        }
        i += (size_t)(size ? size : bad);
    }
    if (utf8proc_map((const utf8proc_uint8_t *)kept, to - kept, &composed,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE) < 0)
        die("out of memory");
    free(kept);
    return (char *)composed;
}

/* The code points of a clean text, a new array; unless cased, in lower case, decomposed and
 * without non-spacing marks. */
static utf8proc_int32_t *folded(const char *text, int cased, size_t *count)
{
    enum { PARTS = 4 };         /* that a code point decomposes into at most */
    const size_t n = strlen(text);
    utf8proc_int32_t *points = zalloc(n * PARTS + 1, sizeof *points);
    uint32_t c;
    int bad;

    *count = 0;
    for (size_t i = 0; i < n;) {
        utf8proc_int32_t *to = points + *count;
        int boundary = 0;
        i += (size_t)utf8_decode(text + i, n - i, &c, &bad);
        const size_t parts = cased ? 1 : (size_t)utf8proc_decompose_char(
            utf8proc_tolower((utf8proc_int32_t)c), to, PARTS, UTF8PROC_DECOMPOSE, &boundary);
        if (cased)
            *to = (utf8proc_int32_t)c;
        for (size_t k = 0; k < parts; k++)
            if (cased || utf8proc_category(to[k]) != UTF8PROC_CATEGORY_MN)
                points[(*count)++] = to[k];
    }
    return points;
}

/* The longest piece that begins the word's rest [at, end), behind "##" inside a word; 0: none. */
static size_t longest_piece(const struct wordpiece *w, const char *at, const char *end, int inside,
                            int *id)
{
    char piece[4 * LONGEST_WORD + 3] = "##";
    char *text = piece + (inside ? 2 : 0);
    memcpy(text, at, (size_t)(end - at));
    for (size_t n = (size_t)(end - at); n; n--)
        if ((at + n == end || ((unsigned char)at[n] & 0xc0) != 0x80)
            && (*id = words_find(w->pieces, piece, (size_t)(text - piece) + n)) >= 0)
            return n;
    return 0;
}

static void add_word(const struct wordpiece *w, const utf8proc_int32_t *points, size_t n,
                     struct ids *out)
{
    char text[4 * LONGEST_WORD];
    const size_t before = out->n;
    size_t size = 0, step;
    int id;

    if (n > LONGEST_WORD) {
        ids_add(out, w->special[UNKNOWN]);
        return;
    }
    for (size_t i = 0; i < n; i++)
        size += (size_t)utf8_encode((uint32_t)points[i], text + size);
    for (size_t at = 0; at < size; at += step) {
        step = longest_piece(w, text + at, text + size, at > 0, &id);
        if (!step) {
            out->n = before;
            ids_add(out, w->special[UNKNOWN]);
            return;
        }
        ids_add(out, id);
    }
}

/* Ordinary text between special tokens. */
static void add_text(const struct wordpiece *w, const char *text, size_t n, struct ids *out)
{
    size_t count, word = 0;     /* where the word so far began */
    char *kept = clean(text, n);
    utf8proc_int32_t *points = folded(kept, w->cased, &count);

    for (size_t i = 0; i <= count; i++) {
        const uint32_t c = i < count ? (uint32_t)points[i] : ' ';
        const int space = unicode_space(c), alone = !space && is_punctuation(c);
        if (!space && !alone)
            continue;
        if (i > word)
            add_word(w, points + word, i - word, out);
        if (alone)
            add_word(w, points + i, 1, out);
        word = i + 1;
    }
    free(points);
    free(kept);
}

/* Which special token's name stands at the beginning; SPECIALS if none. */
static int special_at(const char *at, size_t n)
{
    int i = 0;
    while (i < SPECIALS && (n < strlen(special_names[i])
                            || memcmp(at, special_names[i], strlen(special_names[i]))))
        i++;
    return i;
}

int wordpiece_encode(const struct wordpiece *w, const char *text, size_t n, size_t most,
                     struct ids *out)
{
    size_t begin = 0;
    out->n = 0;
    ids_add(out, w->special[CLASS]);
    for (size_t i = 0; i < n; i++) {
        const int special = text[i] == '[' ? special_at(text + i, n - i) : SPECIALS;
        if (special == SPECIALS)
            continue;
        add_text(w, text + begin, i - begin, out);
        ids_add(out, w->special[special]);
        begin = i + strlen(special_names[special]);
        i = begin - 1;
    }
    add_text(w, text + begin, n - begin, out);
    const int cut = out->n > most - 1;
    if (cut)
        out->n = most - 1;
    ids_add(out, w->special[SEPARATOR]);
    return cut;
}

void wordpiece_ordinary(const struct wordpiece *w, const char *text, size_t n, struct ids *out)
{
    out->n = 0;
    add_text(w, text, n, out);
}
