#!/usr/bin/env bash
# Builds each thing that is shipped, and tries it as whoever gets it would: it starts, takes a record, gives it back, and
# ends when it is told to.
#
# usage: tools/packaging/check.sh [unit | static | root | container | debian]…, all of them if nothing is said
# STATIC and RELEASE may name binaries that are built already: one for musl, and the one for the package.
#
# Needs root, rustup, and what is installed by name: musl-tools, podman, cargo-deb, kcat. Takes the time of two builds with
# optimisation, and so only the unit is looked at in continuous integration.
set -euo pipefail
PACKAGING_FOLDER=$(cd "$(dirname "$0")" && pwd)
cd "$PACKAGING_FOLDER/../.."
WORK_FOLDER=$(mktemp -d)
BROKER_PID=
finish() {
    [[ -z $BROKER_PID ]] || kill -KILL "$BROKER_PID" 2>/dev/null || true
    rm -rf "$WORK_FOLDER"
}
trap finish EXIT

TARGET=x86_64-unknown-linux-musl
BYTES_MAX=$((15 << 20))
PORT=19092
HTTP=19644

fail() {
    echo "packaging: $*" >&2
    exit 1
}

installed() {
    local package
    for package in "$@"; do
        dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" >"$WORK_FOLDER/apt.log" 2>&1 \
            || { cat "$WORK_FOLDER/apt.log" >&2; fail "$package cannot be installed"; }
    done
}

small_enough() {
    local bytes
    bytes=$(stat --format=%s "$1")
    ((bytes <= BYTES_MAX)) || fail "$1 has $bytes bytes"
    echo "  $(numfmt --to=iec "$bytes") of at most $(numfmt --to=iec "$BYTES_MAX")"
}

# tried WORDS…: starts a broker by these words, which has to listen at PORT and HTTP, and uses it.
tried() {
    "$@" >"$WORK_FOLDER/broker.log" 2>&1 &
    BROKER_PID=$!
    local waited=0 came
    until curl --silent --fail --output /dev/null "http://127.0.0.1:$HTTP/readyz"; do
        kill -0 "$BROKER_PID" 2>/dev/null || { cat "$WORK_FOLDER/broker.log" >&2; fail "it does not start: $*"; }
        ((waited++ < 200)) || { cat "$WORK_FOLDER/broker.log" >&2; fail "it is not ready after 20 s: $*"; }
        sleep 0.1
    done
    echo "what was packed" | kcat -q -b "127.0.0.1:$PORT" -t packed -P
    came=$(kcat -q -b "127.0.0.1:$PORT" -t packed -C -e)
    [[ $came == "what was packed" ]] || fail "it gave back: $came"
    kill -TERM "$BROKER_PID"
    wait "$BROKER_PID" || fail "it ended with $?"
    BROKER_PID=
}

# built_static: prints the path of the static binary, without what only debuggers read.
built_static() {
    local built=${STATIC:-target/$TARGET/release/strandline}
    if [[ -z ${STATIC:-} ]]; then
        rustup target add "$TARGET" >/dev/null 2>&1 || fail "rustup has no $TARGET"
        installed musl-tools
        cargo build --quiet --locked --release --package strandline --target "$TARGET" || fail "it cannot be built"
    fi
    strip -o "$WORK_FOLDER/strandline" "$built" || fail "$built is no binary"
    echo "$WORK_FOLDER/strandline"
}

check_static() {
    local binary
    binary=$(built_static)
    echo "static:"
    # What needs nothing has no loader named in it.
    if readelf --program-headers "$binary" | grep -q INTERP; then fail "it needs libraries"; fi
    small_enough "$binary"
    tried "$binary" serve --data-dir "$WORK_FOLDER/static" --listen "127.0.0.1:$PORT" --http "127.0.0.1:$HTTP"
    echo "  starts, takes a record and gives it back"
}

# container_words: the environment of the container file, with ports of its own beside others on this machine.
container_words() {
    local words
    words=$(sed -n '/^ENV /,/[^\\]$/p' "$PACKAGING_FOLDER/Containerfile" | sed 's/^ENV //; s/\\$//' | tr -s ' \n' ' ')
    words="${words//9092/$PORT}"
    echo "${words//9644/$HTTP}STRANDLINE_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:$PORT"
}

# The last stage of the container file by hand: its files, its user and its environment in an otherwise empty root.
check_root() {
    local root="$WORK_FOLDER/root" binary words user
    binary=$(built_static)
    user=$(sed -n 's/^USER //p' "$PACKAGING_FOLDER/Containerfile")
    mkdir -p "$root"
    install -D "$binary" "$root/strandline"
    install -d -o "${user%:*}" -g "${user#*:}" "$root/data"
    words=$(container_words)
    echo "root, the container's last stage by hand: as $user, with $words"
    # shellcheck disable=SC2086
    tried env --ignore-environment $words "$(command -v chroot)" "--userspec=$user" "$root" /strandline serve
    [[ -z $(find "$root" -mindepth 1 -maxdepth 1 ! -name data ! -name strandline) ]] || fail "it left something in its root"
    echo "  starts without root and with nothing beside it, takes a record and gives it back"
}

# The last stage of the container file by an engine, out of what the first one would have built: its base comes from a
# registry of images, which need not be within reach.
check_container() {
    local context="$WORK_FOLDER/context" image=localhost/strandline-check word podman=() words=()
    installed podman crun
    install -D "$(built_static)" "$context/source/target/release/strandline"
    mkdir -p "$context/data" "$WORK_FOLDER/empty"
    sed -n '/^FROM scratch/,$p' "$PACKAGING_FOLDER/Containerfile" >"$WORK_FOLDER/Containerfile"
    # Nothing of it stays on this machine.
    podman=(podman --root "$WORK_FOLDER/images" --runroot "$WORK_FOLDER/run" --storage-driver vfs --runtime crun
        --cgroup-manager cgroupfs --events-backend none)
    # Where both kinds of control groups are mounted, crun takes neither: here it sees one kind, and uses none.
    if mountpoint --quiet /sys/fs/cgroup/unified; then
        # shellcheck disable=SC2016
        podman=(unshare --mount sh -c 'umount /sys/fs/cgroup/unified && exec "$@"' sh "${podman[@]}")
    fi
    "${podman[@]}" build --quiet --isolation chroot --build-context "build=$context" --tag "$image" \
        --file "$WORK_FOLDER/Containerfile" "$WORK_FOLDER/empty" >"$WORK_FOLDER/podman.log" 2>&1 \
        || { cat "$WORK_FOLDER/podman.log" >&2; fail "the image cannot be built"; }
    for word in $(container_words); do words+=(--env "$word"); done
    # Podman would ask for as much as there is, which not every root may give.
    words+=(--ulimit nofile=4096:4096 --ulimit nproc=1000:1000)
    echo "container: an image of $("${podman[@]}" image inspect --format '{{.Size}}' "$image" | numfmt --to=iec), read-only and without capabilities"
    tried "${podman[@]}" run --rm --read-only --cap-drop ALL --security-opt no-new-privileges --network host --cgroups disabled \
        "${words[@]}" "$image"
    echo "  starts, takes a record and gives it back"
}

check_unit() {
    local unit="$WORK_FOLDER/strandline.service" exposure
    installed systemd
    # Whether the binary is there is not what is asked here.
    sed 's|^ExecStart=/usr/bin/strandline|ExecStart=/bin/true|' "$PACKAGING_FOLDER/strandline.service" >"$unit"
    systemd-analyze verify "$unit" 2>"$WORK_FOLDER/verify.log" || { cat "$WORK_FOLDER/verify.log" >&2; fail "the unit is refused"; }
    if grep "$unit" "$WORK_FOLDER/verify.log" | grep .; then fail "the unit is complained of"; fi
    exposure=$(systemd-analyze security --no-pager --offline=true "$unit" | sed -n 's/.*Overall exposure level.*: \([0-9.]*\).*/\1/p')
    [[ -n $exposure ]] || fail "systemd-analyze says no exposure"
    echo "unit: verified; exposure $exposure of 10"
    awk -v found="$exposure" 'BEGIN { exit !(found <= 2.0) }' || fail "the unit may do more than it has to"
}

check_debian() {
    local package tools="target/packaging"
    command -v cargo-deb >/dev/null || [[ -x $tools/bin/cargo-deb ]] || cargo install --quiet --locked cargo-deb --root "$tools"
    [[ -z ${RELEASE:-} || $RELEASE -ef target/release/strandline ]] || install -D "$RELEASE" target/release/strandline
    PATH="$PWD/$tools/bin:$PATH" cargo deb --quiet --locked ${RELEASE:+--no-build} --package strandline --output "$WORK_FOLDER/" \
        || fail "the package cannot be built"
    package=$(echo "$WORK_FOLDER"/strandline_*.deb)
    echo "debian: $(basename "$package"), which is installed and removed"
    small_enough "$package"
    if dpkg-query --show strandline >/dev/null 2>&1; then fail "a strandline is installed on this machine"; fi
    DEBIAN_FRONTEND=noninteractive dpkg --install "$package" >"$WORK_FOLDER/dpkg.log" 2>&1 || { cat "$WORK_FOLDER/dpkg.log" >&2; fail "it cannot be installed"; }
    dpkg --listfiles strandline >"$WORK_FOLDER/files"
    for file in /usr/bin/strandline /etc/strandline/strandline.toml lib/systemd/system/strandline.service; do
        grep -q "$file" "$WORK_FOLDER/files" || fail "$file is not in the package"
    done
    strandline config show --config /etc/strandline/strandline.toml >/dev/null || fail "its configuration is refused"
    (cd "$WORK_FOLDER" && tried strandline dev --listen "127.0.0.1:$PORT" --http "127.0.0.1:$HTTP")
    dpkg --purge strandline >"$WORK_FOLDER/dpkg.log" 2>&1 || { cat "$WORK_FOLDER/dpkg.log" >&2; fail "it cannot be removed"; }
    while read -r file; do
        [[ ! -f $file ]] || fail "$file is left when it is removed"
    done <"$WORK_FOLDER/files"
    echo "  strandline dev starts, takes a record and gives it back; nothing is left when it is purged"
}

# The unit needs nothing that is not there with systemd.
[[ "$*" == unit ]] || installed kcat curl binutils
[[ $# -gt 0 ]] || set -- unit static root container debian
for part in "$@"; do
    case $part in
    unit | static | root | container | debian) "check_$part" ;;
    *) fail "there is no $part" ;;
    esac
done
