"""make_roberta_marks.py FOLDER - texts with RoBERTa's marks in them and their ids by transformers
4.57.6's RobertaTokenizer, the one that bert-score 0.3.13 takes: FOLDER/marks.json, of the
vocabulary in FOLDER, at most 64 ids."""
import json
import os
import sys

from transformers import RobertaTokenizer

TEXTS = ["a b", "a </s> b", "a</s>b", "</s>", "x <mask> y", "x  <mask>  y", "<s>a", "<pad>z",
         "<unk>", "a<unk>b <s></s>", "<mask>", " <mask> q", "</s> </s>", "a <mask", "<S>", "<<s>>",
         "a\n<mask>\nb", "tab\t</s>\tx", "x\u3000<mask>\u00e9", "", " ", "the <pad> " * 40,
         "a " * 61, "a " * 62, "<mask>" * 63]
folder = sys.argv[1]
tokenizer = RobertaTokenizer.from_pretrained(folder, model_max_length=64)
rows = [{"text": t, "ids": tokenizer.encode(t, add_prefix_space=True, max_length=64,
                                            truncation=True) if t else [0, 2]}
        for t in map(str.strip, TEXTS)]
with open(os.path.join(folder, "marks.json"), "w") as f:
    f.write("[" + ",\n ".join(map(json.dumps, rows)) + "]\n")
