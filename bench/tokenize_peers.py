"""The peers of bench/tokenize.c, from pip where they are there: rows as it writes them."""
import json, sys, time

share, text_path, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
data = open(text_path, "rb").read()
mb = len(data) / 1e6
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
rest = [b for b in range(256) if b not in printable]
letter = {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(rest)}
byte = {c: b for b, c in letter.items()}
lines = open(share + "/vocab.bpe", encoding="utf-8").read().split("\n")[1:-1]
merges = [line.split(" ") for line in lines]
WORDS = r" ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++"
LEARNED = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
tokens = [letter[b] for b in printable + rest] + [a + b for a, b in merges]


def documents():
    at = 0
    while at < len(data):
        end = data.find(b"\n", at + 65536) + 1 or len(data)
        yield data[at:end].decode()
        at = end


texts = list(documents())


def row(what, f):
    wall, cpu = time.perf_counter(), time.process_time()
    result = f()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what}\t{threads}\t{mb / wall:.1f}\t{mb / cpu:.1f}")
    return result


def tiktoken_rows():
    import tiktoken
    ranks = {bytes(byte[c] for c in t): i for i, t in enumerate(tokens)}
    t = tiktoken.Encoding("gpt2", mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 50256},
                          pat_str=r"'(?:[sdmt]|ll|ve|re)|" + WORDS + r"|\s++$|\s+(?!\S)|\s")
    ids = row("tiktoken encode", lambda: t.encode_ordinary_batch(texts, num_threads=threads))
    row("tiktoken decode", lambda: t.decode_bytes_batch(ids, num_threads=threads))


def tokenizer_json():
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
             "use_regex": True}
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
             "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
             "ignore_merges": False, "merges": merges,
             "vocab": {t: i for i, t in enumerate(tokens)}}
    return json.dumps({"version": "1.0", "added_tokens": [], "normalizer": None,
                       "post_processor": None, "pre_tokenizer": level, "decoder": level,
                       "truncation": None, "padding": None, "model": model})


def fastokens_rows():
    import fastokens
    t = fastokens.Tokenizer.from_json_str(tokenizer_json())
    row("fastokens encode, cold", lambda: t.encode_batch_flat(texts))
    row("fastokens encode, warm", lambda: t.encode_batch_flat(texts))


def rustbpe_rows():
    import rustbpe
    t = rustbpe.Tokenizer()
    row("rustbpe learn 8192", lambda: t.train_from_iterator(iter(texts), 8191, pattern=LEARNED))


def fast_bpe_rows():
    import fast_bpe_rs
    t = fast_bpe_rs.BPE(LEARNED)
    row("fast-bpe-rs learn 8192", lambda: t.train(8191, texts))


PEERS = {"tiktoken": tiktoken_rows, "fastokens": fastokens_rows, "rustbpe": rustbpe_rows,
         "fast-bpe-rs": fast_bpe_rows}
for name, rows in PEERS.items():
    try:
        rows()
    except ImportError:
        print(f"bench: no {name} (pip install {name}); it is left out", file=sys.stderr)
