#!/bin/sh
# Install what is missing, and nothing when nothing is.
#
#	tests/deps.sh build	what building needs
#	tests/deps.sh test	that, and what only the tests need
#
# Debian's packages by apt-get (with sudo only when we are not root), npm's
# packages into tests/integration/node_modules.  What will be installed is said
# before it is.
set -eu
cd "$(dirname "$0")/.."

BUILD='libwebsockets-dev libwebsockets-evlib-ev libev-dev libcjson-dev
	libjwt-dev libpcre2-dev libssl-dev pkg-config gcc libc6-dev make gzip'
TEST='libcmocka-dev clang g++ libclang-rt-14-dev clang-format valgrind python3
	python3-websockets chromium openssl curl procps shellcheck
	libpq-dev postgresql libhiredis-dev redis-server redis-tools iproute2
	libtest-json-schema-acceptance-perl systemd supervisor tini'

say() {
	echo "deps: $*"
}

# The packages among those given that are not installed, on one line.
missing() {
	for package in "$@"; do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" \
		    2>/dev/null) || status=none
		[ "$status" = installed ] || printf '%s ' "$package"
	done
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -q --no-install-recommends "$@"
}

# Old package lists are refreshed only when they do not do.
install_debian() {
	fresh=no
	if ! apt-get install -s -q --no-install-recommends "$@" \
	    >/dev/null 2>&1; then
		say "refreshing the package lists (apt-get update)"
		as_root apt-get update -q
		fresh=yes
	fi
	if ! apt_install "$@"; then
		[ "$fresh" = no ] || return 1
		say "refreshing the package lists (apt-get update)"
		as_root apt-get update -q
		apt_install "$@"
	fi
}

# Tests against clients of others; the lock file says which.
install_npm() {
	dir=tests/integration
	stamp=$dir/node_modules/.package-lock.json
	[ -f $dir/package-lock.json ] || return 0
	if [ -n "$(find $stamp -newer $dir/package-lock.json 2>/dev/null)" ]
	then
		return 0
	fi
	say "installing from npm into $dir/node_modules:" \
	    "$(sed -n 's/^    "node_modules\/\(.*\)": {$/\1/p' \
		$dir/package-lock.json | tr '\n' ' ')"
	(cd $dir && npm ci --no-audit --no-fund --ignore-scripts)
	touch $stamp
}

case ${1-} in
build)
	wanted=$BUILD
	;;
test)
	wanted="$BUILD $TEST"
	command -v node >/dev/null || wanted="$wanted nodejs"
	command -v npm >/dev/null || wanted="$wanted npm"
	;;
*)
	echo "usage: tests/deps.sh build|test" >&2
	exit 2
	;;
esac

if command -v dpkg-query >/dev/null; then
	# shellcheck disable=SC2086 # the words are package names
	lacking=$(missing $wanted)
	if [ -n "$lacking" ]; then
		say "installing from Debian: $lacking"
		# shellcheck disable=SC2086
		install_debian $lacking
	fi
else
	say "this is not Debian; its names of what is needed: $wanted"
fi
[ "$1" = build ] || install_npm
