"""What subword-nmt 0.3.8 makes of tests/golden/subword/: codes.txt of train.de and train.en, and
valid.de and valid.en in its sub-words.

    pip install subword-nmt==0.3.8; python3 tests/golden/make_subword.py tests/golden/subword

The sentences are of LibreOffice's help (Debian packages libreoffice-help-de and -en-us), which is
under the Mozilla Public License 2.0."""
import subprocess
import sys
import tempfile

folder, merges = sys.argv[1], "600"
text = b"".join(open(f"{folder}/train.{side}", "rb").read() for side in ("de", "en"))
joint = tempfile.NamedTemporaryFile()
joint.write(text)
joint.flush()
subprocess.run(["subword-nmt", "learn-bpe", "-s", merges, "-i", joint.name,
                "-o", f"{folder}/codes.txt"], check=True)
for side in ("de", "en"):
    subprocess.run(["subword-nmt", "apply-bpe", "-c", f"{folder}/codes.txt",
                    "-i", f"{folder}/valid.{side}", "-o", f"{folder}/valid.bpe.{side}"], check=True)
