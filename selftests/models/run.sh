#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run.sh DIR: check the models of agreement, and of sleeping in liburpc, each in a
# directory below DIR.
set -eu

# shellcheck source=selftests/models/lib.sh
. "$(dirname "$0")/lib.sh"

model conflict holds agreement.pml "-DTWO"
model asked-twice holds agreement.pml "-DTWO -DTWICE"
model join holds agreement.pml "-DMEMBERS=2 -DJOIN -DTWO"
model join-asked-twice holds agreement.pml "-DMEMBERS=2 -DJOIN -DTWICE"
model leave holds agreement.pml "-DDIES"
model leave-asked-twice holds agreement.pml "-DDIES -DTWICE"
model leave-and-come-back holds agreement.pml "-DDIES -DCOMES_BACK"

model commit-before-all-votes "$wrong" agreement.pml "-DTWO -DCOMMIT_EARLY"
model votes-counted-not-named "$wrong" agreement.pml \
	"-DTWO -DTWICE -DCOUNT_VOTES"
model join-without-drain "$wrong" agreement.pml \
	"-DMEMBERS=2 -DJOIN -DJOIN_WITHOUT_DRAIN"
model join-without-freeze "$wrong" agreement.pml \
	"-DMEMBERS=2 -DJOIN -DJOIN_WITHOUT_FREEZE"
model no-view "$wrong" agreement.pml "-DMEMBERS=2 -DJOIN -DNO_VIEW"
model no-takeover "$wrong" agreement.pml "-DDIES -DNO_TAKEOVER"
model late-question-answered "$wrong" agreement.pml "-DDIES -DNO_SEEN"
model sent-is-received "$wrong" agreement.pml "-DDIES -DTRUST_THE_RING"

model relay holds agreement.pml "-DRELAY -DTWO"
model relay-beginner-leaves holds agreement.pml "-DRELAY -DTWICE -DDIES"
model relay-relay-leaves holds agreement.pml "-DRELAY -DTWICE -DDIES -DFIRST=2"
model relay-last-leaves holds agreement.pml "-DRELAY -DTWICE -DDIES -DFIRST=1"
model relay-does-not-wait "$wrong" agreement.pml "-DRELAY -DTWO -DRELAY_EARLY"
model relay-late-question-answered "$wrong" agreement.pml \
	"-DRELAY -DTWICE -DNO_SEEN"

model sleep holds sleep.pml ""
model sender-without-barrier "$dead" sleep.pml "-DNO_SENDER_BARRIER"
model sleeper-without-barrier "$dead" sleep.pml "-DNO_SLEEPER_BARRIER"
model no-second-look "$dead" sleep.pml "-DNO_SECOND_LOOK"
model count-taken-after-the-look "$dead" sleep.pml "-DLATE_DRAIN"
model never-written "$dead" sleep.pml "-DNO_WRITE"

report
