# Writes lib/text/unicode_tables.c: character classes as the `regex` module 2026.11.15 has them
# (what sacrebleu's `intl` tokeniser uses) and lower case as Python 3.11's str.lower() has it (what
# its -lc uses).  Usage: python gen_unicode.py > lib/text/unicode_tables.c
import regex

POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def ranges(test):
    out = []
    for c in POINTS:
        if test(chr(c)):
            if out and out[-1][1] == c - 1:
                out[-1][1] = c
            else:
                out.append([c, c])
    return out


def table(name, comment, rows, form, zero):
    print(f"\n/* {comment} */\nconst struct {name} = {{")
    line = "   "
    for r in rows + [None]:
        text = " " + (form(r) if r else zero) + ","
        if len(line) + len(text) > 100:
            print(line)
            line = "   "
        line += text
    print(line + "\n};")


def has(p):
    return regex.compile(r"\p{%s}" % p).match


cased = lambda c: (c + "\u03a3").lower()[-1] == "\u03c2"
lower = []          # first, last, step, distance
for c in POINTS:
    l = chr(c).lower()
    if l == chr(c) or len(l) > 1:
        continue
    d = ord(l) - c
    for step in (1, 2):
        if lower and lower[-1][3] == d and c - lower[-1][1] == step and (
                lower[-1][2] == step or lower[-1][0] == lower[-1][1]):
            lower[-1][1:3] = [c, step]
            break
    else:
        lower.append([c, c, 1, d])

print("/* unicode_tables.c - written by tests/golden/src/gen_unicode.py; do not edit. */")
print('#include "text/unicode.h"')
pair = lambda r: "{0x%x, 0x%x}" % tuple(r)
table("point_range unicode_punctuation[]", "general category P", ranges(has("P")), pair, "{0}")
table("point_range unicode_symbols[]", "general category S", ranges(has("S")), pair, "{0}")
table("point_range unicode_numbers[]", "general category N", ranges(has("N")), pair, "{0}")
table("point_range unicode_cased[]", "has case, and is not ignored when case is looked for",
      ranges(cased), pair, "{0}")
table("point_range unicode_ignorable[]", "looked through when case is looked for",
      ranges(lambda c: not cased(c) and ("A" + c + "\u03a3").lower()[-1] == "\u03c2"), pair, "{0}")
table("lower_range unicode_lower_case[]", "first, last, step, distance to the lower case",
      lower, lambda r: "{0x%x, 0x%x, %d, %d}" % tuple(r), "{0}")
