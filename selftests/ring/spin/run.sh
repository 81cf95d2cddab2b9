#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run.sh DIR: check the models of the ring, each in a directory below DIR.
set -eu

# shellcheck source=selftests/models/lib.sh
. "$(dirname "$0")/../../models/lib.sh"

model one-way holds ring.pml "-DFROM_1=0"
model two-ways holds ring.pml "-DFROM_0=3 -DFROM_1=2"
model flow holds flow.pml ""
model flow-longer-messages holds flow.pml "-DSLOTS=5 -DLINES=3"
model flow-early-acks holds flow.pml "-DOPTIONAL_ACK"
model flow-no-livelock holds flow.pml "" cycles

model header-before-payload "$wrong" ring.pml "-DFROM_1=0 -DHEADER_BEFORE_PAYLOAD"
model no-release "$wrong" ring.pml "-DFROM_1=0 -DNO_RELEASE"
model no-acquire "$wrong" ring.pml "-DFROM_1=0 -DNO_ACQUIRE"
model epoch-not-flipped "$wrong" ring.pml "-DFROM_1=0 -DEPOCH_NOT_FLIPPED"
model continuation-without-epoch "$wrong" ring.pml \
	"-DFROM_1=0 -DCONTINUATION_WITHOUT_EPOCH"
model credit-before-copy "$wrong" ring.pml "-DFROM_1=0 -DCREDIT_BEFORE_COPY"
model no-reserved-slot "$dead" ring.pml \
	"-DFROM_0=3 -DFROM_1=2 -DNO_RESERVED_SLOT"
model silent-after-fin "$dead" ring.pml "-DFROM_1=0 -DSILENT_AFTER_FIN"
model flow-no-reserved-slot "$dead" flow.pml "-DNO_RESERVED_SLOT"
model flow-ack-of-nothing "$dead" flow.pml "-DACK_OF_NOTHING"
model flow-silent-after-fin "$dead" flow.pml "-DSILENT_AFTER_FIN"
model flow-ack-due-too-late "$dead" flow.pml "-DLINES=3"
model flow-ack-due-too-soon "$live" flow.pml "-DDUE=1" cycles

report
