#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# installed.sh DIR: install the library below DIR, build the examples against
# what was installed, as a user would, and run them.
# Everything is called by try.
# shellcheck disable=SC2317
set -u
# shellcheck source=selftests/installed.sh
. ../selftests/installed.sh

install_it()
{
	make -s -B "OUT=$out/install-build" "PREFIX=$root" install
}

soname()
{
	readelf -d "$root/echo" | grep -q 'NEEDED.*\[liburpc\.so\.1\]'
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

plan 8
try "make install" install_it
try "echo builds against it" compile echo liburpc
try "producer builds against it" compile producer liburpc
try "the soname is recorded" soname
try "what urpc.h declares is exported, and nothing else" exported \
	liburpc URPC_1 urpc_ urpc.h
try "producer" producer
try "echo server and client" echoes
try "manual page" page urpc 3
exit $failed
