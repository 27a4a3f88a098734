"""make_random_words.py FOLDER - the words of random texts, most of them points, numbers, dashes and
blanks, up to a few blocks of 64 bytes long: by sacrebleu 2.6.0 into FOLDER/bleu/random.jsonl.gz and
by rouge-score 0.1.2 into FOLDER/rouge/random.jsonl.gz; and into FOLDER/rouge/unicode.jsonl.gz
words in other scripts, by the definition of --words unicode as one expression of the module regex.
Seed 20261122."""
import gzip
import json
import os
import random
import sys

import regex
from rouge_score import tokenizers
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sacrebleu.tokenizers.tokenizer_intl import TokenizerV14International

PIECES = list("..,,--''  55aaBZ09&<>;:!?$%/") + [
    "\t", "&amp;", "&quot;", "&lt;", "&gt;", "<skipped>", "\u00e4", "\u00a3", "\u2014", "\u3002",
    "\u4e2d", "\u00bd", "\u0663", "\u00a0", "\u3000",
    "\u20ac", "\u212a", "\u0130", "\u03a3", "\U0001f600", "running", "skies"]
draw = random.Random(20261122)
plain = [p for p in PIECES if p.isascii()]
texts = ["".join(draw.choices(plain if i % 2 else PIECES,
                              k=draw.randint(0, draw.choice((4, 70, 200))))) for i in range(600)]
tokenizers_of_bleu = {"13a": Tokenizer13a(), "intl": TokenizerV14International()}
rouge = {"tok": tokenizers.DefaultTokenizer(False), "tok_stem": tokenizers.DefaultTokenizer(True)}


def write(name, rows):
    with gzip.GzipFile(os.path.join(sys.argv[1], name), "wb", mtime=0) as f:
        for row in rows:
            f.write((json.dumps(row, ensure_ascii=False) + "\n").encode())


def bleu(text):
    row = {"text": text}
    for name, t in tokenizers_of_bleu.items():
        row[name] = " ".join(t(text.rstrip()).split())
        row[name + "_lc"] = " ".join(t(text.rstrip().lower()).split())
    return row


write("bleu/random.jsonl.gz", map(bleu, texts))
write("rouge/random.jsonl.gz",
      ({"text": t, **{k: f.tokenize(t) for k, f in rouge.items()}} for t in texts))

SCRIPTS = list("  .,_-aB\u00e4\u00df\u0130\u0301\u0416\u0438\u03a3\u03b1\u0661\u0627\u064e\u05d0\uac00"
               "\u0915\u093e\u094d\u0e01\u0e34\u0e4c\u0e50\u1000\u102d\u1780\u17b6\u0eab\u0ec8\u3042"
               "\u3099\u30fc\u30fb\u4e2d\u6587\u3005\u3002\uff21\uff71\u00bd\u2160\u20ac\n5")
SCRIPTS += ["\U00020000", "\U0001f600"]
BLANKLESS = (r"[\p{L}\p{N}]&&[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff"
             r"\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
             r"\U00020000-\U000323af]")
words = regex.compile(rf"[{BLANKLESS}]\p{{M}}*|[[\p{{L}}\p{{N}}\p{{M}}]--[{BLANKLESS}]]+", regex.V1)
texts = ["".join(draw.choices(SCRIPTS, k=draw.randint(0, draw.choice((4, 40, 120)))))
         for i in range(400)]
write("rouge/unicode.jsonl.gz", ({"text": t, "tok": words.findall(t.lower())} for t in texts))
