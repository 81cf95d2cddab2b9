# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# A library as a user finds it: installed below a folder, with programs that are
# built against what is there. To be sourced by a script that was given the folder,
# and that ends with: exit $failed.
# Everything is called by try.
# shellcheck disable=SC2034,SC2317

out=$(cd "$1" && pwd)
root=$out/installed
export PKG_CONFIG_PATH="$root/lib/pkgconfig"
export LD_LIBRARY_PATH="$root/lib"
about=installed
# shellcheck source=selftests/try.sh
. ../selftests/try.sh

# compile EXAMPLE LIBRARY
compile()
{
	# shellcheck disable=SC2046 # words are meant to be split
	${CC:-cc} -D_GNU_SOURCE -Wall -Werror -pthread -o "$root/$1" \
		"examples/$1.c" $(pkg-config --cflags --libs "$2")
}

# exported LIBRARY VERSION PREFIX HEADER: exactly what the header declares, in its
# version
exported()
{
	nm -D --defined-only --with-symbol-versions "$root/lib/$1.so" |
		sed -n "s/.* T \(.*\)@@$2\$/\1/p" | sort > "$root/exported"
	grep -o "^[a-z].*\b$3[a-z_]*(" "$4" | grep -o "$3[a-z_]*(" |
		tr -d '(' | sort > "$root/declared"
	diff "$root/declared" "$root/exported" && [ -s "$root/exported" ]
}

# page NAME SECTION
page()
{
	grep -q '^\.TH' "$root/share/man/man$2/$1.$2"
}

# plan TESTS: nothing is left of an earlier time
plan()
{
	echo "TAP version 13"
	echo "1..$1"
	rm -rf "$root"
}
