#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# installed.sh DIR: install the library below DIR, build the examples against what
# was installed, as a user would, and see that they and mkpager say what is missing
# where the module is.
# Everything is called by try.
# shellcheck disable=SC2317
set -u
# shellcheck source=selftests/installed.sh
. ../selftests/installed.sh

# What is built already is not built again, but for what has the prefix in it.
install_it()
{
	cp "$out/libpager.pc" "$out/libpager.pc.kept"
	rm "$out/libpager.pc"
	make -s "OUT=$out" "PREFIX=$root" install
	status=$?
	mv "$out/libpager.pc.kept" "$out/libpager.pc"
	return "$status"
}

# gives STATUS TEXT COMMAND...: that status, and that on stderr
gives()
{
	want=$1
	text=$2
	shift 2
	said=$("$@" 2>&1 > /dev/null)
	status=$?
	echo "$status: $said"
	[ "$status" = "$want" ] && echo "$said" | grep -q "$text"
}

misuse()
{
	mkpager=$root/bin/mkpager
	gives 2 "neither COMMAND" "$mkpager" &&
		gives 2 "no number from 1 to 4096" "$mkpager" -n 4097 true &&
		gives 2 "there is no best" "$mkpager" -p best true &&
		gives 2 "there is no luck" "$mkpager" -s luck true &&
		gives 2 "no list of nodes" "$mkpager" -N 1-0 true &&
		gives 2 "no list of nodes" "$mkpager" -N 64 true &&
		gives 2 "global only" "$mkpager" --plain -p migrate true &&
		gives 1 "Invalid argument" "$mkpager" -c /dev/null true &&
		gives 1 "No such file" "$mkpager" -c /none true
}

# Where there is a module, that is the guests' business.
without_module()
{
	[ ! -e /dev/multikernel ] || return 0
	gives 1 "No such file" "$root/bin/mkpager" true &&
		gives 1 "No such file" "$root/first" 10 &&
		gives 2 "No such file" "$root/replicated"
}

pages()
{
	page pager 3 && page mkpager 1
}

plan 7
try "make install" install_it
try "first builds against it" compile first libpager
try "replicated builds against it" compile replicated libpager
try "what pager.h declares is exported, and nothing else" exported \
	libpager PAGER_1 pager_ pager.h
try "mkpager refuses what cannot be" misuse
try "without the module" without_module
try "manual pages" pages
exit $failed
