#!/bin/bash
# Times full Adam steps of ours against the prototype's (and PyTorch's), interleaved, so that whatever else the
# machine does meets all of them.
#
#   bench/step/run.sh PROTOTYPE_DIR [PYTHON]
#
# PROTOTYPE_DIR holds the prototype's Cargo.toml, src and pytorch_peer.py; where the processor lacks AVX-512 its
# mm.rs is replaced by mm_avx2.rs. PYTHON is an interpreter with torch. PAIRS (9) and SECONDS_EACH (2) may be set.
set -euo pipefail
cd "$(dirname "$0")/../.."
prototype=${1:?usage: run.sh PROTOTYPE_DIR [PYTHON]}
python=${2:-}
pairs=${PAIRS:-9}
seconds=${SECONDS_EACH:-2}
shapes=("1 8 1" "1 16 1" "2 32 2" "2 64 4" "4 128 4" "4 256 4")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
cp "$prototype/Cargo.toml" "$work/"
cp "$prototype"/src/* "$work/src/"
chmod -R u+w "$work"
if ! grep -q avx512f /proc/cpuinfo; then
    cp bench/step/mm_avx2.rs "$work/src/mm.rs"
fi
(cd "$work" && CARGO_TARGET_DIR="$work/target" RUSTFLAGS="-C target-cpu=native" cargo build --release --quiet 2>/dev/null)
cargo build --release --quiet --package scalelaw-train --example step_speed
target=${CARGO_TARGET_DIR:-target}
theirs=$work/target/release/step-prototype
ours=$target/release/examples/step_speed

# The field after a word of the program's line.
field() { grep -o "$1 [0-9.]*" | head -1 | cut -d' ' -f2; }
median() { sort -g | awk '{x[NR]=$1} END {print x[int((NR+1)/2)]}'; }

printf '%-8s %12s %12s %12s   %s\n' shape ours prototype torch "median of paired ratios (min..max); share of the best GEMM"
for shape in "${shapes[@]}"; do
    read -r layers d heads <<<"$shape"
    # The prototype's README: one sequence a chunk is best for it at d 32, four at d 256.
    chunk=1
    if [ "$d" -ge 256 ]; then chunk=4; fi
    : >"$work/ours" && : >"$work/theirs" && : >"$work/torch" && : >"$work/share"
    for _ in $(seq "$pairs"); do
        line=$("$ours" "$layers" "$d" "$heads" 1024 "$seconds")
        field med_ms <<<"$line" >>"$work/ours"
        grep -o '= [0-9]*%' <<<"$line" | tr -d '= %' >>"$work/share"
        "$theirs" "$layers" "$d" "$heads" 1024 "$seconds" 1 "$chunk" | field med_ms >>"$work/theirs"
        if [ -n "$python" ]; then
            NT=1 "$python" "$prototype/pytorch_peer.py" "$layers" "$d" "$heads" 1024 "$seconds" eager |
                field med_ms >>"$work/torch"
        else
            echo 0 >>"$work/torch"
        fi
    done
    rate() { awk -v ms="$(median <"$1")" 'BEGIN {if (ms > 0) printf "%.0f", 4096000 / ms; else printf "-"}'; }
    ratios() {
        paste "$work/ours" "$1" | awk '$2 > 0 {print $2 / $1}' | sort -g |
            awk '{x[NR]=$1} END {if (NR) printf "%.2f (%.2f..%.2f)", x[int((NR+1)/2)], x[1], x[NR]; else printf "-"}'
    }
    printf '%-8s %12s %12s %12s   prototype %s  torch %s  share %s%%\n' "($layers,$d)" \
        "$(rate "$work/ours")" "$(rate "$work/theirs")" "$(rate "$work/torch")" \
        "$(ratios "$work/theirs")" "$(ratios "$work/torch")" "$(median <"$work/share")"
done
