#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# bench.sh PROGRAM DIR: run the bench and leave ring.csv, ring.txt, ring.svg in
# DIR. QUICK=1 takes seconds instead of a minute, SECONDS_TO_RUN any time.
set -eu

program=$1
dir=$2
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$dir"

if [ -n "${QUICK-}" ]; then
	default=12
else
	default=75
fi

{
	echo "On $(uname -srm), $(nproc) CPUs," \
	     "$(sed -n 's/^model name[^:]*: //p;T;q' /proc/cpuinfo)$(
		grep -q '^flags.* hypervisor' /proc/cpuinfo && echo ', virtual')."
	"$program" "$dir/ring.csv" "${SECONDS_TO_RUN:-$default}"
} | tee "$dir/ring.txt"

if command -v gnuplot > /dev/null; then
	sh "$here/plot.sh" "$dir/ring.csv" "$dir/ring.svg"
	echo "Plot: $dir/ring.svg"
else
	echo "No gnuplot: no plot."
fi
