// SPDX-License-Identifier: GPL-2.0
/*
 * Does what one wants to do with the module work here?
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "machine.h"
#include "mkctl.h"
#include "tree.h"

/* A line of /proc/cpuinfo or the like that begins with @name has the @word. */
static int has_word(const char *text, const char *name, const char *word)
{
	const char *line = text ? strstr(text, name) : NULL, *at;
	size_t len = strlen(word), end;

	if (!line)
		return 0;
	end = strcspn(line, "\n");
	for (at = line; (at = strstr(at, word)) && at < line + end; at += len)
		if (at[-1] == ' ' && strcspn(at, " \t\n") == len)
			return 1;
	return 0;
}

static void check_machine(struct doctor *doctor)
{
	char *sys = mkctl_printf("%s/sys", doctor->root), error[256];
	struct machine machine;

	if (machine_read(&machine, NULL, sys, error, sizeof(error)))
		doctor_say(doctor, DOCTOR_WARN, "CPUs", "mount /sys", "%s", error);
	else if (machine.nr_cpus < 2)
		doctor_say(doctor, DOCTOR_FAIL, "CPUs", "take a machine with more",
			   "one is on line, and it has nobody to send to");
	else if (machine.nr_nodes < 2)
		doctor_say(doctor, DOCTOR_WARN, "CPUs",
			   "a guest has some: selftests/vm/run --preset small",
			   "%zu on one node; what differs between nodes cannot be seen",
			   machine.nr_cpus);
	else
		doctor_say(doctor, DOCTOR_OK, "CPUs", NULL, "%zu on %zu nodes",
			   machine.nr_cpus, machine.nr_nodes);
	machine_free(&machine);
	free(sys);
}

static void check_clock(struct doctor *doctor, const char *info)
{
	char *source = doctor_line(doctor,
		"/sys/devices/system/clocksource/clocksource0/current_clocksource");

	if (source && strcmp(source, "tsc"))
		doctor_say(doctor, DOCTOR_WARN, "clock", "see the kernel log for tsc",
			   "the kernel uses %s: clocks of two CPUs are not compared", source);
	else if (!has_word(info, "flags", "constant_tsc") ||
		 !has_word(info, "flags", "nonstop_tsc"))
		doctor_say(doctor, DOCTOR_WARN, "clock", NULL,
			   "the TSC stops or changes its rate: one_way is not measured");
	else
		doctor_say(doctor, DOCTOR_OK, "clock", NULL, "the TSC has a constant rate");
	if (has_word(info, "flags", "hypervisor"))
		doctor_say(doctor, DOCTOR_WARN, "hardware", "repeat without one",
			   "a hypervisor: times are its times too");
	else
		doctor_say(doctor, DOCTOR_OK, "hardware", NULL, "no hypervisor");
	free(source);
}

void doctor_measure(struct doctor *doctor)
{
	char *info = doctor_read(doctor, "/proc/cpuinfo");
	char *governor = doctor_line(doctor,
		"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	char *smt = doctor_line(doctor, "/sys/devices/system/cpu/smt/active");
	char *load = doctor_line(doctor, "/proc/loadavg");

	check_machine(doctor);
	check_clock(doctor, info);
	if (governor && strcmp(governor, "performance"))
		doctor_say(doctor, DOCTOR_WARN, "frequency",
			   "cpupower frequency-set -g performance",
			   "the governor is %s: times depend on what ran before", governor);
	if (smt && !strcmp(smt, "1"))
		doctor_say(doctor, DOCTOR_WARN, "SMT",
			   "echo off > /sys/devices/system/cpu/smt/control",
			   "two threads of a core share it and disturb each other");
	if (load && atof(load) > 0.5)
		doctor_say(doctor, DOCTOR_WARN, "load", "end what else runs",
			   "%.4s of a CPU is busy already", load);
	free(load);
	free(smt);
	free(governor);
	free(info);
}

static char *read_experiment(const struct doctor *doctor, const char *name,
			     const char *file)
{
	char *path = mkctl_printf("%s/experiments/%s/%s", doctor->tree, name, file);
	char *text = file_read_line(path);

	free(path);
	return text;
}

static int need_tree(struct doctor *doctor, const char *what)
{
	if (!doctor->loaded)
		doctor_say(doctor, DOCTOR_FAIL, what, "sudo insmod multikernel.ko",
			   "the module is not loaded");
	else if (access(doctor->tree, R_OK | X_OK))
		doctor_say(doctor, DOCTOR_FAIL, what, "use sudo, and mount debugfs",
			   "cannot read %s", doctor->tree);
	else
		return 0;
	return -1;
}

static void check_cpus(struct doctor *doctor, const char *name)
{
	char *text = read_experiment(doctor, name, "cpus"), *dir;
	int *list = NULL, nr = text ? machine_list(text, &list) : 0, i, off = 0;

	for (i = 0; i < nr; i++) {
		dir = mkctl_printf("%s/topology/cpu%d", doctor->tree, list[i]);
		if (machine_number(dir, "online", 1) != 1)
			off++;
		free(dir);
	}
	if (nr > 0 && off == nr)
		doctor_say(doctor, DOCTOR_FAIL, name, "write others to its file cpus",
			   "none of its CPUs (%s) is on line", text);
	else if (off)
		doctor_say(doctor, DOCTOR_WARN, name, NULL,
			   "%d of its CPUs (%s) are not on line and left out", off, text);
	else if (nr == 1)
		doctor_say(doctor, DOCTOR_WARN, name, "write a list to its file cpus",
			   "it has CPU %s alone", text);
	free(list);
	free(text);
}

void doctor_experiment(struct doctor *doctor, const char *name)
{
	char *running, *agents;

	if (need_tree(doctor, name))
		return;
	running = read_experiment(doctor, name, "run");
	if (!running) {
		doctor_say(doctor, DOCTOR_FAIL, name, "mkctl list shows those that there are",
			   "there is no such experiment");
		return;
	}
	if (!strcmp(running, "1"))
		doctor_say(doctor, DOCTOR_FAIL, name, "wait, or write 0 to its file run",
			   "it runs at the moment");
	check_cpus(doctor, name);
	agents = read_experiment(doctor, name, "agents");
	if (agents && strcmp(agents, "0") && !doctor_has(doctor, "/dev/multikernel"))
		doctor_say(doctor, DOCTOR_WARN, name, "see /dev/multikernel",
			   "it wants agents, but there is no device: parts are left out");
	doctor_say(doctor, DOCTOR_OK, name, NULL, "it was looked at");
	free(agents);
	free(running);
}

/* A word of /proc/PID/status, NULL if there is none; the caller frees it. */
static char *status_of(const struct doctor *doctor, long pid, const char *name)
{
	char *path = mkctl_printf("/proc/%ld/status", pid), *value = NULL, *at;
	char *text = doctor_read(doctor, path);
	size_t len = strlen(name);

	for (at = text; at && *at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, name, len) && at[len] == ':') {
			at += len + 1 + strspn(at + len + 1, " \t");
			value = mkctl_strndup(at, strcspn(at, "\n"));
			break;
		}
	}
	free(text);
	free(path);
	return value;
}

static void check_process(struct doctor *doctor, long pid)
{
	char *name = status_of(doctor, pid, "Name"), *group = status_of(doctor, pid, "Tgid");
	char *memory = status_of(doctor, pid, "VmSize"), *state = status_of(doctor, pid, "State");
	char *mirror = mkctl_printf("%s/mirror/%ld", doctor->tree, pid);

	if (!name)
		doctor_say(doctor, DOCTOR_FAIL, "process", "see ps",
			   "there is no process %ld", pid);
	else if (group && atol(group) != pid)
		doctor_say(doctor, DOCTOR_FAIL, "process", "give the number of its process",
			   "%ld is a thread of %s", pid, group);
	else if (state && (*state == 'Z' || *state == 'X'))
		doctor_say(doctor, DOCTOR_FAIL, "process", NULL, "%ld (%s) has ended", pid, name);
	else if (!memory)
		doctor_say(doctor, DOCTOR_FAIL, "process", "give a process of user space",
			   "%ld (%s) is a kernel thread", pid, name);
	else if (!access(mirror, F_OK))
		doctor_say(doctor, DOCTOR_OK, "process", NULL, "%ld (%s) is mirrored now",
			   pid, name);
	else
		doctor_say(doctor, DOCTOR_OK, "process", NULL, "%ld (%s) can be mirrored",
			   pid, name);
	free(mirror);
	free(state);
	free(memory);
	free(group);
	free(name);
}

void doctor_mirror(struct doctor *doctor, long pid)
{
	char *meltdown = doctor_line(doctor,
				     "/sys/devices/system/cpu/vulnerabilities/meltdown");
	char *path;

	if (meltdown && strstr(meltdown, "PTI"))
		doctor_say(doctor, DOCTOR_FAIL, "mirror", "boot with pti=off",
			   "page-table isolation is on, and no process can be mirrored");
	else if (meltdown && strstr(meltdown, "Xen PV"))
		doctor_say(doctor, DOCTOR_FAIL, "mirror", "use another kind of guest",
			   "Xen PV has page tables of its own");
	else
		doctor_say(doctor, DOCTOR_OK, "mirror", NULL, "page tables may be switched");
	if (doctor->loaded && !access(doctor->tree, R_OK | X_OK)) {
		path = mkctl_printf("%s/mirror/attach", doctor->tree);
		if (access(path, F_OK))
			doctor_say(doctor, DOCTOR_FAIL, "mirror", "load a newer one",
				   "the module that is loaded has no mirrors");
		free(path);
	} else if (pid) {
		need_tree(doctor, "mirror");
	}
	if (pid)
		check_process(doctor, pid);
	free(meltdown);
}
