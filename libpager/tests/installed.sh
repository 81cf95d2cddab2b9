#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# installed.sh DIR: install the library below DIR, build the examples against what
# was installed, as a user would, and see that they and mkpager say what is missing
# where the module is.
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

compile()
{
	# shellcheck disable=SC2046 # words are meant to be split
	${CC:-cc} -D_GNU_SOURCE -Wall -Werror -pthread -o "$root/$1" \
		"examples/$1.c" $(pkg-config --cflags --libs libpager)
}

# Exactly what pager.h declares, in its version.
exported()
{
	nm -D --defined-only --with-symbol-versions "$root/lib/libpager.so" |
		sed -n 's/.* T \(.*\)@@PAGER_1$/\1/p' | sort > "$root/exported"
	grep -o '^[a-z].*\bpager_[a-z_]*(' pager.h |
		grep -o 'pager_[a-z_]*(' | tr -d '(' | sort > "$root/declared"
	diff "$root/declared" "$root/exported" && [ -s "$root/exported" ]
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
	grep -q '^\.TH' "$root/share/man/man3/pager.3" &&
		grep -q '^\.TH' "$root/share/man/man1/mkpager.1"
}

echo "TAP version 13"
echo "1..7"
rm -rf "$root"
try "make install" install_it
try "first builds against it" compile first
try "replicated builds against it" compile replicated
try "what pager.h declares is exported, and nothing else" exported
try "mkpager refuses what cannot be" misuse
try "without the module" without_module
try "manual pages" pages
exit $failed
