"""The merges that Hugging Face tokenizers 0.23 learns: tests/golden/shakespeare-2048.merges.

    python3 tests/golden/make_bpe_merges.py share/shakespeare/tinyshakespeare.txt 2048 FOLDER

writes FOLDER/merges.txt.  One id less is asked for: keel's last is the end of text."""
import sys
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

path, size, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
trainer = trainers.BpeTrainer(vocab_size=size - 1, show_progress=False,
                              initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
tokenizer.train_from_iterator([open(path, newline="").read()], trainer)
tokenizer.model.save(folder)
