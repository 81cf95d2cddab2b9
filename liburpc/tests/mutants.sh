#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# mutants.sh ROOT DIR: break the library on purpose, in one way at a time, and
# see that the tests notice. Each mutant is a sed script over one source; one
# that changes nothing, or does not compile, is an error here. It runs the tests
# whose names contain the given words. Barriers and the second look before a sleep
# are left out in selftests/models/sleep.pml instead: what that loses is too rare
# here to be counted on.
set -eu

root=$(cd "$1" && pwd)
mkdir -p "$2"
dir=$(cd "$2" && pwd)
cc=${CC:-gcc}
# shellcheck source=selftests/mutants.sh
. "$root/selftests/mutants.sh"

# attempt NAME WORDS FILE SED
attempt()
{
	cp ./*.c ./*.h "$dir/$1"
	break_source "$1" "$3" "$dir/$1/$3" "$4" || return 0
	$cc -std=gnu11 -O1 -w -D_GNU_SOURCE -DLONG_MS=1000 -I"$dir/$1" -I"$root" \
		-I"$root/selftests/ring" -Itests -pthread -o "$dir/$1/urpc_test" \
		"$dir/$1"/*.c tests/main.c tests/check_*.c -luring \
		2> "$dir/$1/error" || echo "does not build" >> "$dir/$1/error"
	run_tests "$1" timeout 40 "$dir/$1/urpc_test" "$2"
}

mutant counts-taken-after-the-look "threads: no wake" wake.c \
	'/^static int arm/,/^}/ s/return found;$/drain(channel->wake);\n\t&/'
mutant never-written "threads: no wake" wake.c \
	's/ret = write(channel->wake_peer.*/ret = 0;/'
mutant acks-do-not-wake "threads: random sizes, b" channel.c \
	's/!mk_end_ack(&channel->end))/!mk_end_ack(\&channel->end) \&\& 0)/'
mutant given-back-before-taken "threads: random sizes, b" channel.c \
	'/^\ttake(channel/{h;d}; /^\tmk_end_done(&channel->end, from);/G'
mutant death-unseen "process: killed" wake.c \
	's/return poll(&fd, 1, 0) > 0;/return false;/'
mutant last-messages-dropped "channel: waits" wake.c \
	'/^int urpc_wait/,/^}/ s/found = ready(channel, events);/found = peer_gone(channel) ? -EPIPE : ready(channel, events);/'
mutant hints-wake "channel: hints" channel.c \
	'/^int urpc_hint/,/^}/ s/return show(channel, 0,/return urpc_send_flags(channel, 0,/'
mutant hints-take-all-room "channel: hints" channel.c \
	's/lines_of(bytes) + end->tx.slots \/ 2)/lines_of(bytes))/'
mutant seals-unchecked "hello: memory" area.c \
	's/(seals & SEALS) != SEALS/0/'
mutant size-unchecked "hello: memory" area.c \
	's/return st.st_size == (off_t)bytes ? 0 : -ERANGE;/return 0;/'
mutant any-file-is-an-eventfd "hello: offers" hello.c \
	's/return length == sizeof(want) - 1 &&.*/return true;/'
mutant any-version "hello: offers" hello.c \
	's/hello->version != URPC_VERSION/0/'
mutant extra-files-kept "hello: offers" hello.c \
	'/^static int hear/,/^}/ s/close_files(files);/;/'
mutant two-readers "hello: no second" channel.c \
	's/return -EBUSY;/;/'
mutant fork-unseen "channel: no second" channel.c \
	's/madvise(channel, sizeof(\*channel), MADV_WIPEONFORK)/0/'
mutant length-unchecked "hostile: every" channel.c \
	's/if (unused > MK_LINE_PAYLOAD ||/if (0 \&\&/'
mutant empty-acks "hostile: ack" channel.c \
	's/end->tx.acked == acked ? -EBADMSG : 0/0/'
mutant error-forgotten "hostile: memory written b" channel.c \
	's/channel->error = ret;/;/'
mutant late-reply-taken "channel: calls" call.c \
	's/reply->tag == channel->tag/1/'
report_mutants
