#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# coverage.sh DIR HEADER...: run DIR/ring_test, built with --coverage, and say
# which branches and lines of the headers it took. Fails below 100 %.
#
# Inline functions exist once in each object; what any of them took counts.
set -eu

dir=$1
shift
here=$(pwd)

cd "$dir"
rm -f ./*.gcda ./*.gcov
# The compiler noted the sources relative to where it ran.
(cd "$here" && "$dir/ring_test" > /dev/null)

echo "TAP version 13"
echo "1..$#"
n=0
failed=0
for header in "$@"; do
	n=$((n + 1))
	verdict="not ok"
	if for object in *.gcda; do
		(cd "$here" && gcov -b -c -t -o "$dir" "$dir/$object") \
			2> /dev/null
	done | awk -v header="$header" '
		# Lines look like "count:number:source", branches follow theirs.
		$0 ~ /^ *-: *0:Source:/ {
			inside = $0 ~ "/urpc/" header "$"
			next
		}
		!inside { next }
		/^branch/ {
			key = line ":" branch++
			seen[key] = 1
			if ($3 == "taken" && $4 > 0)
				taken[key] = 1
			next
		}
		/^ *[^ :]+: *[0-9]+:/ {
			split($0, part, ":")
			gsub(/[ *]/, "", part[1])
			gsub(/ /, "", part[2])
			if (line != part[2])
				branch = 0
			line = part[2]
			if (part[1] == "-")
				next
			code[line] = 1
			if (part[1] + 0 > 0)
				ran[line] = 1
		}
		END {
			for (key in seen) {
				branches++
				if (key in taken)
					hit++
				else
					print "# not taken: " header ":" key
			}
			for (l in code) {
				lines++
				if (l in ran)
					lit++
				else
					print "# not run: " header ":" l
			}
			printf "# %s: %d of %d branches, %d of %d lines\n",
				header, hit, branches, lit, lines
			exit !(branches && hit == branches && lit == lines)
		}'
	then
		verdict=ok
	else
		failed=1
	fi
	echo "$verdict $n - coverage: every branch of $header"
done
exit $failed
