# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Completion of mkctl for bash. Commands and options are those that mkctl --help
# says, experiments and parameters those that the module has, if it can be asked.

# _mkctl_options MKCTL [COMMAND]: the long options, a line each
_mkctl_options()
{
	"$@" --help 2> /dev/null |
		sed -nE 's/^ +(-.,|   ) --([a-z-]+)(=.*|\[.*| .*|$)/--\2/p'
}

# _mkctl_takes_value MKCTL COMMAND OPTION: something has to follow that option
_mkctl_takes_value()
{
	"$1" ${2:+"$2"} --help 2> /dev/null |
		grep -qE -- "^ +$3, --[a-z-]+=|^ +(-., )? *$3="
}

_mkctl_commands()
{
	"$1" --help 2> /dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

_mkctl_experiments()
{
	"$1" list 2> /dev/null | awk '{ print $1 }'
}

# name= of the experiments among the words
_mkctl_parameters()
{
	local program=$1 word
	shift
	for word; do
		"$program" list "$word" 2> /dev/null | awk 'NR > 2 { print $1 "=" }'
	done
}

# _mkctl_pids FILE…: numbers of processes, or of mirrors
_mkctl_pids()
{
	local dir
	for dir; do
		[ -d "$dir" ] && echo "${dir##*/}"
	done
}

_mkctl_value()
{
	case $1:$2 in
	*:--format | *:-f)
		case $1 in
		report) echo text csv html json ;;
		plan) echo text json dot ;;
		*) echo text json csv ;;
		esac ;;
	topo:--metric | topo:-M) echo round_trip one_way ;;
	trace:--clock | trace:-C) echo mono x86-tsc ;;
	plan:--op | plan:-o) echo broadcast gather both 2pc ;;
	*:--pid | *:-p) _mkctl_pids /proc/[0-9]* ;;
	run:--set | run:-s | trace:--set | trace:-s)
		_mkctl_parameters "${COMP_WORDS[0]}" "${COMP_WORDS[@]:2}" ;;
	esac
}

_mkctl()
{
	local program=$1 word=$2 before=$3 command='' i words
	local -a candidates

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--)	return ;;
		-t | --tree)
			[ -n "$command" ] || i=$((i + 1))
			[ "${COMP_WORDS[i]}" != = ] || i=$((i + 1)) ;;
		-*)	;;
		*)	[ -n "$command" ] || command=${COMP_WORDS[i]} ;;
		esac
	done
	# An option's value stands behind it, or behind =, which is a word of its own.
	[ "$before" != = ] || before=${COMP_WORDS[COMP_CWORD - 2]}
	[ "$word" != = ] || word=
	if [[ $before = -? || $before = --?* ]] &&
		_mkctl_takes_value "$program" "$command" "$before"; then
		# What nobody knows here is a file, or for the user to know.
		words=$(_mkctl_value "$command" "$before")
	elif [ -z "$command" ]; then
		words=$(_mkctl_commands "$program"; _mkctl_options "$program")
	elif [[ $word = -* ]]; then
		words=$(_mkctl_options "$program" "$command")
	else
		case $command in
		run | list | doctor | trace) words=$(_mkctl_experiments "$program") ;;
		mirror)
			case $before in
			mirror) words="run attach detach list show" ;;
			attach) words=$(_mkctl_pids /proc/[0-9]*) ;;
			detach | show)
				words=$(_mkctl_pids /sys/kernel/debug/multikernel/mirror/[0-9]*) ;;
			esac ;;
		esac
	fi
	mapfile -t candidates < <(compgen -W "$words" -- "$word")
	COMPREPLY=("${candidates[@]}")
	[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2> /dev/null
}

complete -o default -F _mkctl mkctl
