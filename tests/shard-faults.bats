# shard: what is damaged, cut short or refused is named, and nothing is published.

load common

good()
{
    printf '# vocab=gpt2 size=50257 eot=50256\n1 2 3\n40000 5\n# end documents=2 tokens=5\n'
}

# A stream that must be refused with the text $1; it comes on stdin.
refused()
{
    cat >stream
    fails 1 "$1" shard -o set stream
    [ ! -e set ] && [ -z "$(find . -maxdepth 1 -name '.*.tmp')" ]
}

@test "a stream cut at any byte is refused, and --partial keeps whole ids only" {
    good | sed 's/gpt2 size=50257 eot=50256/bytes size=257 eot=256/; s/40000/200/' >whole
    for ((n = 0; n < $(wc -c <whole); n++)); do
        head -c $n whole | refused "stream: line "
    done
    head -c 36 whole | shard --partial --split none -o part - 2>why
    grep -q "in the middle of a number" why
    shard -c part | grep -qx "1 2"
    rm -r part
    head -c 42 whole | shard --partial --split none -o part - 2>why
    shard -c part | grep -v '^#' | cmp - <(printf '1 2 3\n200\n')
    rm -r part
    printf '# vocab=bytes size=257 eot=256\n1\t2\n3 4' |
        shard --partial --split none -o part 2>why     # half a pair is none
    shard -c part | grep -v '^#' | cmp - <(printf '1\t2\n')
}

@test "a stream that is not what it says is refused, with its line" {
    good | sed 's/documents=2/documents=3/' | refused "line 4: the end line counts 3 documents"
    good | sed 's/tokens=5/tokens=6/' | refused "line 4: the end line counts"
    good | sed 's/40000/50257/' | refused "line 3: id 50257 is beyond the vocabulary (0..50256)"
    good | sed 's/40000/123456789/' | refused "line 3: a number of more than 8 digits"
    good | sed 's/40000/50256/' | refused "the end of text"
    good | sed 's/40000/-4/' | refused "line 3: '-' is no part of a number"
    good | sed 's/40000/4.5/' | refused "line 3: '.' is no part of a number"
    good | sed '2s/$/\r/' | refused "line 2: byte 0x0d"
    good | sed 's/1 2/1  2/' | refused "line 2: a blank with no number"
    good | sed 's/^1/ 1/' | refused "line 2: a blank with no number"
    good | sed 's/3$/3 /' | refused "line 2: a blank with no number"
    good | sed '1d' | refused "line 1: not token text"
    good | sed 's/size=50257/size=0/' | refused "line 1: no '# vocab=NAME"
    good | sed 's/ eot=50256//' | refused "line 1: no '# vocab=NAME"
    { good; echo 5; } | refused "line 5: a document after the end line"
    { good; good | sed 's/gpt2/bytes/'; } | refused "line 5: ids of vocabulary bytes"
    { good | sed '$d'; good; } | refused "before its end line"
    good | tr '\n' '\t' | refused "line 1"
    head -c 3000 /dev/urandom | refused "line 1"
    tr '\0' 7 </dev/zero | head -c 1000000 | sed '1s/^/# vocab=gpt2 size=50257 eot=50256\n/' |
        refused "more than 8 digits"
    good | sed 's/vocab=gpt2/vocab=nowhere/' | refused "nowhere"
    good | sed 's/size=50257/size=50258/' | refused "vocabulary gpt2 has 50257 ids"
}

@test "an empty corpus is refused" {
    refused "before its first byte" </dev/null
    printf '# vocab=gpt2 size=50257 eot=50256\n# end documents=0 tokens=0\n' | refused "empty"
    printf '# vocab=gpt2 size=50257 eot=50256\n\n\n# end documents=2 tokens=0\n' | refused "empty"
}

@test "what stands at -o is never touched" {
    mkdir set && echo mine >set/file
    fails 1 "set" bash -c "printf '# vocab=gpt2 size=50257 eot=50256\n' | shard -o set"
    good >tokens
    fails 1 "set" shard -o set tokens
    echo other >plain
    fails 1 "plain" shard -o plain tokens
    [ "$(cat set/file plain)" = "$(printf 'mine\nother')" ]
}

@test "options that make no sense are told, status 2" {
    fails 2 "-o names" shard
    fails 2 "one shard set is to be named" shard -c
    fails 2 "only one of" shard -c --verify x
    fails 2 "--split: 'odd'" shard --split odd -o x
    fails 2 "--split: with -c" shard -c --split nanogpt x
    fails 2 "--val-fraction" shard --val-fraction 2 -o x
    fails 2 "nothing to train on" shard --val-fraction 1 -o x
    fails 2 "--val-tail" shard --val-tail 0.1 --split none -o x
    fails 1 "nowhere/manifest.json" shard --info nowhere
    fails 1 "nowhere/manifest.json" shard -c nowhere
}

# Every byte of both is tried in tests/shards.c; here, that the program says so.
@test "a flipped bit in a shard or the manifest is found and named by --verify and -c" {
    good >tokens
    shard --split none -o set tokens
    for file in set/train-00000.tok.zst set/manifest.json; do
        cp $file kept
        for ((at = 0; at < $(stat -c %s kept); at += 23)); do
            flip_bit $file $at
            fails 1 "$file" shard --verify set || { [ "$(wc -l <stderr.txt)" = 2 ] &&
                grep -qF "$file" stderr.txt; }
            fails 1 "$file" shard -c set
            cp kept $file
        done
    done
    shard --verify set
    truncate -s -1 set/train-00000.tok.zst
    fails 1 "set/train-00000.tok.zst" shard --verify set
    rm set/train-00000.tok.zst
    fails 1 "set/train-00000.tok.zst: No such file" shard --verify set
}

@test "a full disk is told, and nothing is published" {
    good | shard --split none -o made
    fails 1 "No space left" bash -c 'shard -c made >/dev/full'
    small_disk 100k || skip "a tmpfs cannot be mounted here (not root?)"
    status=0
    stream_of 200000 | shard -o small/set 2>why || status=$?
    left=$(find small -mindepth 1)
    umount small
    cat why
    [ "$status" -eq 1 ] && grep -q "No space left" why && [ -z "$left" ]
}

stream_of()
{
    awk -v n="$1" 'BEGIN {
        print "# vocab=gpt2 size=50257 eot=50256"
        for (i = 0; i < n; i++) printf "%d%s", i * 7919 % 50256, i % 100 == 99 ? "\n" : " "
        printf "# end documents=%d tokens=%d\n", n / 100, n
    }'
}

@test "a producer that is killed leaves no set" {
    for ms in 1 3 5 8 12 20 40; do
        status=0
        timeout -s KILL 0.0$((10 + ms)) bash -c 'while :; do echo 1 2 3; done' 2>/dev/null |
            sed '1s/^/# vocab=gpt2 size=50257 eot=50256\n/' | shard -q -o set 2>why || status=$?
        cat why
        [ "$status" -eq 1 ] && grep -q "line [0-9]*: the stream was cut" why
        [ ! -e set ] && [ -z "$(find . -maxdepth 1 -name '.*.tmp')" ]
    done
}

@test "shard killed at any moment publishes nothing, and the next run clears what it left" {
    for signal in KILL TERM INT; do
        for ms in 10 30 50 90; do
            (while :; do echo 1 2 3; done 2>/dev/null) |
                sed '1s/^/# vocab=gpt2 size=50257 eot=50256\n/' |
                timeout -s $signal 0.0$ms "$BIN/shard" -q -o set 2>/dev/null || true
            [ ! -e set ]
        done
    done
    good | shard --split none -o set
    shard --verify set
    [ -z "$(find . -maxdepth 1 -name '.*.tmp')" ]
}

@test "either side of tokenize | shard killed at a random moment: a whole set or none" {
    RANDOM=$$
    echo "RANDOM=$$"
    for _ in 1 2 3; do cat "$ROOT/share/shakespeare/tinyshakespeare.txt"; done >text
    mkfifo pipe
    published=0
    for ((i = 0; i < 16; i++)); do
        rm -rf set .*.tmp           # what a killed shard left, the next one clears: see above
        tokenize -q text >pipe 2>left.txt 3>&- &
        left=$!
        shard -q --val-tail 0.1 -o set <pipe 2>right.txt 3>&- &
        right=$!
        sleep "0.$(printf %03d $((RANDOM % 200)))"
        victim=$((i % 2 ? right : left))
        kill -KILL $victim 2>/dev/null || true
        wait $left || true
        status=0
        wait $right || status=$?
        if [ -e set ]; then
            shard --verify set
            [ $(($(info_of train-bytes) + $(info_of val-bytes))) -eq "$(wc -c <text)" ]
            published=$((published + 1))
        elif [ $victim = $left ]; then
            [ "$status" -eq 1 ]
            grep -q "the stream was cut" right.txt
            [ -z "$(find . -maxdepth 1 -name '.*.tmp')" ]
        fi
    done
    echo "$published of $i published"
    [ "$published" -lt "$i" ]
}

info_of()
{
    shard --info set | value "$1"
}
