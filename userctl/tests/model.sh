# shellcheck shell=bash disable=SC2154 # variables of run
# SPDX-License-Identifier: GPL-2.0
#
# Tests of mkctl model: its properties, which model.py checks, files that are none,
# and that nothing modelled is taken for measured. To be sourced by run.

model_check() { python3 "$here/model.py" "$mkctl" "$@"; }

# model ARGUMENT...: into $work/model, which is not there before
model()
{
	rm -rf "$work/model"
	"$mkctl" model --quiet --out "$work/model" "$@"
}

# bad_machine NAME PATTERN: the description on stdin is refused with one line
bad_machine()
{
	cat > "$work/blueprint"
	that "bad machine: $1" refuses_model 1 "$2" --machine "$work/blueprint"
}

# refuses_model STATUS PATTERN ARGUMENT...: and nothing is written, on the terminal or off
refuses_model()
{
	gives "$1" "$2" model "${@:3}" || return 1
	[ ! -e "$work/model" ] && [ ! -s "$work/out" ] || return 1
	! LC_ALL=C grep -q '[[:cntrl:]]' <(tr -d '\n' < "$work/err")
}

bad_machines()
{
	local level='level package 4 60 220'
	bad_machine 'empty' 'has no levels; it needs --send' < /dev/null
	bad_machine 'parts alone' 'has no levels; it needs --send' <<< 'ipi_send 500'
	bad_machine 'cut short' 'blueprint:2: the file is cut short' \
		< <(printf '%s\nlevel board 4 60 22' "$level")
	bad_machine 'a level without costs' "blueprint:1: 3 fields where 'level NAME" <<< 'level package 4'
	bad_machine 'a level of none' 'blueprint:1: there is no level of that many' <<< 'level package 0 1 1'
	bad_machine 'too many cores' 'blueprint:2: there is no level of that many; 4096 cores' \
		<<< "$level"$'\nlevel board 1025 1 1'
	bad_machine 'cores without end' 'blueprint:1: there is no level of that many' \
		<<< 'level package 99999999999999999999 1 1'
	bad_machine 'too many levels' 'blueprint:9: there is one level too many' \
		< <(for _ in {1..9}; do echo 'level package 1 1 1'; done)
	bad_machine 'a negative cost' 'blueprint:1: send and receive are cycles' <<< 'level package 4 -1 1'
	bad_machine 'a huge cost' 'blueprint:1: send and receive are cycles' <<< 'level package 4 1 1000001'
	bad_machine 'a level with a strange name' 'blueprint:1: the name of a level' <<< 'level A,B 4 1 1'
	bad_machine 'a part that is none' 'blueprint:2: neither a level nor a part' \
		<<< "$level"$'\nwarp 9'
	bad_machine 'a part twice' 'blueprint:3: walk is there twice' <<< "$level"$'\nwalk 1\nwalk 2'
	bad_machine 'a part without a value' "blueprint:2: 1 field where 'walk VALUE'" \
		<<< "$level"$'\nwalk'
	bad_machine 'a part that is a word' 'blueprint:2: walk takes a whole number' \
		<<< "$level"$'\nwalk far'
	bad_machine 'no page tables' 'blueprint:2: levels takes 1 to 8' <<< "$level"$'\nlevels 0'
	bad_machine 'escape codes' 'blueprint:1: not plain text' <<< $'level \e[2J 4 1 1'
	bad_machine 'a long line' 'blueprint:1: the line is too long' <<< "$(printf 'x%.0s' {1..5000})"
	bad_machine 'binary' 'not plain text' < <(head -c 5000 "$mkctl")
	that 'bad machine: a device without end' refuses_model 1 'not plain text' --machine /dev/zero
	that 'bad machine: a directory' refuses_model 1 'cannot read' --machine "$work"
	that 'bad machine: no such file' refuses_model 1 'cannot open' --machine "$work/none"
}

bad_models()
{
	local costs=(--send "$here/plan/send" --receive "$here/plan/receive")
	that 'model of nothing' refuses_model 2 'name a machine'
	that 'model of half a machine' refuses_model 2 'nodes is missing' "${costs[@]}"
	that 'model of two machines' refuses_model 2 'topology is a machine already' \
		--topology 2x2 "${costs[@]}" --nodes 4
	echo 'level package 4 1 1' > "$work/blueprint"
	that 'model of levels and costs' refuses_model 1 'blueprint has levels' \
		--machine "$work/blueprint" "${costs[@]}" --nodes 4
	for shape in '' x 8x x8 8xx8 8x0 8x-1 8X8 5000x1 100x100 1x1x1x1x1 99999999999999999999x1; do
		that "a topology that is none: '$shape'" refuses_model 2 '--topology takes' \
			--topology "$shape"
	done
	that 'a part that is none' refuses_model 2 'set takes NAME=VALUE, with one of' \
		--topology 2x2 --set warp=9
	that 'a part without a value' refuses_model 2 'set takes NAME=VALUE' --topology 2x2 --set walk
	that 'a part out of range' refuses_model 2 '--set walk takes' --topology 2x2 --set walk=1e9
	printf '0 1 5 1\n1 2 5 1\n' > "$work/costs"
	that 'model where pairs have no cost' refuses_model 1 'core 0 to core 2 has no cost' \
		--send "$work/costs" --receive "$work/costs" --nodes 1
	that 'costs that are none' refuses_model 1 'cannot open' \
		--send "$work/none" --receive "$work/costs" --nodes 1
	that 'round trips of another machine' refuses_model 1 'is it of another' \
		--topology 2x1 --rtt "$here/plan/send"
	that 'model into a file' gives 1 'cannot write' \
		"$mkctl" model --topology 2x2 --out "$work/costs"
	that 'model over a run' gives 2 'holds a run already' \
		"$mkctl" model --topology 2x2 --out "$here/golden/latency"
}

# A machine with one core, and with one node, has figures too.
small_models()
{
	model --topology 1x1 || return 1
	grep -q '^unmap,linux,model,,,,1,0,cost,' "$work/model/model.csv" || return 1
	gives 0 '' "$mkctl" report "$work/model" || return 1
	model --topology 1x4 && gives 0 '' "$mkctl" report "$work/model"
}

# Results measured and modelled in one file: what was measured reads as without the rest.
model_beside_measured()
{
	model --topology 2x1 || return 1
	mkdir -p "$work/mixed" "$work/alone"
	cp "$here/golden/unmap/"*.csv "$work/alone/"
	cat "$work/alone/"*.csv > "$work/mixed/unmap.csv"
	grep '^unmap,' "$work/model/model.csv" >> "$work/mixed/unmap.csv"
	gives 0 '' "$mkctl" report --format json "$work/alone" "$work/mixed" "$work/model" || return 1
	cp "$work/out" "$work/json"
	python3 - "$work/json" <<-'END' || return 1
	import json, sys
	alone, mixed, model = (
	    {e["experiment"]: e for e in run["experiments"]}["unmap"]
	    for run in json.load(open(sys.argv[1]))["runs"])
	measured = [r for r in mixed["results"] if r["tier"] != "model"]
	assert len(measured) < len(mixed["results"])
	key = lambda r: json.dumps(r, sort_keys=True)
	assert sorted(map(key, measured)) == sorted(map(key, alone["results"]))
	assert mixed["answer"] == alone["answer"], mixed["answer"]
	assert "modelled, not measured" in mixed["remark"], mixed["remark"]
	assert model["remark"] == "modelled, not measured", model["remark"]
	assert model["answer"].startswith("In the model: "), model["answer"]
	END
	# ratios of measured rows, which are not in the JSON
	"$mkctl" report "$work/alone" | grep -E '^(linux|ipi|unicast) .*\.\.' > "$work/before"
	"$mkctl" report "$work/mixed" | grep -E '^(linux|ipi|unicast) .*\.\.' > "$work/after"
	[ -s "$work/before" ] && diff <(tr -s ' ' < "$work/before") <(tr -s ' ' < "$work/after")
}

# A page with both has the figures of both, one drawing each, and says which is which.
model_in_page()
{
	model --topology 4x4 || return 1
	html "$here/golden/unmap" "$work/model" || return 1
	page read "$work/page.html" "$here/golden/unmap" "$work/model" || return 1
	grep -q 'modelled, not measured: 4x4, 16 cores, 4 nodes' "$work/page.html"
}

models()
{
	that 'model: what costs more makes nothing cheaper' model_check monotone 0 4
	that 'model: trees cost what their events do' model_check trees 0 10
	that 'model: levels and costs, one machine' model_check both_ways
	that 'model: trees, rows and interrupts in order' model_check order
	# Seconds, of which a busy machine makes many.
	that 'model of 4,096 cores, in time and memory' model_check fast 100 400
	that 'model of few cores' small_models
	that 'model beside measured results' model_beside_measured
	that 'model in a page' model_in_page
	bad_machines
	bad_models
}
