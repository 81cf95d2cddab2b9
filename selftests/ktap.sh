# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Counts what kselftest's runner printed. To be sourced, after report.sh.
#
# The runner reports each program in a line of TAP, and passes the program's own
# TAP on behind "# ". The tests of the programs are what is counted. What was
# announced and did not come has failed: tests of a plan that was not finished,
# a program that failed with all its tests passed, a program that never began.

# ktap_count WHERE PROGRAM... < OUTPUT
ktap_count()
{
	local where=$1 line
	shift
	local program='' plan='' seen=0 bad=0 notes='' running='' began=0
	declare -A begun=()

	while IFS= read -r line || [ -n "$line" ]; do
		line=${line%$'\r'}
		case $line in
		'# selftests: '*': '*)
			[ -z "$program" ] || ktap_program_ends 'cut off'
			program=${line##*: } plan='' seen=0 bad=0 notes=''
			began=$SECONDS
			begun[$program]=1
			;;
		'ok '*' selftests: '*)
			ktap_program_ends '' ;;
		'not ok '*' selftests: '*)
			ktap_program_ends "${line##*# }" ;;
		'# #  RUN '*' ...')
			running=${line% ...}
			running=${running##* }
			notes+=$line$'\n' ;;
		'# 1..'*)
			[ -n "$plan" ] || plan=${line#'# 1..'} ;;
		'# ok '* | '# not ok '*)
			ktap_result "$line" ;;
		*)
			notes+=$line$'\n' ;;
		esac
	done
	[ -z "$program" ] || ktap_program_ends 'cut off'
	for program; do
		[ -n "${begun[$program]-}" ] ||
			fail "$where: $program" "did not run"
	done
}

# The rest works on the variables of ktap_count.

ktap_notes()
{
	[ -z "$notes" ] || printf '%s' "$notes"
	notes=''
}

ktap_result()
{
	local text name

	text=${1#'# '}
	name=${text#not }
	name=${name#ok }
	name=${name#* }
	name=${name#- }
	# the harness does not name the tests that it skips
	[[ $name != '# SKIP'* ]] || name="$running $name"
	name=${name#global.}
	seen=$((seen + 1))
	case $text in
	ok*'# SKIP'*)
		skip "$where: $program: ${name%%' # SKIP'*}" "${name##*'# SKIP '}" ;;
	ok*)
		pass "$where: $program: $name" ;;
	*)
		bad=$((bad + 1))
		ktap_notes
		fail "$where: $program: $name" ;;
	esac
	notes=''
}

ktap_program_ends()
{
	local why=$1 i

	if [ -z "$plan" ]; then
		ktap_notes
		fail "$where: $program" "${why:-ended} without a plan"
	else
		for ((i = seen + 1; i <= plan; i++)); do
			ktap_notes
			fail "$where: $program: test $i of $plan" "did not run"
			bad=$((bad + 1))
		done
		if [ -n "$why" ] && [ "$bad" = 0 ]; then
			ktap_notes
			fail "$where: $program" "$why"
		fi
	fi
	echo "# $where: $program: $((SECONDS - began)) s"
	program=''
}
