/* tokens_lines.c - the '#' lines of token text: what the ids are, and the end. */
#include "base/base.h"
#include "data/tokens.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

char *token_kind_name(const struct token_kind *kind)
{
    char *name, *s;
    name = s = zalloc(3 * strlen(kind->vocab) + 1, 1);
    for (const unsigned char *c = (const unsigned char *)kind->vocab; *c; c++)
        if (*c <= ' ' || *c == '%' || *c == '#' || *c == 127)
            s += sprintf(s, "%%%02X", *c);
        else
            *s++ = (char)*c;
    return name;
}

int token_kind_same(const struct token_kind *a, const struct token_kind *b)
{
    return !strcmp(a->vocab, b->vocab) && a->size == b->size && a->eot == b->eot;
}

/* The field " key=value" of a line: its value and length, or NULL. */
static const char *field(const char *line, const char *key, size_t *n)
{
    const size_t k = strlen(key);
    for (const char *s = line; (s = strchr(s, ' '));) {
        s += strspn(s, " ");
        if (strncmp(s, key, k) || s[k] != '=')
            continue;
        *n = strcspn(s + k + 1, " ");
        return s + k + 1;
    }
    return NULL;
}

static int number(const char *line, const char *key, uint64_t max, uint64_t *value)
{
    size_t n;
    const char *s = field(line, key, &n);
    if (!s || !n || n > 19)
        return -1;
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)s[i]))
            return -1;
        *value = 10 * *value + (uint64_t)(s[i] - '0');
    }
    return *value <= max ? 0 : -1;
}

static int name(const char *line, char *out, size_t room)
{
    size_t n, used = 0;
    const char *s = field(line, "vocab", &n);
    if (!s || !n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        if (c == '%') {
            if (n - i < 3 || !isxdigit((unsigned char)s[i + 1])
                || !isxdigit((unsigned char)s[i + 2]))
                return -1;
            c = (char)strtol((char[]){s[i + 1], s[i + 2], 0}, NULL, 16);
            i += 2;
        }
        if (!c || used + 1 >= room)
            return -1;
        out[used++] = c;
    }
    out[used] = 0;
    return 0;
}

int token_kind_parse(const char *line, struct token_kind *kind)
{
    uint64_t size, eot;
    if (strncmp(line, "# vocab=", 8) || name(line, kind->vocab, sizeof kind->vocab)
        || number(line, "size", TOKENS_MAX_SIZE, &size) || !size
        || number(line, "eot", size - 1, &eot))
        return -1;
    kind->size = (int)size;
    kind->eot = (int)eot;
    return 0;
}

int token_end_parse(const char *line, uint64_t *documents, uint64_t *tokens)
{
    return strncmp(line, "# end ", 6) || number(line, "documents", INT64_MAX, documents)
           || number(line, "tokens", INT64_MAX, tokens) ? -1 : 0;
}
