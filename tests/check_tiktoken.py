"""keel's GPT-2 ids against tiktoken's, on random Unicode strings and the text under /usr/share.

    make check-tiktoken        python3 tests/check_tiktoken.py BIN SHARE SEED

tiktoken comes from pip; its vocabulary is built from share/gpt2, nothing is downloaded."""
import os, random, subprocess, sys, tiktoken

binary, share, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
rest = [b for b in range(256) if b not in printable]
byte = {chr(b): b for b in printable} | {chr(256 + i): b for i, b in enumerate(rest)}
ranks = {bytes([b]): i for i, b in enumerate(printable + rest)}
for line in open(share + "/gpt2/vocab.bpe", encoding="utf-8").read().split("\n")[1:-1]:
    ranks[bytes(byte[c] for c in line.replace(" ", ""))] = len(ranks)
gpt2 = tiktoken.Encoding(
    "gpt2", mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 50256},
    pat_str=r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s")
rng = random.Random(seed)
PLANES = [(1, 0x80), (0x80, 0x800), (0x800, 0xD800), (0xE000, 0x10000), (0x10000, 0x20000),
          (0x2000, 0x2070), (0x20000, 0x110000)]
COMMON = [" ", " ", "  ", "\n", "\t", "'s", "'re", "'", "the", "Word", "12", "-", "\u00a0",
          "\u3000"]


def random_string():
    return "".join(rng.choice(COMMON) if rng.random() < 0.5
                   else chr(rng.randrange(*rng.choice(PLANES))) for _ in range(rng.randrange(40)))


def texts():
    yield from (random_string() for _ in range(100000))
    for folder, _, names in os.walk("/usr/share"):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and os.path.getsize(path) < 100000:
                data = open(path, "rb").read()
                if data and b"\0" not in data:
                    try:
                        yield data.decode()
                    except UnicodeDecodeError:
                        pass


def check(batch):
    text = "".join(t + "\0" for t in batch).encode()
    out = subprocess.run([binary, "-q", "-v", "gpt2", "--nul"], input=text, stdout=subprocess.PIPE,
                         check=True).stdout.decode()
    lines = [line for line in out.split("\n")[:-1] if not line.startswith("#")]
    assert len(lines) == len(batch), (len(lines), len(batch))
    for t, line in zip(batch, lines):
        want = gpt2.encode_ordinary(t)
        if [int(i) for i in line.split()] != want:
            sys.exit(f"not tiktoken's ids: {t[:200]!r}\n{line[:200]}\n{want[:40]}")


batch, size, count, total = [], 0, 0, 0
for t in texts():
    batch.append(t)
    size += len(t)
    if size > 4000000:
        check(batch)
        count, total, batch, size = count + len(batch), total + size, [], 0
    if total > 200000000:
        break
check(batch)
print(f"{count + len(batch)} texts, {total + size} characters: the same ids as tiktoken's")
