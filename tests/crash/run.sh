#!/usr/bin/env bash
# Crashes the storage engine for real; README.md beside this says how and what it needs.
#
# usage: tests/crash/run.sh [KILLS] [CUTS] [FULL] [SYNCS] [SEED]
# Without a seed there is a new one each time; it is printed, and in front of whatever goes wrong.
set -euo pipefail
cd "$(dirname "$0")/../.."

kills=${1:-200} cuts=${2:-30} full=${3:-4} syncs=${4:-10}
seed=${5:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}

fail() {
    echo "crash: $*" >&2
    exit 2
}

# A private space of mounts: whatever happens, nothing stays mounted.
if [[ ${CRASH_HAS_OWN_MOUNTS:-} != yes ]]; then
    [[ $(id -u) == 0 ]] || fail "cutting the power and filling a disk need root, for a file system on a loop device"
    [[ -e /dev/loop-control ]] || fail "there are no loop devices here (/dev/loop-control), which cutting the power needs"
    command -v unshare >/dev/null || fail "unshare (util-linux) is missing"
    exec env CRASH_HAS_OWN_MOUNTS=yes unshare --mount --propagation private "$0" "$kills" "$cuts" "$full" "$syncs" "$seed"
fi

# have TOOL PACKAGE: installs a package if the tool is not there.
have() {
    command -v "$1" >/dev/null && return
    command -v apt-get >/dev/null || fail "$1 is missing (Debian's package $2)"
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$2" >/dev/null 2>&1 || {
        apt-get update -qq >/dev/null
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$2" >/dev/null
    }
    command -v "$1" >/dev/null || fail "$1 is missing, and package $2 did not bring it"
}
have mkfs.ext4 e2fsprogs
have mount mount
have strace strace

cargo build --locked --package strandline-tests --bin crash
crash=${CARGO_TARGET_DIR:-target}/debug/crash
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What went wrong can be looked at.
trap 'trap - EXIT; echo "crash: what was left of it is in $work" >&2' ERR

began=$SECONDS
mkdir "$work"/{sigkill,power,full,sync}
"$crash" sigkill "$work/sigkill" "$kills" "$seed"
"$crash" power "$work/power" "$cuts" "$seed"
"$crash" full "$work/full" "$full" "$seed"
"$crash" sync "$work/sync" "$syncs" "$seed"
echo "crash: $kills kills, $cuts power cuts, $full full disks and $syncs failed syncs in $((SECONDS - began)) s, seed $seed"
