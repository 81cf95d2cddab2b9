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

mode == "rest" && found { print line; next }

mode == "rest" {
	if (text != "" && is_report(text)) {
		for (i = (NR > 20 ? NR - 20 : 1); i < NR; i++)
			print kept[i % 20]
		print line
		found = 1
	}
	kept[NR % 20] = line
	next
}

# Two lines before a report, and all that follows closely.
{
	if (text != "" && is_report(text)) {
		if (!left) {
			if (found)
				print "  ..."
			if (before2 != "")
				print before2
			if (before1 != "")
				print before1
		}
		found = 1
		left = 25
	}
	if (left > 0) {
		print line
		left--
		before1 = before2 = ""
	} else {
		before2 = before1
		before1 = line
	}
}

END { exit mode != "" && found }
