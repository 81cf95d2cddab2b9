# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0
#
# Tests of mkctl trace on a recorded trace, whole, damaged and changed. To be
# sourced by run.

# trace_file: the recorded trace as $work/t.dat, to be changed
trace_file()
{
	xz -dc "$here/trace/unmap.dat.xz" > "$work/t.dat"
}

trace_golden()
{
	trace_file
	gives 0 '' "$mkctl" trace --input "$work/t.dat" --format "$1" || return 1
	diff -u "$here/trace/unmap.$1" "$work/out"
}

# JSON says what the lines of the CSV say.
trace_json()
{
	trace_file
	gives 0 '' "$mkctl" trace --input "$work/t.dat" --format json || return 1
	python3 - "$work/out" "$here/trace/unmap.csv" <<-'END'
	import csv, json, sys
	said = json.load(open(sys.argv[1]))
	rows = list(csv.DictReader(open(sys.argv[2])))
	assert sum(o["operations"] for o in said["operations"]) == len(rows)
	for o in said["operations"]:
	    mine = [r for r in rows if r["path"] == o["path"] and int(r["targets"]) == o["targets"]]
	    assert len(mine) == o["operations"], o
	    for name in "messages", "ipis", "interrupted":
	        assert abs(sum(int(r[name]) for r in mine) / len(mine) - o[name]) < 1e-9, (o, name)
	assert said["checks"] and all(c["agrees"] for c in said["checks"])
	END
}

# Both ends of each message, counted by trace-cmd, which does not pair.
trace_against_report()
{
	local sent received
	trace_file
	sent=$(trace-cmd report -i "$work/t.dat" 2> /dev/null | grep -c ' mk_send:')
	received=$(trace-cmd report -i "$work/t.dat" 2> /dev/null | grep -c ' mk_receive:')
	echo "trace-cmd: $sent sent, $received received"
	[ "$sent" -gt 0 ] || return 1
	gives 0 '' "$mkctl" trace --input "$work/t.dat" || return 1
	grep -q "^messages: $sent sent, $received received, $sent pairs$" "$work/out"
}

# swap OLD NEW: in the file, of one length so that all stays in its place
swap()
{
	[ "${#1}" = "${#2}" ] || return 1
	grep -aqF -- "$1" "$work/t.dat" || return 1
	LC_ALL=C sed -i "s|$1|$2|" "$work/t.dat"
}

# Counters that say something else are noticed.
trace_disagrees()
{
	trace_file
	swap 'shootdown/unicast/operations 48' 'shootdown/unicast/operations 49' || return 1
	gives 1 '' "$mkctl" trace --input "$work/t.dat" || return 1
	grep -q '77 agree, 1 do not' "$work/out" &&
		grep -q 'shootdown/unicast/operations: 48 in the trace, 49 there' "$work/out"
}

trace_lost()
{
	trace_file
	swap 'mkctl: lost 0' 'mkctl: lost 7' || return 1
	gives 1 '' "$mkctl" trace --input "$work/t.dat" || return 1
	grep -q '^events were lost: 7, ' "$work/out"
}

# missing COUNT: a page of the kernel's says that so many events are missing before it;
# - as many as it has no room for
missing()
{
	python3 - "$work/t.dat" "$1" <<-'END'
	import struct, sys
	data = bytearray(open(sys.argv[1], "rb").read())
	PAGE, HEAD, MISSED, STORED = 4096, 16, 1 << 31, 1 << 30
	for at in range(len(data) // PAGE * PAGE - PAGE, 0, -PAGE):
	    time, commit = struct.unpack_from("<QQ", data, at)
	    # full pages, whose first event is one, and not a step of the clock
	    if time and 3000 < commit < PAGE - HEAD - 8 and data[at + HEAD] & 31 < 29:
	        break
	else:
	    sys.exit("no page of events")
	if sys.argv[2] != "-":
	    struct.pack_into("<Q", data, at + HEAD + commit, int(sys.argv[2]))
	    commit |= STORED
	struct.pack_into("<Q", data, at + 8, commit | MISSED)
	open(sys.argv[1], "wb").write(data)
	END
}

# The file itself tells of them, in a page of the kernel's, whatever the note says.
trace_gaps()
{
	trace_file
	missing 41 || return 1
	gives 1 '' "$mkctl" trace --input "$work/t.dat" || return 1
	grep -q '^events were lost: 41, ' "$work/out" || return 1
	gives 1 '' "$mkctl" trace --input "$work/t.dat" --format json || return 1
	python3 -c 'import json, sys
said = json.load(open(sys.argv[1]))
assert (said["lost"], said["gaps"]) == (41, 1), said' "$work/out" || return 1
	# The larger of both.
	swap 'mkctl: lost 0' 'mkctl: lost 7' || return 1
	gives 1 '' "$mkctl" trace --input "$work/t.dat" || return 1
	grep -q '^events were lost: 41, ' "$work/out" || return 1
	trace_file
	missing - || return 1
	gives 1 '' "$mkctl" trace --input "$work/t.dat" || return 1
	grep -q '^events were lost: nobody knows how many, ' "$work/out"
}

trace_empty()
{
	: > "$work/e.dat"
	gives 1 'it is empty; record it again' "$mkctl" trace --input "$work/e.dat"
}

trace_foreign()
{
	gives 1 'it is no trace of trace-cmd' "$mkctl" trace --input "$here/trace/unmap.csv" &&
		gives 1 'it is not a file' "$mkctl" trace --input "$work" &&
		gives 1 'No such file' "$mkctl" trace --input "$work/none"
}

# At any length: an error, and no crash. The header is dense, the rest sparse.
trace_cut()
{
	local size
	for size in 1 9 20 200 5000 40000 400000 5000000; do
		trace_file
		truncate -s "$size" "$work/t.dat"
		gives 1 'cannot read .*; record it again|has no events' \
			"$mkctl" trace --input "$work/t.dat" || return 1
	done
}

# Bytes turned over: a message of one line, or a result; nothing else.
trace_hostile()
{
	local seed status
	for seed in $(seq 24); do
		trace_file
		python3 - "$work/t.dat" "$seed" <<-'END'
		import random, sys
		random.seed(int(sys.argv[2]))
		data = bytearray(open(sys.argv[1], "rb").read())
		places = [i for i in range(0, len(data), 16) if data[i:i + 16].strip(b"\n\0")]
		for i in range(int(sys.argv[2])):
		    data[random.choice(places) + random.randrange(16)] = random.randrange(256)
		open(sys.argv[1], "wb").write(data)
		END
		timeout 60 "$mkctl" trace --input "$work/t.dat" > "$work/out" 2> "$work/err"
		status=$?
		echo "seed $seed: exit status $status, $(wc -l < "$work/err") lines"
		[ "$status" -le 1 ] && [ "$(wc -l < "$work/err")" -le 1 ] || return 1
	done
}

trace_wrong_arguments()
{
	gives 2 'give one of' "$mkctl" trace &&
		gives 2 'give one of' "$mkctl" trace unmap --input x &&
		gives 2 'one experiment at a time' "$mkctl" trace unmap storm &&
		gives 2 'duration goes with --pid' "$mkctl" trace --duration 1 unmap &&
		gives 2 'not the number of a process' "$mkctl" trace --pid many &&
		gives 2 'takes a number' "$mkctl" trace --buffer 0 unmap &&
		gives 2 'no format' "$mkctl" trace --format svg unmap &&
		gives 2 "no experiment 'none'" "$mkctl" --tree "$tree" trace none &&
		gives 3 'is not the module' "$mkctl" --tree "$work/none" trace unmap
}

traces()
{
	that 'trace: as recorded' trace_golden text
	that 'trace: each operation as CSV' trace_golden csv
	that 'trace: JSON has the same' trace_json
	that 'trace: counts as trace-cmd does' trace_against_report
	that 'trace: a counter that disagrees is named' trace_disagrees
	that 'trace: lost events are named' trace_lost
	that 'trace: events missing in the file are counted' trace_gaps
	that 'trace: an empty file' trace_empty
	that 'trace: what is no trace' trace_foreign
	that 'trace: a file cut short' trace_cut
	that 'trace: a damaged file' trace_hostile
	tree
	that 'trace: wrong arguments' trace_wrong_arguments
}
