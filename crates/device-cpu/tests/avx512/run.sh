#!/usr/bin/env bash
# Runs test binaries on an emulated processor with AVX-512, under Linux in Bochs; README.md says what it needs.
#
#     run.sh BOCHS VMLINUZ COMMAND...      a command is a test binary and its arguments, quoted: 'target/debug/deps/gemm-1f2e gemm'
#
# Prints what the commands print, and fails if one of them does.
set -euo pipefail
[ $# -ge 3 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
bochs=$(type -P "$1") || { echo "$1: no such program; expected Bochs" >&2; exit 2; }
vmlinuz=$2
shift 2
for needed in busybox cpio xorriso strip; do
    type -P "$needed" >/dev/null || { echo "$needed: no such program; README.md says what is needed" >&2; exit 2; }
done
for needed in "$vmlinuz" /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 \
    /usr/share/bochs/BIOS-bochs-latest /usr/share/vgabios/vgabios.bin; do
    [ -r "$needed" ] || { echo "$needed: no such file; README.md says what is needed" >&2; exit 2; }
done
work=$(mktemp -d)
emulator=""
trap '[ -z "$emulator" ] || kill -9 "$emulator" 2>/dev/null; rm -rf "$work"' EXIT

# A file system in memory: busybox, the binaries and the libraries they ask for.
root=$work/root
mkdir -p "$root"/{bin,proc,sys,dev,tmp}
cp "$(command -v busybox)" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
commands=""
for command in "$@"; do
    read -r binary arguments <<<"$command"
    name=$(basename "$binary")
    strip -o "$root/bin/$name" "$binary"
    for library in $(ldd "$binary" | grep -o '/[^ ]*'); do
        mkdir -p "$root/$(dirname "$library")"
        cp -L "$library" "$root/$library"
    done
    commands+="echo '== $name $arguments'; $name $arguments; echo \"== ended with \$?\""$'\n'
done
cat >"$root/init" <<EOF
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1
export PATH=/bin
busybox grep -q avx512f /proc/cpuinfo && echo '== AVX-512 found'
$commands
echo '== all ended'
# Until the serial line has sent all of it.
busybox sleep 5
busybox poweroff -f
EOF
chmod +x "$root/init"

disc=$work/disc
mkdir -p "$disc/isolinux"
(cd "$root" && find . | cpio --quiet -o -H newc) >"$disc/initrd"
cp "$vmlinuz" "$disc/vmlinuz"
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$disc/isolinux/"
# Without what the emulator and this kernel disagree about: protection keys, compacted XSAVE areas, interrupt controllers.
cat >"$disc/isolinux/isolinux.cfg" <<'EOF'
DEFAULT linux
LABEL linux
  KERNEL /vmlinuz
  INITRD /initrd
  APPEND console=ttyS0,115200 quiet mitigations=off nokaslr nopti nopcid nosmap lpj=500000 tsc=reliable no_timer_check nosmp nolapic noapic acpi=off clearcpuid=pku,xsaves,xsavec noxsaves rcupdate.rcu_cpu_stall_suppress=1 nowatchdog
EOF
xorriso -as mkisofs -quiet -o "$work/disc.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat \
    -no-emul-boot -boot-load-size 4 -boot-info-table "$disc" 2>/dev/null

cat >"$work/bochsrc" <<EOF
megs: 1024
cpu: model=corei7_skylake_x, count=1, ips=100000000
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
ata0-master: type=cdrom, path=$work/disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/serial
log: $work/log
display_library: nogui
clock: sync=none
EOF
touch "$work/serial"
"$bochs" -q -f "$work/bochsrc" >"$work/out" 2>&1 </dev/null &
emulator=$!
disown
# Halted is not ended, for Bochs.
sed -u 's/\r$//; /^== all ended\|Kernel panic\|System halted/q' < <(tail -f -n +1 --pid="$emulator" "$work/serial")
grep -q '== AVX-512 found' "$work/serial" || { cat "$work/out" "$work/log" >&2; echo "no AVX-512 there" >&2; exit 1; }
[ "$(grep -c '== ended with 0' "$work/serial")" = $# ]
