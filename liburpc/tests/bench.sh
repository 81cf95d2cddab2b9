#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# bench.sh PROGRAM: a short run of the bench. Each row is there, with as many
# samples as were taken and percentiles that rise; nothing is said of times.
set -u

table=$(timeout 120 "$1" -s) || { echo "not ok 1 - bench: a short run"; exit 1; }
problems=$(printf '%s\n' "$table" | awk -v cpus="$(nproc)" '
	/^control/ { control++; from = 4; want = 100 }
	/, (polled|blocking) / { rows++; from = 5; want = 100 }
	/^control|, (polled|blocking) / {
		if ($(from + 5) != want)
			print "samples: " $0
		for (i = from; i < from + 5; i++)
			if ($i !~ /^[0-9]+$/ || (i > from && $i < $(i - 1)))
				print "percentiles: " $0
		if (rows && !control && !/^eventfd/ && NF != from + 8)
			print "rates: " $0
	}
	END {
		if (rows != (cpus > 1 ? 28 : 14) || control != 1)
			print rows " rows, " control " controls"
	}')
if [ -n "$problems" ]; then
	printf '%s\n' "$problems" | sed 's/^/# /'
	echo "not ok 1 - bench: a short run"
	exit 1
fi
echo "ok 1 - bench: a short run"
