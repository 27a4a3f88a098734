#include "text/porter.h"
#include <string.h>

/* A word under work: its letters are w[0 .. n). */
struct word {
    char *w;
    size_t n;
};

static const char *const irregular[][2] = {
    {"sky", "sky"}, {"skies", "sky"}, {"dying", "die"}, {"lying", "lie"}, {"tying", "tie"},
    {"news", "news"}, {"innings", "inning"}, {"inning", "inning"}, {"outings", "outing"},
    {"outing", "outing"}, {"cannings", "canning"}, {"canning", "canning"}, {"howe", "howe"},
    {"proceed", "proceed"}, {"exceed", "exceed"}, {"succeed", "succeed"},
};

static int is_vowel(char c)
{
    return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

/* Is w[i] a consonant?  A y is one at the beginning and after a vowel; a run of y alternates. */
static int consonant(const char *w, size_t i)
{
    if (w[i] != 'y')
        return !is_vowel(w[i]);
    size_t run = i;
    while (run && w[run - 1] == 'y')
        run--;
    const int first = !run || is_vowel(w[run - 1]);     /* of the run's first y */
    return first ^ (int)((i - run) & 1);
}

/* m: how often a vowel is followed by a consonant in the first n letters. */
static int measure(const char *w, size_t n)
{
    int m = 0, before = 1;
    for (size_t i = 0; i < n; i++) {
        const int now = w[i] == 'y' ? !i || !before : !is_vowel(w[i]);
        m += now && !before;
        before = now;
    }
    return m;
}

static int has_vowel(const char *w, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!consonant(w, i))
            return 1;
    return 0;
}

/* *o: consonant, vowel, consonant other than w x y; or a vowel and a consonant alone. */
static int short_end(const char *w, size_t n)
{
    if (n == 2)
        return !consonant(w, 0) && consonant(w, 1);
    return n > 2 && consonant(w, n - 3) && !consonant(w, n - 2) && consonant(w, n - 1)
        && w[n - 1] != 'w' && w[n - 1] != 'x' && w[n - 1] != 'y';
}

static int ends(const struct word *x, const char *suffix)
{
    const size_t n = strlen(suffix);
    return x->n >= n && !memcmp(x->w + x->n - n, suffix, n);
}

/* Put `with` (never longer) in place of the last `cut` letters. */
static void replace(struct word *x, size_t cut, const char *with)
{
    const size_t n = strlen(with);
    memcpy(x->w + x->n - cut, with, n);
    x->n = x->n - cut + n;
}

struct rule {
    const char *suffix, *with;
    int least;              /* measure that the stem must have */
};

/* The first rule whose suffix fits decides, also when its measure is not reached. */
static void apply(struct word *x, const struct rule *r)
{
    for (; r->suffix; r++)
        if (ends(x, r->suffix)) {
            const size_t cut = strlen(r->suffix);
            if (measure(x->w, x->n - cut) >= r->least)
                replace(x, cut, r->with);
            return;
        }
}

static void step1a(struct word *x)
{
    static const struct rule rules[] = {
        {"sses", "ss", 0}, {"ies", "i", 0}, {"ss", "ss", 0}, {"s", "", 0}, {0},
    };
    if (x->n == 4 && ends(x, "ies"))
        x->n--;
    else
        apply(x, rules);
}

/* After -ed or -ing is gone. */
static void mend(struct word *x)
{
    const char *w = x->w;
    if (ends(x, "at") || ends(x, "bl") || ends(x, "iz"))
        x->w[x->n++] = 'e';
    else if (x->n > 1 && w[x->n - 1] == w[x->n - 2] && consonant(w, x->n - 1)) {
        if (!strchr("lsz", w[x->n - 1]))
            x->n--;
    } else if (measure(w, x->n) == 1 && short_end(w, x->n)) {
        x->w[x->n++] = 'e';
    }
}

static void step1b(struct word *x)
{
    if (ends(x, "ied"))
        x->n -= x->n == 4 ? 1 : 2;
    else if (ends(x, "eed"))
        x->n -= measure(x->w, x->n - 3) > 0;
    else if (ends(x, "ed") && has_vowel(x->w, x->n - 2)) {
        x->n -= 2;
        mend(x);
    } else if (ends(x, "ing") && has_vowel(x->w, x->n - 3)) {
        x->n -= 3;
        mend(x);
    }
}

static void step2(struct word *x)
{
    static const struct rule rules[] = {
        {"ational", "ate", 1}, {"tional", "tion", 1}, {"enci", "ence", 1}, {"anci", "ance", 1},
        {"izer", "ize", 1}, {"bli", "ble", 1}, {"alli", "al", 1}, {"entli", "ent", 1},
        {"eli", "e", 1}, {"ousli", "ous", 1}, {"ization", "ize", 1}, {"ation", "ate", 1},
        {"ator", "ate", 1}, {"alism", "al", 1}, {"iveness", "ive", 1}, {"fulness", "ful", 1},
        {"ousness", "ous", 1}, {"aliti", "al", 1}, {"iviti", "ive", 1}, {"biliti", "ble", 1},
        {"fulli", "ful", 1}, {0},
    };
    while (ends(x, "alli") && measure(x->w, x->n - 4) > 0)
        x->n -= 2;
    if (ends(x, "logi"))
        x->n -= measure(x->w, x->n - 3) > 0;
    else
        apply(x, rules);
}

static void step3(struct word *x)
{
    static const struct rule rules[] = {
        {"icate", "ic", 1}, {"ative", "", 1}, {"alize", "al", 1}, {"iciti", "ic", 1},
        {"ical", "ic", 1}, {"ful", "", 1}, {"ness", "", 1}, {0},
    };
    apply(x, rules);
}

static void step4(struct word *x)
{
    static const struct rule before[] = {
        {"al", "", 2}, {"ance", "", 2}, {"ence", "", 2}, {"er", "", 2}, {"ic", "", 2},
        {"able", "", 2}, {"ible", "", 2}, {"ant", "", 2}, {"ement", "", 2}, {"ment", "", 2},
        {"ent", "", 2}, {"ou", "", 2}, {"ism", "", 2}, {"ate", "", 2}, {"iti", "", 2},
        {"ous", "", 2}, {"ive", "", 2}, {"ize", "", 2}, {0},
    };
    if (!ends(x, "ion"))        /* no other suffix here ends so */
        apply(x, before);
    else if (x->n > 3 && strchr("st", x->w[x->n - 4]) && measure(x->w, x->n - 3) > 1)
        x->n -= 3;
}

static void step5(struct word *x)
{
    if (ends(x, "e")) {
        const int m = measure(x->w, x->n - 1);
        if (m > 1 || (m == 1 && !short_end(x->w, x->n - 1)))
            x->n--;
    }
    if (ends(x, "ll") && measure(x->w, x->n - 1) > 1)
        x->n--;
}

size_t porter_stem(char *word, size_t n)
{
    struct word x = {word, n};
    for (size_t i = 0; i < sizeof irregular / sizeof *irregular; i++)
        if (strlen(irregular[i][0]) == n && !memcmp(irregular[i][0], word, n)) {
            replace(&x, n, irregular[i][1]);
            return x.n;
        }
    if (n <= 2)
        return n;
    step1a(&x);
    step1b(&x);
    if (x.n > 2 && ends(&x, "y") && consonant(x.w, x.n - 2))
        x.w[x.n - 1] = 'i';
    step2(&x);
    step3(&x);
    step4(&x);
    step5(&x);
    return x.n;
}
