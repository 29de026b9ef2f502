# Functions shared by the scripts. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }
die() {
    say "error: $*"
    exit 1
}

is_root() { [ "$(id -u)" = 0 ]; }

# Installs Debian packages when that is possible here; says nothing and fails when it is not.
apt_install() {
    is_root && command -v apt-get >/dev/null || return 1
    say "installing $* with apt-get"
    apt-get update -qq >&2 || say "apt-get update failed, trying with the lists that are there"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# Sets `as` to what a program is started with that refuses to run as root, as PostgreSQL does; empty for everybody else.
leave_root() {
    as=()
    is_root || return 0
    if command -v setpriv >/dev/null; then
        as=(setpriv --reuid=nobody --regid="$(id -gn nobody)" --clear-groups --)
    elif command -v runuser >/dev/null; then
        as=(runuser -u nobody --)
    else
        die "neither setpriv nor runuser is here to leave root with. On Debian: apt-get install util-linux"
    fi
}

# Succeeds when /dev/shm is memory with room for 4 GB, from where a program can be started. A file there costs no disk and no journal.
memory_has_room() {
    local free probe=/dev/shm/isp-probe.$$ status=0
    free=$(df --output=avail /dev/shm 2>/dev/null | tail -n 1) && [ "${free:-0}" -ge 4000000 ] || return 1
    { printf '#!/bin/sh\n' >"$probe" && chmod +x "$probe" && "$probe"; } 2>/dev/null || status=1
    rm -f "$probe"
    return "$status"
}
