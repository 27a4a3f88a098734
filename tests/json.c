/* json.c - the field of a line of JSON, and what is no JSON, as jansson has them: lines of every
 * kind, each byte of which is changed, left out and doubled. */
#include "base/base.h"
#include "tests/tap.h"
#include "text/documents.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const lines[] = {
    "{\"text\": \"\\tquote\\\" \\u00e9 \\ud83d\\ude00 \\u0000 \\\\ \\/ end\", \"id\": -12.5e+3}",
    "{\"id\": 1, \"more\": {\"text\": \"in\"}, \"text\": \"\303\251\342\202\254\360\237\230\200\"}",
    " { \"text\" : \"\" , \"a\" : [ true , false , null , [ ] , { } , 0.25 , 1E9 , \"\\f\" ] } \r",
    "{\"text\":\"a block of sixteen bytes has nothing to find in it\",\"text\":\"b\"}",
    "{\"text\":\"first\",\"text\":7}",
    "{\"te\\u0078t\":\"a key with an escape\"}",
    "{\"text\":null}",
    "{\"text\":\"\\ud83d\"}",
    "{\"text\":\"\\ude00\\ud83d\"}",
    "{\"text\":\"\\uD83D\\uDE0\"}",
    "{\"text\":\"\355\240\200\"}",
    "{\"text\":\"\300\200\"}",
    "{\"text\":\"\364\220\200\200\"}",
    "{\"text\":01}",
    "{\"text\":1.}",
    "{\"text\":1e}",
    "[1,2]",
};

/* jansson takes no number that a double or 64 bits cannot hold, and no key with a NUL: is that
 * all it has against the line?  And it passes over a NUL behind a number or a word. */
static int is_pickier(const json_error_t *e)
{
    return json_error_code(e) == json_error_numeric_overflow
           || json_error_code(e) == json_error_null_byte_in_key;
}

static int agrees(const char *line, size_t n)
{
    json_error_t e;
    char *copy = zalloc(n + 1, 1);
    size_t size = 0;
    memcpy(copy, line, n);
    const char *why = json_field(copy, n, "text", &size);
    json_t *root = json_loadb(line, n, JSON_ALLOW_NUL, &e);
    const json_t *want = json_object_get(root, "text");
    const int is_json = !why || !strstr(why, "not JSON");
    int good;
    if (!root)
        good = !is_json || is_pickier(&e);
    else if (!is_json)
        good = memchr(line, 0, n) != NULL;
    else if (!json_is_string(want))
        good = why != NULL;
    else
        good = !why && size == json_string_length(want)
               && !memcmp(copy, json_string_value(want), size);
    if (!good)
        printf("# %.*s: %s; jansson: %s\n", (int)n, line, why ? why : copy, root ? "good" : e.text);
    json_decref(root);
    free(copy);
    return good;
}

/* The line with n bytes at `at` become `with`. */
static int changed(const char *line, size_t at, size_t n, const char *with, size_t with_n)
{
    const size_t size = strlen(line), rest = size - at - n;
    char *other = zalloc(size - n + with_n + 1, 1);
    memcpy(other, line, at);
    memcpy(other + at, with, with_n);
    memcpy(other + at + with_n, line + at + n, rest);
    const int good = agrees(other, at + with_n + rest);
    free(other);
    return good;
}

int main(void)
{
    static const char with[] = "\0\t\n \"\\/,:[]{}-+.0eEu8dD\037\177\200\303\355\377";
    for (size_t l = 0; l < sizeof lines / sizeof *lines; l++) {
        const char *line = lines[l];
        int bad = !agrees(line, strlen(line)), tried = 1;
        for (size_t i = 0; i < strlen(line); i++) {
            bad += !changed(line, i, 1, "", 0);
            bad += !changed(line, i, 1, line + i, strlen(line) - i);
            bad += !agrees(line, i);
            for (size_t k = 0; k < sizeof with - 1; k++)
                bad += !changed(line, i, 1, with + k, 1) + !changed(line, i, 0, with + k, 1);
            tried += 3 + 2 * (int)(sizeof with - 1);
        }
        ok(!bad, "%.30s: %d lines like it, as jansson reads them", line, tried);
    }
    return tap_end();
}
