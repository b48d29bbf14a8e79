#!/bin/sh
# tests/fresh/chroot.sh - SPDX-License-Identifier: MIT
#
# The README's two commands on a machine that has nothing: a new Debian in a folder, a clone of this
# repository, and what share/bootstrap installs. Needs root, debootstrap and git; takes minutes and
# about 1 GB, and is therefore no part of the suite.
#
#   tests/fresh/chroot.sh [-k] [-u] [FOLDER]
#
#   -k      keeps the folder
#   -u      as a user with sudo instead of root
#   FOLDER  must not exist (default: a new one in $TMPDIR)
#
# Suite, mirror, keys and apt settings are the host's own; passwords (auth.conf) are not copied.
# Everything is mounted in a mount namespace that ends with this script, so nothing stays behind.
set -eu

# exec keeps the number of the process, which tells the second round from the first.
if [ "${ADIT_FRESH_NAMESPACE:-}" != "$$" ]; then
    exec env ADIT_FRESH_NAMESPACE="$$" unshare --mount --propagation private "$0" "$@"
fi

src=$(cd "$(dirname "$0")/../.." && pwd)
keep=false
user=root
while getopts ku option; do
    case $option in
    k) keep=true ;;
    u) user=newcomer ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))

say()
{
    printf 'fresh: %s\n' "$*"
}

# timed TEXT COMMAND...
timed()
{
    text=$1
    shift
    began=$(date +%s)
    status=0
    "$@" || status=$?
    say "$text: $(($(date +%s) - began)) s, exit code $status"
    return $status
}

# logged COMMAND...: its output only if it fails
logged()
{
    "$@" >"$log" 2>&1 || { tail -n 20 "$log"; return 1; }
}

# The mirror apt takes suite $1 from.
find_mirror()
{
    apt-get indextargets --format '$(REPO_URI) $(RELEASE)' "Identifier: Packages" |
        awk -v suite="$1" '$2 == suite { print $1; exit }'
}

# copy PATH...: what exists of the host's files, to the same place
copy()
{
    for path; do
        [ -e "$path" ] || continue
        mkdir -p "$fresh${path%/*}"
        cp -RL "$path" "$fresh${path%/*}/"
    done
}

# inside COMMAND: a shell command in the clone, as the user, with none of the host's environment but
# its proxies
inside()
{
    chroot "$fresh" env -i HOME="$home" LANG=C.UTF-8 TERM=dumb USER="$user" \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        ${no_proxy:+no_proxy="$no_proxy"} \
        setpriv --reuid="$user" --regid="$user" --init-groups sh -c "cd $home/adit && $1"
}

clean_up()
{
    rm -f "$log"
    umount -R "$fresh/dev" "$fresh/proc" 2>/dev/null || true
    if [ "$keep" = true ]; then
        say "kept: $fresh"
    elif ! grep -q " $fresh/" /proc/self/mounts; then
        rm -rf --one-file-system "$fresh"
    fi
}

suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(find_mirror "$suite")
if [ -z "$mirror" ]; then
    say "no mirror of $suite in apt's sources"
    exit 1
fi
if [ $# -gt 0 ]; then
    mkdir "$1"
    fresh=$(cd "$1" && pwd -P)
else
    fresh=$(mktemp -d)
fi
log=$(mktemp)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

timed "debootstrap of $suite" logged debootstrap --variant=minbase "$suite" "$fresh" "$mirror"
rm -f "$fresh/etc/apt/sources.list"
copy /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf /etc/apt/apt.conf.d \
    /etc/apt/preferences.d /etc/apt/trusted.gpg /etc/apt/trusted.gpg.d /etc/apt/keyrings \
    /usr/share/keyrings /usr/local/share/ca-certificates /etc/ssl/certs /etc/resolv.conf /etc/hosts
mount -t proc proc "$fresh/proc"
mount --rbind /dev "$fresh/dev"
home=/root
if [ $user != root ]; then
    home=/home/$user
    logged chroot "$fresh" sh -c "apt-get update &&
        apt-get install -y --no-install-recommends sudo && useradd --create-home $user &&
        echo '$user ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/$user"
fi
git -c advice.detachedHead=false clone --quiet --no-hardlinks "$src" "$fresh$home/adit"
chroot "$fresh" chown -R "$user:$user" "$home/adit"

say "packages before: $(chroot "$fresh" dpkg-query -W | wc -l)"
failed=0
timed 'first command' inside 'share/bootstrap run pipelines/tutorial/01-moons.yaml' || failed=1
timed 'second command' inside 'share/bootstrap test' || failed=1
say "packages after: $(chroot "$fresh" dpkg-query -W | wc -l)"
exit $failed
