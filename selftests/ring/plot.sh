#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# plot.sh CSV SVG: what bench.sh measured: round trips (median, p10 to p90), and
# messages a second by depth and by size. Medians over all rounds.
set -eu

csv=$1
svg=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# rows TEST-REGEX: test, variant, size, p10, median, p90 of every group
rows()
{
	awk -F, -v test="$1" '$1 ~ test && $11 == "ns" {
		print $1, $2, $7, $10
	}' "$csv" | sort -k1,1 -k2,2 -k3,3n -k4,4g | awk '
		function flush() {
			if (n)
				print key, v[int((n - 1) * .1) + 1],
				      v[int((n - 1) * .5) + 1],
				      v[int((n - 1) * .9) + 1]
		}
		{
			if ($1 " " $2 " " $3 != key) {
				flush()
				n = 0
				key = $1 " " $2 " " $3
			}
			v[++n] = $4
		}
		END { flush() }'
}

rows '^ring_round_trip$' | sort -k5,5g |
	awk '{ print NR, $2, $4 / 2, $5 / 2, $6 / 2 }' > "$work/trips"
rows '^ring_stream_' > "$work/streams"
for variant in ring ring_look ck_ring rte_ring rte_ring_zc raw_stream raw_stream_ahead; do
	awk -v v=$variant '$2 == v && $3 == 64 {
		sub("ring_stream_", "", $1)
		print $1, 1e3 / $6, 1e3 / $5, 1e3 / $4
	}' "$work/streams" | sort -n > "$work/depth.$variant"
	awk -v v=$variant '$2 == v && $1 == "ring_stream_63" {
		print $3, 1e3 / $6, 1e3 / $5, 1e3 / $4
	}' "$work/streams" | sort -n > "$work/size.$variant"
	# A library that is not there has no line.
	[ -s "$work/depth.$variant" ] && variants="${variants-} $variant"
done

# curves KIND: the plot clauses of all variants
curves()
{
	for variant in $variants; do
		printf "'%s' using 1:3:2:4 with yerrorlines lw 2 title '%s', " \
			"$work/$1.$variant" "$(echo "$variant" | tr _ ' ')"
	done
}

gnuplot << END
set terminal svg size 1200,420 background "white" font "sans,11"
set output "$svg"
set multiplot layout 1,3
set grid ytics
set key top left
set yrange [0:*]

set title "Round trip of 64 bytes: ns one way, median, p10 to p90"
set xtics rotate by -40
set boxwidth 0.6
set style fill solid 0.4
unset key
plot "$work/trips" using 1:4:xtic(sprintf("%s", system("echo ".strcol(2)." | tr _ ' '"))) with boxes, \
     "" using 1:4:3:5 with yerrorbars pt 0 lw 2 lc "black"

set key top left
set xtics norotate
set title "One way, 64 bytes: million messages a second"
set xlabel "messages on their way"
set logscale x 2
plot $(curves depth)

set title "One way, depth 63: million messages a second"
set xlabel "bytes"
unset logscale x
set xtics 0,128,512
plot $(curves size)
unset multiplot
END
