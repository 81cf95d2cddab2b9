#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# mutants.sh ROOT DIR OBJECTS: break the library on purpose, in one way at a time, and
# see that the tests notice. Each mutant is a sed script over one source; one
# that changes nothing, or does not compile, is an error here. It runs the tests
# whose names contain the given words.
set -eu

root=$(cd "$1" && pwd)
mkdir -p "$2"
dir=$(cd "$2" && pwd)
built=$(cd "$3" && pwd)
cc=${CC:-gcc}
# What hangs has hung after this.
export PAGER_LONG_MS=500
# shellcheck source=selftests/mutants.sh
. "$root/selftests/mutants.sh"

# attempt NAME WORDS FILE SED
attempt()
{
	break_source "$1" "$3" "$dir/$1/$3" "$4" || return 0
	mkdir "$dir/$1/objects"
	cp "$built"/*.o "$dir/$1/objects"
	rm "$dir/$1/objects/${3%.c}.o"
	$cc -std=gnu11 -O1 -w -D_GNU_SOURCE -I. -I"$root" -pthread \
		-o "$dir/$1/pager_test" "$dir/$1/$3" "$dir/$1"/objects/*.o \
		"$built"/tests/*.o "$built"/urpc/*.o \
		2> "$dir/$1/error" || echo "does not build" >> "$dir/$1/error"
	run_tests "$1" timeout 40 "$dir/$1/pager_test" "$2"
}

mutant locks-not-looked-at "storm: locks" sync_shm.c \
	's/^	default:$/	default: work->stage = STAGE_OURS; return 0;/'
mutant taken-away-too-late "policy: migrate" policy_migrate.c \
	'/^static int move/,/^}/ s/ret = pager_take_away(.*/ret = 0 * (0,/'
mutant replicas-left-behind "policy: replicate" policy_replicate.c \
	's/ret = pager_take_away(pager, .*/ret = 0;/'
mutant replicas-written "policy: replicate" policy_replicate.c \
	's/(one(state) ? PAGER_WRITE : 0)/PAGER_WRITE/'
mutant nothing-copied "policy: migrate" serve.c \
	's/memcpy(to, source, PAGE_BYTES);/;/'
mutant one-of-several "policy: replicate" serve.c \
	's/	if (several || /	nodes \&= -nodes; if (/'
mutant operation-forgotten "policy: migrate" serve.c \
	's/		state->seq = seq;/		;/'
mutant one-frame-twice "policy: frames" stock.c \
	's/__atomic_exchange_n(place, 0, /__atomic_load_n(place, /'
mutant never-mended "deaths: locks" sync_shm.c \
	's/		pager_mend(pager, .*/		;/'
mutant empty-frames-used "deaths: locks" directory.c \
	's/		    state.fresh == node + 1u)/		    0)/'
mutant noted-in-the-end "deaths: locks" serve.c \
	'/^static void serve(/,/^}/ s/	note(pager, work);/	;/'
mutant heard-taken-for-granted "deaths: mess" sync_urpc.c \
	's/	pager_say(pager, home, SAY_DONE, page, work - .*/	if (!pager_say(pager, home, SAY_DONE, page, 0)) { work->stage = STAGE_FREE; pager->works--; }/'
mutant homes-without-memory "deaths: mess" sync_urpc.c \
	's/	put_right(pager, pager->node);/	;/'
mutant hints-not-heard "policy: what lasts" sync_urpc.c \
	's/	else if (what == SAY_FRAME)/	else if (0)/'
mutant nobody-remembers "policy: what lasts" sync_urpc.c \
	'/^static void learn/,/^}/ s/	pager->homes->frame\[.*/	;/'
mutant all-frames-last "policy: migrate" policy_migrate.c \
	's/\.serve = /.lasting = PAGER_READ | PAGER_WRITE, .serve = /'
mutant dead-holders-keep "deaths: mess" sync_urpc.c \
	'/^void pager_peer_went/,/^}/ s/	put_right(pager, node);/	;/; s/		put_right(pager, node);/		;/'
mutant two-pagers-of-a-node "group: taking" pager.c \
	's/READ_ONCE(pager->seat->turn) != pager->turn/0/'
report_mutants
