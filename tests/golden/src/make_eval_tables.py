# From rouge/pairs.jsonl and rouge/aggregate.json the forms that tests/eval.bats compares:
# pairs.tsv as `eval --rouge` reads it, and the means and intervals as it prints them.
# Usage, in tests/golden: python src/make_eval_tables.py
import gzip
import json


def escaped(s):
    for a, b in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        s = s.replace(a, b)
    return s


with gzip.open("rouge/pairs.jsonl.gz", "rt") as f:
    pairs = [json.loads(line) for line in f]
with gzip.GzipFile("rouge/pairs.tsv.gz", "wb", 9, mtime=0) as f:
    f.write(b"# pairs=escaped\ncandidate\treference\n")
    for o in pairs:
        f.write((escaped(o["hyp"]) + "\t" + escaped(o["ref"]) + "\n").encode())

want = json.load(open("rouge/aggregate.json"))
for stem in ("nostem", "stem"):
    with open(f"rouge/means-{stem}.tsv", "w") as f:
        for kind, mean in want[stem]["mean"].items():
            interval = want[stem]["bootstrap_seed42_n1000_ci95"][kind]
            for i, part in enumerate(("precision", "recall", "f")):
                print(f"{kind}_{part}\t{mean[i]!r}", file=f)
                for end in ("low", "mid", "high"):
                    print(f"{kind}_{part}_{end}\t{interval[end][i]!r}", file=f)
