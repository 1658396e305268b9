#!/usr/bin/env bash
# Crashes a whole broker while librdkafka produces to it, and looks from outside for what was acknowledged.
#
# usage: tests/crash/broker/run.sh [KILLS] [TERMS] [SEED]
# Needs root and loop devices (for the full disk), mkfs.ext4 and strace (for the failed sync); it fails where one is
# missing, and never skips.
source "$(dirname "${BASH_SOURCE[0]}")/../../conformance/clients/library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"

kills=${1:-100} terms=${2:-10}
seed=${3:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
CRASH_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [[ ${CRASH_HAS_OWN_MOUNTS:-} != yes ]]; then
    [[ $(id -u) == 0 && -e /dev/loop-control ]] || { echo "a full disk needs root and loop devices" >&2; exit 2; }
    # A private space of mounts: whatever happens, nothing stays mounted.
    exec env CRASH_HAS_OWN_MOUNTS=yes unshare --mount --propagation private bash "$0" "$kills" "$terms" "$seed"
fi
need mkfs.ext4 mount
command -v strace >/dev/null || {
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y strace >/dev/null 2>&1 || {
        apt-get update -qq >/dev/null
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y strace >/dev/null
    }
}
prepare_broker
python=$(python_driver confluent-kafka)
PYTHONPATH="$CONFORMANCE_FOLDER:$CLIENTS_FOLDER/library:$CRASH_FOLDER" "${python%% *}" -B "$CRASH_FOLDER/crash.py" \
    "$WORK_FOLDER" "$kills" "$terms" "$seed"
