"""Golden token ids of GPT-2's vocabulary, by tiktoken 0.14: tests/golden/gpt2-ids.tsv.

    python3 tests/golden/make_gpt2_ids.py > tests/golden/gpt2-ids.tsv

Rows: name, number of ids, and the FNV-1a hash of the ids as 32-bit words.  The texts are
the files named, and those that text_of() in tests/encode.c makes in the same way.  In the file of
invalid UTF-8 each byte that is none is a character of the fourth class, which tiktoken has no
name for: there the text is split here and tiktoken encodes the pieces."""
import lzma, os, re, tiktoken

HERE = os.path.dirname(os.path.abspath(__file__))
gpt2 = tiktoken.get_encoding("gpt2")
SPACES = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000\u200b\ufeff\u180e\x1c\x1f\0"
PARTS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'RE", "'Ve", "'LL", "'l", "'r", "'v",
         "'", "''", "'''s", "\u2019s", "'sx", "'tis", "'dd", "'ree", "'lll"]
LETTERS = ["a", "e", "t", "Q", "Z", "x", "'", "s", "l", "1", "0", "9", ".", "-", "$", " ", " ", " ",
           "\n", "\t", "\r\n", "\u00a0", "\u3000", "\u00e9", "\u00df", "\u0663", "\u00bd", "\u6587",
           "\ud55c", "\u0e02", "\u0301", "\U0001f600", "\U0001f1e9", "\u200d", "\U0001d7d8",
           "\u0394", "\u0416", "<|endoftext|>", "<|", "|>", "the", " of", "ing"]
RUNS = [" ", "a", "A", "\n", "\t", "9", "-", ".", "\u00e9", "\u6587", "\U0001f600", "ab", "\r\n", " \n",
        "'s", " a", "  a", "\u3000", "\u00c3\u00c2"]


def scalars():
    return (c for c in range(0x110000) if not 0xD800 <= c < 0xE000)


def random_text(strings):
    state, out = 1, []
    for _ in range(strings):
        for _ in range(16):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            out.append(LETTERS[(state >> 33) % len(LETTERS)])
        out.append("|\n")
    return "".join(out)


def runs():
    return "".join("x" + r * n + "y " + r * (n // 3) + "\n" for r in RUNS for n in (1, 2, 63, 64, 65, 129, 5003))


TEXTS = {
    "scalars": lambda: "".join(map(chr, scalars())),
    "contexts": lambda: "".join("a%c1 %c's" % (c, c) for c in scalars()),
    "contractions": lambda: "".join("I%s%s %s%s x%s %s1%s\n" % (a, b, a, b, a, b, a)
                                    for a in PARTS for b in PARTS),
    "spaces": lambda: "".join("a%sb%s1%s.%s's%s" % ((a + b + c,) * 5)
                              for a in SPACES for b in SPACES for c in SPACES),
    "runs": runs,
    "random": lambda: random_text(50000),
}


def classes():
    table = {}
    for line in open(os.path.join(HERE, "../../lib/text/classes.txt")):
        kind, *ends = line.split()
        if kind in "LNS":
            for c in range(int(ends[0], 16), int(ends[1], 16) + 1):
                table[c] = kind
    return table


def encode_bytes(data):
    text, kinds = data.decode("utf-8", "surrogateescape"), classes()
    plain = "".join(c if ord(c) < 128 else {"L": "L", "N": "0", "S": "\t"}.get(kinds.get(ord(c)), ".")
                    for c in text)
    pattern = r"'(?:[sdmt]|ll|ve|re)| ?[A-Za-z]+| ?[0-9]+| ?[^\t-\r A-Za-z0-9]+|[\t-\r ]+(?![^\t-\r ])|[\t-\r ]+"
    ids = []
    for m in re.finditer(pattern, plain):
        piece = text[m.start():m.end()].encode("utf-8", "surrogateescape")
        ids += gpt2._core_bpe.encode_single_piece(piece) if len(piece) else []
    return ids


def row(name, ids):
    h = 14695981039346656037
    for i in ids:
        h = (h ^ i) * 1099511628211 % 2**64
    print("%s\t%d\t%016x" % (name, len(ids), h))


if __name__ == "__main__":
    for name, text in TEXTS.items():
        row(name, gpt2.encode_ordinary(text()))
    shakespeare = os.path.join(HERE, "../../share/shakespeare/tinyshakespeare.txt")
    row("tinyshakespeare.txt", gpt2.encode_ordinary(open(shakespeare, newline="").read()))
    for name in ("unicode-stress.txt", "stress-invalid.bin"):
        row(name, encode_bytes(lzma.open(os.path.join(HERE, "text", name + ".xz")).read()))
