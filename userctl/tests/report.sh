# shellcheck shell=bash disable=SC2154 # variables of run
# SPDX-License-Identifier: GPL-2.0
#
# Tests of mkctl report's page and JSON, and of what mkctl run says of the
# machine; part of run. The page is looked at by Chromium where it is there.

browser=$(command -v chromium)

page() { python3 "$here/report_page.py" "$@"; }

# html DIR...: $work/page.html, with nothing said
html()
{
	gives 0 '' "$mkctl" report --format html --output "$work/page.html" "$@" || return 1
	[ ! -s "$work/out" ]
}

# reads DIR: a page with a figure, and the numbers of the CSV in it
reads()
{
	(cd "$here/golden" && html "$@" && page read "$work/page.html" "$@")
}

shows()
{
	(cd "$here/golden" && html "$@") || return 1
	page show "$work/page.html"
}

# spoiled PATTERN MODE EXPRESSION: a page changed by sed is found out
spoiled()
{
	html "$here/golden/targets" || return 1
	sed -E "$3" "$work/page.html" > "$work/spoiled.html"
	! cmp -s "$work/page.html" "$work/spoiled.html" || return 1
	if [ "$2" = read ]; then
		! page read "$work/spoiled.html" "$here/golden/targets" > "$work/said" || return 1
	else
		! page show "$work/spoiled.html" > "$work/said" || return 1
	fi
	cat "$work/said"
	grep -qE "$1" "$work/said"
}

golden_json()
{
	(cd "$here/golden" && gives 0 '' "$mkctl" report --format json "$1") || return 1
	diff -u "$here/golden/$1.json" "$work/out"
}

# Two directories: each has its drawing, on one scale.
side_by_side()
{
	(cd "$here/golden" && html targets unmap && page read "$work/page.html" targets unmap) || return 1
	python3 - "$work/page.html" <<-'END'
	import re, sys
	text = open(sys.argv[1]).read()
	figure = re.search(r'<figure id="figure-7">.*?</figure>', text, re.S).group(0)
	assert figure.count("<svg") == 2, figure.count("<svg")
	one, two = [set(re.findall(r'text-anchor="end">([0-9,]+)</text>', part))
		    for part in figure.split("<svg")[1:]]
	assert one == two and one, (one, two)
	assert ">targets<" in figure and ">unmap<" in figure
	# A name looks the same in both, and no other looks like it.
	looks = [{name: (kind, shape) for kind, shape, name in re.findall(
		r'<g class="([^"]+)"><path class="line"[^>]*/><path d="M[0-9.]+ [0-9.]+([^"]+)"/>'
		r'</g><text[^>]*>([^<]+)</text>', part)} for part in figure.split("<svg")[1:]]
	assert set(looks[0]) - set(looks[1]) and set(looks[1]) - set(looks[0]), looks
	for name in looks[0].keys() & looks[1].keys():
	    assert looks[0][name] == looks[1][name], (name, looks)
	both = looks[0] | looks[1]
	assert len(set(both.values())) == len(both), both
	END
}

# Whatever ran under emulation says so in every drawing and every answer.
says_emulated()
{
	html "$here/golden/targets" || return 1
	local drawings remarks answers warned
	drawings=$(grep -c '<svg' "$work/page.html")
	remarks=$(grep -c 'class="remark".*under emulation' "$work/page.html")
	answers=$(grep -c 'class="answer"' "$work/page.html")
	warned=$(grep -c 'class="answer".*under emulation' "$work/page.html")
	echo "$drawings drawings, $remarks say so; $answers answers, $warned say so"
	[ "$drawings" -gt 0 ] && [ "$drawings" = "$remarks" ] &&
		[ "$answers" -gt 0 ] && [ "$answers" = "$warned" ]
}

# On more CPUs than the host has, times are in no figure; counts are.
counts_only()
{
	mkdir -p "$work/counted"
	cp "$here/golden/targets/unmap.csv" "$work/counted"
	sed 's/"format": 1,/"format": 1, "counts_only": "too many CPUs",/' \
		"$here/golden/targets/env.json" > "$work/counted/env.json"
	html "$work/counted" || return 1
	grep -q 'too many CPUs' "$work/page.html" || return 1
	grep -q '<figure id="unmap-counts">' "$work/page.html" || return 1
	! grep -q '<figure id="figure-7">' "$work/page.html" || return 1
	! grep -qE '<title>.* cycles' "$work/page.html"
}

# The sentence follows the data: the same rows with the parts swapped.
answer_follows()
{
	gives 0 '' "$mkctl" report "$here/golden/targets" || return 1
	tr '\n' ' ' < "$work/out" | grep -q 'Messages beat Linux.s interrupts from 2 cores' || return 1
	mkdir -p "$work/swapped"
	sed -E 's/^unmap,linux,/unmap,x,/; s/^unmap,numa_multicast,/unmap,linux,/
		/^unmap,(unicast|lazy|ipi),/d; s/^unmap,x,/unmap,numa_multicast,/' \
		"$here/golden/targets/unmap.csv" > "$work/swapped/unmap.csv"
	gives 0 '' "$mkctl" report "$work/swapped" || return 1
	tr '\n' ' ' < "$work/out" | grep -q "Messages do not beat Linux's interrupts"
}

# Odd runs have sentences too: C that came out as nothing, factors of thousands.
answers_odd_runs()
{
	says notify 'took no longer than to poll: C is not told' << END || return 1
notify,block,T3,0,1,1,64,0,round_trip_p50,100,cycles
notify,block,T3,0,1,1,64,0,handoff,0,cycles
END
	says notify 'costs C = 700 cycles here' << END || return 1
notify,block,T3,0,1,1,64,0,handoff,700,cycles
END
	says polling_model 'Waiting costs 1.5 to 17,500 times' << END
polling_model,P=0.00C,T3,0,1,1,1,0,cost_p50,17500,cycles
polling_model,P=0.00C,T3,0,1,1,1,0,predicted,1,cycles
polling_model,P=0.00C,T3,0,1,1,8,0,cost_p50,3,cycles
polling_model,P=0.00C,T3,0,1,1,8,0,predicted,2,cycles
END
}

# --- hostile input -----------------------------------------------------------------

markup='<script>alert(1)</script>&<b onclick=x>'

# hostile NAME: the CSV on stdin, with an env.json full of markup, is drawn
hostile()
{
	rm -rf "$work/hostile"
	mkdir -p "$work/hostile/<i>&"
	{ echo "$header"; cat; } > "$work/hostile/<i>&/bad.csv"
	printf '{"cpu": {"model": "%s"}, "accelerator": "%s", "time": "]]></svg>%s"}' \
		"$markup" "$markup" "$markup" > "$work/hostile/<i>&/env.json"
	that "hostile CSV: $1" drawn_safely
}

drawn_safely()
{
	local format
	html "$work/hostile/<i>&" || return 1
	page read "$work/page.html" > "$work/said"
	# A figure there need not be; but nothing that is markup of theirs.
	grep -v '^no figure$\|figures, ' "$work/said" && return 1
	grep -qiE '<script|<b onclick|<i>' "$work/page.html" && return 1
	for format in text csv; do
		gives 0 '' "$mkctl" report --format "$format" "$work/hostile/<i>&" || return 1
	done
	gives 0 '' "$mkctl" report --format json "$work/hostile/<i>&" || return 1
	python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$work/out"
}

hostile_files()
{
	local long
	long=$(printf 'W%.0s' {1..128})
	hostile 'markup in names' <<< "$markup,$markup,$markup,0,1,0,8,0,$markup,12,$markup"
	hostile 'long names' <<< "$long,$long,$long,0,1,0,8,0,$long,12,$long"
	hostile 'only a header' < /dev/null
	hostile 'negative and huge values' << END
unmap,linux,,0,,0,2,0,cost_p50,-12,cycles
unmap,unicast,,0,,0,2,0,cost_p50,9999999999999999999999999999999999999,cycles
unmap,unicast,,0,,0,999999999999999999,0,cost_p50,0,cycles
unmap,ipi,,0,,0,0,0,cost_p50,-0.000000000000000000000000000000000001,cycles
END
	hostile 'only zeros' << END
t,a,,0,,0,0,0,m_p50,0,cycles
t,a,,0,,0,1,0,m_p50,0,cycles
END
	hostile 'percentiles out of order, a part missing' << END
unmap,linux,,0,,0,2,0,cost_p99,1,cycles
unmap,linux,,0,,0,2,0,cost_p50,5,cycles
unmap,linux,,0,,0,2,0,cost_p1,9,cycles
unmap,unicast,,0,,0,2,0,cost_p99,4,cycles
unmap,unicast,,0,,0,2,0,cost_n,4,samples
END
	hostile '500 lines in a figure' \
		< <(for i in {1..500}; do printf 't,v%d,,0,,0,%d,0,m_p50,%d,c\n' "$i" 1 "$i" "$i" 2 "$i"; done)
}

million_rows()
{
	mkdir -p "$work/million"
	{
		echo "$header"
		awk 'BEGIN { for (i = 0; i < 1000000; i++)
			print "unmap,v" i % 20 ",,0," i % 7 ",0," i % 5000 "," int(i / 5000) ",cost_p50," i ",cycles" }'
	} > "$work/million/unmap.csv"
	html "$work/million" || return 1
	echo "$(stat -c %s "$work/page.html") bytes"
	[ "$(stat -c %s "$work/page.html")" -lt 20000000 ]
}

# says DIR PATTERN: what report says of the rows on stdin matches
says()
{
	rm -rf "${work:?}/$1"
	mkdir "$work/$1"
	{ echo "$header"; cat; } > "$work/$1/$1.csv"
	gives 0 '' "$mkctl" report "$work/$1" || return 1
	tr '\n' ' ' < "$work/out" | tr -s ' ' | grep -qE "$2"
}

# A message that is lost, a member that has not done it, are not passed over.
counts_faults()
{
	local sent=storm,all,,,,,5,0,sent,60,messages got=storm,all,,,,,5,0,received
	local lost=storm,all,,,,,5,0,lost
	local asked=routes,star,,,,,5,0,operations,40,messages
	says storm 'All 60 messages of a round came, once' \
		<<< "$sent"$'\n'"$got,60,messages"$'\n'"$lost,0,messages" || return 1
	says storm 'Not all messages came as they were sent: 2 lost of 60' \
		<<< "$sent"$'\n'"$got,58,messages"$'\n'"$lost,2,messages" || return 1
	says storm 'Not all messages came as they were sent: others' \
		<<< "$sent"$'\n'"$got,58,messages" || return 1
	says routes 'All acknowledged the 40 messages' <<< "$asked" || return 1
	says routes 'Not everybody did what was asked: 7 unserved' \
		<<< "$asked"$'\n'routes,star,,,,,5,0,unserved,7,messages
}

# What is said of page tables is what was measured of them.
tells_of_tables()
{
	says home_node 'another node a walk takes 1.5 times .*with local ones, at the most' << END || return 1
home_node,local,,0,,0,4096,0,walk_p50,200,cycles
home_node,remote,,0,,1,4096,0,walk_p50,300,cycles
END
	says global_mapping '2 faults make a mapping of 2 nodes; .*unicast takes 100 cycles, 0.5 times' << END || return 1
global_mapping,unicast,,0,,0,2,0,unmap_p50,100,cycles
global_mapping,unicast,,0,,0,2,0,faults,2,faults
global_mapping,ipi,,0,,0,2,0,unmap_p50,200,cycles
END
	says mirror_ops 'On 2 nodes .* 1.5 to 3 times as much .direct., 2 .message.; .* is 0.9 times' << END ||
mirror_ops,direct,,0,,,2,0,mmap_1p_ratio,1.5,ratio
mirror_ops,direct,,0,,,2,0,munmap_1p_ratio,3,ratio
mirror_ops,direct,,0,,,2,0,touch_1p_ratio,9,ratio
mirror_ops,message,,0,,,2,0,mmap_1p_ratio,2,ratio
mirror_ops,control,,0,,,2,0,mmap_1p_ratio,0.9,ratio
END
		return 1
	says mirror_locality 'at least 99 % is local when mirrored, otherwise 25 % on CPU 2' << END || return 1
mirror_locality,mirrored,,0,,0,64,0,local,1,share
mirror_locality,mirrored,,2,,0,64,0,local,0.99,share
mirror_locality,unmirrored,,0,,0,64,0,local,1,share
mirror_locality,unmirrored,,2,,0,64,0,local,0.25,share
END
	says pager 'Pagers take 0.5 to 1.5 times .* in 1 of 2 cases, the most in unmap by pager_urpc; .* 0.1 to 0.1' << END ||
pager,pager_shm,,0,,,2,0,fault_local_ratio,0.5,ratio
pager,pager_urpc,,0,,,2,0,unmap_ratio,1.5,ratio
pager,pager_urpc,,0,,,2,0,access_interleaved_ratio,9,ratio
pager,userfaultfd,,0,,,2,0,fault_local_ratio,1,ratio
pager,kernel,,0,,,2,0,fault_local_ratio,0.1,ratio
END
		return 1
	says polling_model 'Waiting costs 0.9 to 2 times .* in 1 of 2 cases' << END
polling_model,P=0,,0,1,,100,0,cost_p50,180,cycles
polling_model,P=0,,0,1,,100,0,predicted,200,cycles
polling_model,P=8,,0,1,,100,0,cost_p50,400,cycles
polling_model,P=8,,0,1,,100,0,predicted,200,cycles
END
}

# Without a format the name of the output says what is wanted; one that is given wins.
named_for_its_format()
{
	local end

	for end in html json csv; do
		gives 0 '' "$mkctl" report -o "$work/named.$end" "$here/golden/latency" &&
			gives 0 '' "$mkctl" report -f "$end" -o "$work/asked" "$here/golden/latency" &&
			cmp "$work/named.$end" "$work/asked" || return 1
	done
	gives 0 '' "$mkctl" report -o "$work/named.log" "$here/golden/latency" &&
		gives 0 '' "$mkctl" report -f text -o "$work/asked.html" "$here/golden/latency" &&
		cmp "$work/named.log" "$work/asked.html"
}

# A page that cannot be written leaves none, nor half of one.
unwritable()
{
	gives 1 'cannot write .*nowhere/page.html: No such file' "$mkctl" report -f html \
		-o "$work/nowhere/page.html" "$here/golden/latency" || return 1
	[ ! -e "$work/nowhere" ]
}

# A file with nothing good beside it makes no page: it would look like an answer.
nothing_good()
{
	mkdir -p "$work/empty"
	gives 1 'no results there' "$mkctl" report -f html -o "$work/none.html" "$work/empty" || return 1
	[ ! -e "$work/none.html" ]
}

# --- what spoils a measurement ------------------------------------------------------

# machine: a copy of what mkctl run looks at, all of it spoiled
machine()
{
	tree
	root=$work/machine
	rm -rf "$root"
	mkdir -p "$root/sys/devices/system/cpu/"{cpu0,cpu1}/cpufreq \
		"$root/sys/devices/system/cpu/"{smt,cpufreq,intel_pstate} \
		"$root/proc/sys/kernel" "$root/sys/kernel/mm/ksm" "$root/dev"
	cd "$root" || return 1
	echo powersave | tee sys/devices/system/cpu/cpu{0,1}/cpufreq/scaling_governor > /dev/null
	echo 0 > sys/devices/system/cpu/intel_pstate/no_turbo
	echo 1 | tee sys/devices/system/cpu/{cpufreq/boost,smt/active} sys/kernel/mm/ksm/run \
		proc/sys/kernel/{numa_balancing,nmi_watchdog} > /dev/null
	echo '3.20 1.00 0.50 1/100 1' > proc/loadavg
	: > dev/cpu_dma_latency
	cd - > /dev/null || return 1
}

state() { (cd "$root" && find sys proc -type f -exec grep -H '' {} + | sort); }

warns()
{
	machine
	run --quiet urpc_latency > /dev/null 2> "$work/err" || return 1
	cat "$work/err"
	[ "$(grep -c '^mkctl: warning: ' "$work/err")" = 8 ] || return 1
	grep -q 'scaling_governor (and 1 more) is powersave: .*cpupower' "$work/err" || return 1
	grep -q 'the load is 3.20: ' "$work/err" && grep -q 'SMT is on: .*--cpus' "$work/err" || return 1
	python3 -c 'import json, sys; assert len(json.load(open(sys.argv[1]))["warnings"]) == 8' \
		"$work/out.d/env.json"
}

# tunes [SIGNAL]: set while it runs, as before when it has ended
tunes()
{
	local before during
	machine
	echo 1000 > "$tree/experiments/urpc_latency/.ms"
	before=$(state)
	LD_PRELOAD=$standin env --default-signal=INT "$mkctl" run --root "$root" --tune --quiet \
		--out "$work/out.d" urpc_latency > /dev/null 2> "$work/err" &
	sleep 0.5
	during=$(state)
	[ -z "${1-}" ] || kill "-$1" $!
	wait $!
	diff <(echo "$before") <(state) || return 1
	diff <(echo "$before") <(echo "$during")
	[ "$(diff <(echo "$before") <(echo "$during") | grep -c '^>')" = 7 ] || return 1
	[ "$(stat -c %s "$root/dev/cpu_dma_latency")" = 4 ] || return 1
	# What cannot be set is still said.
	[ "$(grep -c '^mkctl: warning: ' "$work/err")" = 2 ] || return 1
	python3 -c 'import json, sys; assert len(json.load(open(sys.argv[1]))["tuned"]) == 8' \
		"$work/out.d/env.json"
}

leaves_page()
{
	tree
	gives 0 '' run --quiet || return 1
	page read "$work/out.d/report.html" "$work/out.d"
}

reports()
{
	local dir
	for dir in latency recorded throughput targets shm unmap unknown storm wide; do
		that "page of golden/$dir: its numbers are those of the CSV" reads "$dir"
	done
	that 'JSON of golden/latency' golden_json latency
	that 'JSON of golden/throughput' golden_json throughput
	that 'two directories stand side by side' side_by_side
	that 'emulation is said in every drawing and answer' says_emulated
	that 'times that mean nothing are in no figure' counts_only
	that 'the answer follows from the data' answer_follows
	that 'answers: what is lost is counted' counts_faults
	that 'answers: page tables' tells_of_tables
	that 'answers: odd runs' answers_odd_runs
	that 'a wrong number in a page is seen' spoiled 'not in the CSV' read \
		's|(<title>linux at 2: median )[0-9,]+|\17,777,777|'
	that 'a script in a page is seen' spoiled '<script>' read 's|<h1>|<script></script><h1>|'
	that 'an element left open is seen' spoiled 'not closed|does not belong' read 's|</svg>||'
	that 'an empty figure is seen' spoiled 'is empty' read 's|class="point"||g'
	if [ -n "$browser" ]; then
		that 'Chromium draws every figure' shows latency recorded throughput targets shm unknown
		that 'what Chromium complains of is seen' spoiled 'the browser says' show \
			's|<h1>|<img src="https://example.invalid/x.png"><h1>|'
		that 'a figure that shows nothing is seen' spoiled 'shows nothing' show \
			's|(<svg viewBox="0 0 )[0-9]+ [0-9]+|\188000 46000|; s|(class="point")|\1 display="none"|g'
		that 'text that is cut off is seen' spoiled 'outside' show \
			's|(class="label" x=")[0-9.]+|\1870|'
	else
		echo "# Chromium is missing: selftests/vm/deps check; no page is looked at"
	fi
	hostile_files
	that 'a million rows' million_rows
	that 'the name of the output says the format' named_for_its_format
	that 'a page that cannot be written' unwritable
	that 'no page about nothing' nothing_good
	that 'mkctl run leaves a page' leaves_page
	that 'says what spoils a measurement' warns
	that '--tune sets it and puts it back' tunes
	that '--tune puts it back after Ctrl-C' tunes INT
	unset root
}
