"""tokenizer.json of the two small encoders as transformers 5 saves it, of a cased one, and of a
model that keel does not read, in tests/golden/tokenizer-json.

    pip install transformers==5.24.0 tokenizers; python3 make_tokenizer_json.py
"""
import pathlib
import tempfile

import tokenizers
from transformers import AutoTokenizer, BertTokenizerFast

here = pathlib.Path(__file__).parent
to = here / "tokenizer-json"
to.mkdir(exist_ok=True)


def save(tokenizer, name):
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        (to / name).write_bytes((pathlib.Path(folder) / "tokenizer.json").read_bytes())


save(AutoTokenizer.from_pretrained(here / "bert-tiny"), "bert.json")
save(BertTokenizerFast(str(here / "bert-tiny/vocab.txt"), do_lower_case=False), "cased.json")
save(AutoTokenizer.from_pretrained(here / "roberta-tiny"), "roberta.json")
unigram = tokenizers.Tokenizer(tokenizers.models.Unigram([("<unk>", 0.0), ("a", -1.0)], 0))
unigram.save(str(to / "unigram.json"))
