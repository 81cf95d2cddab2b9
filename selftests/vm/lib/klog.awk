# SPDX-License-Identifier: GPL-2.0
#
# Kernel log of the guest. Reads records of /dev/kmsg ("6,339,5140900,-;text",
# continuation lines begin with a blank) or lines as a console prints them.
#
#   awk -f klog.awk LOG                  prints the log as dmesg would
#   awk -v mode=reports -f klog.awk LOG  prints each report with its context;
#                                        exit status 1 if there was one
#   awk -v mode=rest -f klog.awk LOG     prints all from 20 lines before the first
#                                        report on;
#                                        exit status 1 if there was one
#
#   awk -v mode=titles -f klog.awk LOG   prints the first line of each report;
#                                        exit status 1 if there was one
#
# A report is recognised by how the kernel begins it, not by a word somewhere
# in a line: a parameter may well be called "warning".

function is_report(text)
{
	return text ~ /^(------------\[ cut here|WARNING: |BUG: |kernel BUG at |Oops: |Call Trace:)/ ||
	       text ~ /^(BUG [A-Za-z0-9_.:-]+ \(|general protection fault|double fault|stack segment)/ ||
	       text ~ /^(invalid opcode|divide error|int3|traps: PANIC|unchecked MSR access)/ ||
	       text ~ /^(Kernel panic|UBSAN: |ODEBUG: |Bad page |(list_add|list_del) corruption)/ ||
	       text ~ /^INFO: (task .* blocked|rcu_|trying to register non-static|NMI handler|possible |suspicious )/ ||
	       text ~ /^\[ (INFO|BUG): / ||
	       text ~ /^rcu: (INFO: |.*kthread (starved|timer wakeup))/ ||
	       text ~ /^(NMI )?watchdog: (BUG: |Watchdog detected hard LOCKUP)/ ||
	       text ~ /^kmemleak: ([0-9]+ new suspected|unreferenced object|Kernel memory leak detector disabled)/ ||
	       text ~ /^mk-vm: kmemleak: /
}

{
	sub(/\r$/, "")
	line = $0
	text = $0
	if (match(line, /^[0-9]+,[0-9]+,[0-9]+,[^;]*;/)) {
		split(line, field, ",")
		text = substr(line, RLENGTH + 1)
		line = sprintf("[%5d.%06d] %s", int(field[3] / 1000000), \
			       field[3] % 1000000, text)
	} else if (match(text, /^(<[0-9]+>)?\[ *[0-9]+\.[0-9]+\]( *\[[ TC0-9]+\])? /)) {
		text = substr(text, RLENGTH + 1)
	} else {
		# A continuation (" SUBSYSTEM=pci") is not a message.
		text = ""
	}
}

mode == "" { print line; next }

{
	lines[++count] = line
	texts[count] = text
	counts[count] = text != "" && is_report(text)
}

# The kernel races with itself where it sees no harm in it, and KCSAN tells. Only
# a race of a module's code is news: a function of one made one of the two
# accesses, or called the function that did.
function dismiss_races(   i, first, depth, frames, ours)
{
	for (i = 1; i <= count; i++) {
		if (texts[i] ~ /^BUG: KCSAN: /) {
			first = i
			depth = frames = ours = 0
		} else if (first && texts[i] ~ /^=====/) {
			if (frames && !ours)
				counts[first] = 0
			first = 0
		} else if (first && texts[i] ~ / (by (task|interrupt)|to) .*:$/) {
			depth = 2
		} else if (first && texts[i] ~ /^ .*\+0x[0-9a-f]+\/0x[0-9a-f]+/) {
			frames++
			if (depth-- > 0 && texts[i] ~ / \[[A-Za-z0-9_]+\]/)
				ours++
		}
	}
}

# Two lines before a report, and all that follows closely.
function print_reports(   i, left, shown)
{
	for (i = 1; i <= count; i++) {
		if (counts[i]) {
			if (!left) {
				if (shown)
					print "  ..."
				if (i > shown + 2)
					print lines[i - 2]
				if (i > shown + 1)
					print lines[i - 1]
			}
			left = 26
		}
		if (left > 0) {
			print lines[i]
			shown = i
			left--
		}
	}
}

END {
	if (mode == "")
		exit 0
	dismiss_races()
	for (i = 1; i <= count && !counts[i]; i++)
		;
	found = i <= count
	if (mode == "reports")
		print_reports()
	if (mode == "rest" && found)
		for (i = i > 20 ? i - 20 : 1; i <= count; i++)
			print lines[i]
	if (mode == "titles")
		for (i = 1; i <= count; i++)
			if (counts[i])
				print texts[i]
	exit found
}
