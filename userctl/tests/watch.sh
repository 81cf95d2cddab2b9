# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0
#
# Tests of mkctl top and mkctl mirror on a tree of files, and of the completion.
# To be sourced by run.

# watch_tree: the tree of topo, with counters and a mirrored process
watch_tree()
{
	local cpu
	topo_tree
	for cpu in 0 1 2; do
		mkdir -p "$tree/counters/cpu$cpu"
		echo 1000 > "$tree/counters/cpu$cpu/messages_sent"
		echo 7 > "$tree/counters/cpu$cpu/calls_sent"
	done
	mkdir -p "$tree/mirror/42/node0" "$tree/mirror/42/node1" "$tree"/shootdown/{unicast,choice}
	: > "$tree/mirror/attach"
	: > "$tree/mirror/detach"
	echo server > "$tree/mirror/42/comm"
	printf '%s\n' cpu,node,mirrored,levels,local,master_levels,master_local \
		0,0,1,4,4,4,4 1,1,1,4,3,4,0 > "$tree/mirror/42/locality"
	echo 12 > "$tree/mirror/42/node0/tables"
	echo 34567 > "$tree/mirror/42/node1/tables"
	echo 5 > "$tree/shootdown/unicast/operations"
	echo 5 > "$tree/shootdown/unicast/ipis"
	echo 0 > "$tree/shootdown/choice/message"
}

# Within the second CPU 1 sends 5000 messages.
top_rates()
{
	local pid
	watch_tree
	"$mkctl" top --batch -n 1 -d 1 > "$work/out" 2> "$work/err" &
	pid=$!
	sleep 0.5
	echo 6000 > "$tree/counters/cpu1/messages_sent"
	echo 15 > "$tree/shootdown/unicast/operations"
	echo 25 > "$tree/shootdown/unicast/ipis"
	echo 30 > "$tree/shootdown/choice/message"
	wait "$pid" || return 1
	cat "$work/out" "$work/err"
	python3 - "$work/out" <<-'END'
	import re, sys
	text = open(sys.argv[1]).read()
	rows = [line.split() for line in text.splitlines()]
	sent = {" ".join(r[:-7]): float(r[-7].replace(",", "")) for r in rows if len(r) > 7 and r[0] != "CPU" and r[-1] == "0"}
	assert sent["0 0"] == 0 and sent["2 0"] == 0 and sent["all of 0"] == 0, sent
	assert 3000 < sent["1 1"] <= 5000 and sent["all of 1"] == sent["1 1"] == sent["all"], sent
	rate = [float(n) for n in re.search(r"unicast: ([\d.]+) shootdowns/s, .* ([\d.]+) IPIs/s", text).groups()]
	assert 6 < rate[0] <= 10 and 12 < rate[1] <= 20, rate
	caused, avoided = [float(n) for n in re.search(r"([\d.]+) IPIs/s caused, ([\d.]+)/s avoided", text).groups()]
	assert caused == rate[1] and 18 < avoided <= 30, (caused, avoided)
	assert "mirror 42 server: 88% of its walks local, 50% with Linux's tables" in text
	END
}

top_rounds()
{
	watch_tree
	gives 0 '' "$mkctl" top --batch -n 3 -d 0.1 || return 1
	[ "$(grep -c '^ *CPU' "$work/out")" = 3 ]
}

top_wrong()
{
	gives 2 'iterations takes a number' "$mkctl" top -n 0 &&
		gives 2 'delay takes a number' "$mkctl" top -d x &&
		gives 3 'is not the module' "$mkctl" --tree "$work/none" top -n 1
}

mirror_lists()
{
	watch_tree
	gives 0 '' "$mkctl" mirror list || return 1
	grep -qE '^ *42  server +2 +88% +50%$' "$work/out" || return 1
	gives 0 '' "$mkctl" mirror show 42 || return 1
	grep -qE '^ +1 +1 +replica +4 +3 +4 +0$' "$work/out" &&
		grep -qE '^ +1 +34,567$' "$work/out" || return 1
	gives 1 'process 43 is not mirrored; say: mkctl mirror attach 43' "$mkctl" mirror show 43
}

mirror_tells()
{
	watch_tree
	gives 0 '' "$mkctl" mirror attach 42 || return 1
	[ "$(cat "$tree/mirror/attach")" = 42 ] || return 1
	gives 0 '' "$mkctl" mirror detach 17 || return 1
	[ "$(cat "$tree/mirror/detach")" = 17 ] || return 1
	ln -sf /dev/full "$tree/mirror/attach"
	gives 1 'cannot attach process 42: No space' "$mkctl" mirror attach 42
}

# The command has been executed when its number is written, and its status comes back.
mirror_runs()
{
	watch_tree
	# shellcheck disable=SC2016
	gives 7 '' "$mkctl" mirror run -- sh -c 'sleep 0.3
		[ "$(cat "$0/mirror/attach")" = $$ ] && exit 7' "$tree" || return 1
	gives 1 'cannot run /nowhere: No such file' "$mkctl" mirror run -- /nowhere || return 1
	# refused: the command does not go on without
	ln -sf /dev/full "$tree/mirror/attach"
	gives 1 'cannot attach' "$mkctl" mirror run -- sh -c "sleep 1; : > $work/went.on" || return 1
	sleep 1.2
	[ ! -e "$work/went.on" ]
}

mirror_wrong()
{
	watch_tree
	gives 2 'mirror what' "$mkctl" mirror &&
		gives 2 "no verb 'x'; there are: run" "$mkctl" mirror x &&
		gives 2 'takes the number' "$mkctl" mirror attach &&
		gives 2 'is not the number' "$mkctl" mirror attach me &&
		gives 2 'takes a command' "$mkctl" mirror run &&
		gives 2 'too many' "$mkctl" mirror detach 1 2 || return 1
	rm -r "$tree/mirror"
	gives 1 'has no mirrors' "$mkctl" mirror list
}

# completes EXPECTED WORD…: what there is for the last word
completes()
{
	local expected=$1
	shift
	(
		# shellcheck source=userctl/mkctl.bash
		. "$here/../mkctl.bash"
		# shellcheck disable=SC2030,SC2034 # for this subshell alone
		COMP_WORDS=(mkctl "$@") COMP_CWORD=$#
		if [ $# -gt 1 ]; then _mkctl "$mkctl" "${*: -1}" "${*: -2:1}"; else _mkctl "$mkctl" "$1" mkctl; fi
		echo "$*: ${COMPREPLY[*]}, expected $expected"
		[ "${COMPREPLY[*]}" = "$expected" ]
	)
}

completion()
{
	tree
	completes 'trace' tr && completes 'topo top' to && completes 'shm_vs_msg' run s &&
		completes 'text json csv' topo --format '' && completes 'json' trace --format = j &&
		completes '--batch' top --b && completes 'attach' mirror a &&
		completes '' trace -- s && completes '--measure --metric' topo --me &&
		completes 'broadcast both' plan -o b && completes 'trace' --tree x tr &&
		completes 'trace' --tree = x tr && completes 'shm_vs_msg' trace --quiet s || return 1
	# A file's name is left to bash, for whatever option of whatever command.
	completes '' run --out s && completes '' trace --input u && completes '' report -o j &&
		completes '' topo --export = s && completes '' --tree r
}

# Every option of every command is completed, and is in its manual page.
options_known()
{
	local commands command option page n=0
	# shellcheck source=userctl/mkctl.bash
	commands=$(. "$here/../mkctl.bash" && _mkctl_commands "$mkctl")
	for command in '' $commands; do
		page=$here/../../Documentation/mkctl/mkctl${command:+-$command}.rst
		# list has no page of its own
		[ -e "$page" ] || page=$here/../../Documentation/mkctl/mkctl.rst
		# shellcheck disable=SC2086
		for option in $("$mkctl" $command --help |
			grep -oE '^ +(-., )? *--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
			n=$((n + 1))
			# shellcheck disable=SC2086
			completes "$option" $command "$option" || return 1
			case $command:$option in
			?*:--help | *:--usage | ?*:--version) ;;
			*)	grep -qE -- "$option\\b" "$page" || {
					echo "$page: nothing of $option"
					return 1
				} ;;
			esac
		done
	done
	echo "$n options"
	[ "$n" -gt 60 ]
}

watches()
{
	that 'top: rates' top_rates
	that 'top: as many tables as asked for' top_rounds
	that 'top: wrong arguments' top_wrong
	that 'mirror: list and show' mirror_lists
	that 'mirror: attach and detach' mirror_tells
	that 'mirror: run' mirror_runs
	that 'mirror: wrong arguments, no mirrors' mirror_wrong
	that 'completion' completion
	that 'every option is completed and explained' options_known
}
