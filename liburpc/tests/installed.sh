#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# installed.sh DIR: install the library below DIR, build the examples against
# what was installed, as a user would, and run them.
# Everything is called by try.
# shellcheck disable=SC2317
set -u

out=$(cd "$1" && pwd)
root=$out/installed
export PKG_CONFIG_PATH="$root/lib/pkgconfig"
export LD_LIBRARY_PATH="$root/lib"
n=0
failed=0

# try NAME COMMAND...
try()
{
	name=$1
	shift
	n=$((n + 1))
	if log=$("$@" 2>&1); then
		echo "ok $n - installed: $name"
	else
		printf '%s\n' "$log" | sed 's/^/# /'
		echo "not ok $n - installed: $name"
		failed=1
	fi
}

install_it()
{
	make -s -B "OUT=$out/install-build" "PREFIX=$root" install
}

compile()
{
	# shellcheck disable=SC2046 # words are meant to be split
	${CC:-cc} -D_GNU_SOURCE -Wall -Werror -o "$root/$1" "examples/$1.c" \
		$(pkg-config --cflags --libs liburpc)
}

soname()
{
	readelf -d "$root/echo" | grep -q 'NEEDED.*\[liburpc\.so\.1\]'
}

# Exactly what urpc.h declares, in its version.
exported()
{
	nm -D --defined-only --with-symbol-versions "$root/lib/liburpc.so" |
		sed -n 's/.* T \(.*\)@@URPC_1$/\1/p' | sort > "$root/exported"
	grep -o '^[a-z].*\burpc_[a-z_]*(' urpc.h |
		grep -o 'urpc_[a-z_]*(' | tr -d '(' | sort > "$root/declared"
	diff "$root/declared" "$root/exported" && [ -s "$root/exported" ]
}

producer()
{
	[ "$("$root/producer" 100000)" = 5000050000 ]
}

echoes()
{
	"$root/echo" server "$root/socket" &
	pid=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ ! -S "$root/socket" ] || break
		sleep 0.2
	done
	said=$("$root/echo" client "$root/socket" hello)
	again=$("$root/echo" client "$root/socket" "once more")
	kill "$pid"
	wait "$pid" 2> /dev/null
	[ "$said $again" = "HELLO ONCE MORE" ] &&
		! "$root/echo" client "$root/socket" hello
}

page()
{
	grep -q '^\.TH' "$root/share/man/man3/urpc.3"
}

echo "TAP version 13"
echo "1..8"
rm -rf "$root"
try "make install" install_it
try "echo builds against it" compile echo
try "producer builds against it" compile producer
try "the soname is recorded" soname
try "what urpc.h declares is exported, and nothing else" exported
try "producer" producer
try "echo server and client" echoes
try "manual page" page
exit $failed
