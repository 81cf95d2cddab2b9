#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# mutants.sh ROOT DIR: break the ring on purpose, in one way at a time, and see
# that the tests notice. Each mutant is a sed script over a copy of the headers;
# one that changes nothing, or does not compile, is an error here.
#
# A mutant is built with the sanitizer that is to see it ("none" for those that
# plain checks see), and runs the tests whose names contain the given words; the
# first of these is the file that they are in.
set -eu

root=$1
dir=$2
cc=${CC:-gcc}
# shellcheck source=selftests/mutants.sh
. "$root/selftests/mutants.sh"

# build NAME SANITIZER TEST FILE SED
build()
{
	mkdir "$dir/$1/urpc"
	cp "$root"/urpc/ring.h "$root"/urpc/inplace.h "$root"/urpc/user.h \
		"$dir/$1/urpc"
	break_source "$1" "$root/urpc/$4" "$dir/$1/urpc/$4" "$5" || return 0
	san=
	[ "$2" = none ] || san="-fsanitize=$2 -fno-builtin-memcpy"
	# shellcheck disable=SC2086 # words are meant to be split
	$cc -std=gnu11 -g -O1 -w $san -I"$dir/$1" -I. -pthread main.c pair.c \
		"test_$3.c" -o "$dir/$1/ring_test" 2> "$dir/$1/error" ||
		echo "does not build" >> "$dir/$1/error"
}

# attempt NAME SANITIZER WORDS FILE SED
attempt()
{
	build "$1" "$2" "${3%%:*}" "$4" "$5"
	run_tests "$1" env TSAN_OPTIONS=halt_on_error=1 \
		timeout 60 "$dir/$1/ring_test" "$3"
}

publish='/^static __always_inline void mk_tx_publish/,/^}/'
recv='/^static __always_inline int mk_rx_take/,/^}/'
look='/^static __always_inline int mk_rx_look/,/^}/'
line='/^static inline const struct mk_line .mk_rx_line/,/^}/'
done='/^static __always_inline void mk_end_done/,/^}/'
write='/^static __always_inline void mk_inplace_write/,/^}/'

mutant header-before-payload thread "threads: full" ring.h "$publish {
	/mk_line_write(&tx->line\[tx->head & mask\]/d
	s/^\tmk_tx_show(.*/&\n\tmk_line_write(\&tx->line[(tx->head - lines) \& mask], word, MK_LINE_WORDS);/
}"
mutant first-line-before-others thread "threads: full" ring.h "$publish {
	s/^\tfor (i = 1;/\tmk_tx_show(tx, header, lines);\n\ttx->head -= lines;\n&/
	s/^\tmk_tx_show(tx, header, lines);\$/\ttx->head += lines;/
}"
mutant epoch-not-flipped none "unit: every length" ring.h \
	's/return !(pos & slots);/return 1;/'
mutant epoch-of-zero none "unit: a zeroed" ring.h \
	's/return !(pos & slots);/return !!(pos \& slots);/'
mutant continuation-without-epoch none "unit: every length" ring.h \
	"$publish { /WRITE_ONCE(line->header/d }"
# of a long message: what is given back one line too soon, the reserved slot hides
mutant credit-before-copy thread "threads: full" ring.h "$recv {
	s/^\tfor (i = 1;/\tend->rx.tail += view.lines;\n\tif (mk_end_ack_due(end))\n\t\tmk_end_ack(end);\n\tend->rx.tail -= view.lines;\n&/
}"
mutant no-reserved-slot none "flow: two full rings do" ring.h \
	's/return free ? free - 1 : 0;/return free;/'
mutant acknowledges-nothing none "flow: nor if told" ring.h \
	's/if (!mk_end_owed(end))/if (0)/'
mutant ack-unchecked none "hostile: every" ring.h \
	's/if (unlikely(given > mk_end_outstanding(end)))/if (0)/'
mutant ack-of-8-bits none "hostile: every" ring.h \
	"$look s/given = (u16)/given = (u8)/"
mutant ack-overwrites-data none "unit: full ring" ring.h \
	's/if (end->tx.slots == mk_end_outstanding(end))/if (0)/'
mutant position-unmasked address "unit: every length" ring.h \
	"$line s/(rx->tail + i) & (rx->slots - 1)/rx->tail + i/"
mutant gives-back-one-line none "unit: looked at" ring.h \
	"$done s/+= view->lines/+= 1/"
mutant look-is-a-receipt none "unit: looked at" ring.h \
	"$look s/^\treturn 1;/\tend->rx.tail += view->lines;\n&/"
mutant position-of-16-bits none "unit: every length" ring.h \
	's/^\ttx->head += lines;/\ttx->head = (u16)(tx->head + lines);/'
mutant no-release thread "threads: full" ring.h \
	's/smp_store_release(&first->header, header)/WRITE_ONCE(first->header, header)/'
mutant no-acquire thread "threads: full" ring.h \
	's/smp_load_acquire(&mk_rx_line(rx, 0)->header)/READ_ONCE(mk_rx_line(rx, 0)->header)/'
mutant length-unchecked none "unit: lengths" ring.h \
	's/if (unlikely(lines - 1 >= MK_MESSAGE_LINES))/if (0)/'
mutant inplace-header-first thread "threads: RPC" inplace.h "$write {
	/mk_line_write/d
	s/^}/\tmemcpy(side->line->word, word, words * sizeof(*word));\n}/
}"
mutant inplace-reply-twice none "inplace: turns" inplace.h \
	's/if (!side->open ||/if (/'
mutant inplace-call-unanswered none "inplace: turns" inplace.h \
	's/if (unlikely(side->open))/if (0)/'
mutant inplace-any-number none "inplace: headers" inplace.h \
	's/0xffffffffull << MK_HDR_TAG_SHIFT |/0ull |/'
report_mutants
