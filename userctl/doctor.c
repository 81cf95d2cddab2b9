// SPDX-License-Identifier: GPL-2.0
/*
 * Can the module be loaded here?
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor.h"
#include "mkctl.h"
#include "tree.h"

#define MODULE	"multikernel.ko"

void doctor_say(struct doctor *doctor, enum doctor_level level, const char *what,
		const char *todo, const char *fmt, ...)
{
	static const char *const words[] = { "ok", "warn", "fail" };
	va_list args;

	doctor->count[level]++;
	printf("%-4s  %s: ", words[level], what);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	if (todo)
		printf("; %s", todo);
	putchar('\n');
}

char *doctor_read(const struct doctor *doctor, const char *path)
{
	char *full = mkctl_printf("%s%s", doctor->root, path);
	char *text = file_read(full, NULL);

	free(full);
	return text;
}

char *doctor_line(const struct doctor *doctor, const char *path)
{
	char *text = doctor_read(doctor, path);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

int doctor_has(const struct doctor *doctor, const char *path)
{
	char *full = mkctl_printf("%s%s", doctor->root, path);
	int there = !access(full, F_OK);

	free(full);
	return there;
}

/* Is the first line of @path this word? */
static int says(const struct doctor *doctor, const char *path, const char *word)
{
	char *line = doctor_line(doctor, path);
	int same = line && !strcmp(line, word);

	free(line);
	return same;
}

static void check_kernel(struct doctor *doctor, const char *release)
{
	struct utsname name;

	uname(&name);
	if (strcmp(name.machine, "x86_64"))
		doctor_say(doctor, DOCTOR_FAIL, "processor", "use an x86-64 machine",
			   "%s", name.machine);
	if (!strncmp(release, "6.1.", 4))
		doctor_say(doctor, DOCTOR_OK, "kernel", NULL, "%s", release);
	else
		doctor_say(doctor, DOCTOR_FAIL, "kernel",
			   "boot a 6.1 kernel (Debian 12 has one)",
			   "%s, but the module is written for Linux 6.1", release);
}

/* The release that a module file is for: what stands behind vermagic= in it. */
static char *built_for(const char *path)
{
	size_t len = 0, i;
	char *file = file_read(path, &len), *at, *release = NULL;
	static const char mark[] = "vermagic=";

	for (i = 0; file && i + sizeof(mark) < len; i++) {
		at = memchr(file + i, 'v', len - i - sizeof(mark));
		if (!at)
			break;
		i = at - file;
		if (memcmp(at, mark, sizeof(mark) - 1))
			continue;
		at += sizeof(mark) - 1;
		release = mkctl_strndup(at, strcspn(at, " "));
		break;
	}
	free(file);
	return release;
}

/* Where modprobe would find it, as modules.dep has it; the caller frees it. */
static char *installed(const struct doctor *doctor, const char *release)
{
	char *path = mkctl_printf("/lib/modules/%s/modules.dep", release);
	char *list = doctor_read(doctor, path), *at, *line, *found = NULL;

	free(path);
	at = list ? strstr(list, "/" MODULE) : NULL;
	if (at) {
		for (line = at; line > list && line[-1] != '\n'; line--)
			;
		found = mkctl_printf("%s/lib/modules/%s/%.*s", doctor->root, release,
				     (int)strcspn(line, ":\n"), line);
	}
	free(list);
	return found;
}

static void check_module(struct doctor *doctor, const char *release)
{
	char *headers = mkctl_printf("/lib/modules/%s/build/Makefile", release);
	char *todo = mkctl_printf("apt install linux-headers-%s, then make", release);
	char *file = installed(doctor, release), *release_of = NULL;

	if (!file && !access(MODULE, R_OK) && !*doctor->root)
		file = mkctl_printf("%s", MODULE);
	if (file)
		release_of = built_for(file);
	if (doctor_has(doctor, headers))
		doctor_say(doctor, DOCTOR_OK, "headers", NULL, "there are those of %s", release);
	else if (!release_of || strcmp(release_of, release))
		doctor_say(doctor, DOCTOR_FAIL, "headers", todo,
			   "none of %s, so nothing can be built for it", release);
	if (!file)
		doctor_say(doctor, DOCTOR_WARN, "module",
			   "make, or make modules_install",
			   "neither installed nor in this directory");
	else if (!release_of || strcmp(release_of, release))
		doctor_say(doctor, DOCTOR_FAIL, "module", "build it again: make",
			   "%s is for %s", file, release_of ? release_of : "no kernel at all");
	else
		doctor_say(doctor, DOCTOR_OK, "module", NULL, "%s is for this kernel", file);
	free(release_of);
	free(file);
	free(todo);
	free(headers);
}

static void check_allowed(struct doctor *doctor)
{
	char *lockdown = doctor_line(doctor, "/sys/kernel/security/lockdown");

	if (says(doctor, "/proc/sys/kernel/modules_disabled", "1"))
		doctor_say(doctor, DOCTOR_FAIL, "modules", "reboot without that setting",
			   "loading was switched off (kernel.modules_disabled)");
	else if (lockdown && !strstr(lockdown, "[none]"))
		doctor_say(doctor, DOCTOR_FAIL, "modules",
			   "sign the module, or turn Secure Boot off",
			   "the kernel is locked down: %s", lockdown);
	else if (says(doctor, "/sys/module/module/parameters/sig_enforce", "Y"))
		doctor_say(doctor, DOCTOR_FAIL, "modules",
			   "sign it with a key that the kernel knows, or boot without module.sig_enforce",
			   "unsigned ones are refused");
	else
		doctor_say(doctor, DOCTOR_OK, "modules", NULL, "unsigned ones may be loaded");
	free(lockdown);
	if (!*doctor->root && geteuid())
		doctor_say(doctor, DOCTOR_WARN, "root", "use sudo",
			   "this is not root, which loads modules and reads debugfs");
}

static void check_config(struct doctor *doctor, const char *release)
{
	static const struct {
		const char *option, *use;
	} needed[] = {
		{ "CONFIG_MODULES", "modules" },
		{ "CONFIG_DEBUG_FS", "the module's tree" },
		{ "CONFIG_SMP", "several CPUs" },
		{ "CONFIG_NUMA", "nodes" },
		{ "CONFIG_MMU_NOTIFIER", "mirrors" },
		{ "CONFIG_TRACEPOINTS", "tracing" },
	};
	char *path = mkctl_printf("/boot/config-%s", release), *line;
	char *config = doctor_read(doctor, path);
	size_t i, missing = 0;

	for (i = 0; config && i < sizeof(needed) / sizeof(needed[0]); i++) {
		line = mkctl_printf("\n%s=y", needed[i].option);
		if (!strstr(config, line)) {
			doctor_say(doctor, DOCTOR_FAIL, "configuration",
				   "boot a kernel that has it",
				   "this one lacks %s, for %s", needed[i].option, needed[i].use);
			missing++;
		}
		free(line);
	}
	if (!config)
		doctor_say(doctor, DOCTOR_WARN, "configuration", NULL,
			   "cannot tell, there is no %s", path);
	else if (!missing)
		doctor_say(doctor, DOCTOR_OK, "configuration", NULL, "all that is needed");
	free(config);
	free(path);
}

static void check_debugfs(struct doctor *doctor)
{
	char *mounts = doctor_read(doctor, "/proc/mounts");
	char *line = doctor_line(doctor, "/proc/cmdline");

	if (line && strstr(line, "debugfs=off"))
		doctor_say(doctor, DOCTOR_FAIL, "debugfs", "boot without debugfs=off",
			   "the kernel was told to have none");
	else if (mounts && strstr(mounts, " /sys/kernel/debug debugfs "))
		doctor_say(doctor, DOCTOR_OK, "debugfs", NULL, "mounted");
	else
		doctor_say(doctor, DOCTOR_FAIL, "debugfs",
			   "sudo mount -t debugfs none /sys/kernel/debug", "not mounted");
	free(line);
	free(mounts);
}

void doctor_load(struct doctor *doctor)
{
	char *release = doctor_line(doctor, "/proc/sys/kernel/osrelease");

	if (!release) {
		doctor_say(doctor, DOCTOR_FAIL, "kernel", "mount /proc",
			   "cannot read /proc/sys/kernel/osrelease");
		return;
	}
	check_kernel(doctor, release);
	if (doctor->loaded) {
		doctor_say(doctor, DOCTOR_OK, "module", NULL, "it is loaded");
	} else {
		check_module(doctor, release);
		check_allowed(doctor);
	}
	check_config(doctor, release);
	check_debugfs(doctor);
	free(release);
}
