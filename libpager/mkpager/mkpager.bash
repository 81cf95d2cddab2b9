# SPDX-License-Identifier: GPL-2.0
#
# Completion of mkpager's options for bash.

_mkpager()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}

	case $before in
	-p | --policy)
		mapfile -t COMPREPLY < <(compgen -W \
			"global node-local replicate-read migrate" -- "$word") ;;
	-s | --sync)
		mapfile -t COMPREPLY < <(compgen -W "shm urpc both" -- "$word") ;;
	-c | --contents | -S | --socket)
		mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "--pages --policy --sync --nodes
			--timeout --poll --stock --contents --socket --zero --plain --stats
			--help --usage --version" -- "$word") ;;
	esac
}
complete -o default -F _mkpager mkpager
