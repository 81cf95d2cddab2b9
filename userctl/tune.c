// SPDX-License-Identifier: GPL-2.0
/*
 * Settings of the kernel that make times differ from run to run.
 *
 * Only those are set that can be put back as they were: switching siblings
 * off, for one, takes CPUs away from running programs, so that is left to the
 * user.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mkctl.h"
#include "tree.h"
#include "tune.h"

#define CPU_DIR		"/sys/devices/system/cpu"
#define BUSY_LOAD	0.5	/* runnable programs beside ours */

static const struct setting {
	const char *pattern;	/* files, as glob() takes them */
	const char *wanted;
	const char *spoils;	/* follows the name of the file and its value */
	const char *mend;
} settings[] = {
	{ CPU_DIR "/cpu[0-9]*/cpufreq/scaling_governor", "performance",
	  "the clock rate changes under way", "cpupower frequency-set -g performance" },
	{ CPU_DIR "/intel_pstate/no_turbo", "1",
	  "the clock rate depends on how many CPUs work", "echo 1 into it" },
	{ CPU_DIR "/cpufreq/boost", "0",
	  "the clock rate depends on how many CPUs work", "echo 0 into it" },
	{ "/proc/sys/kernel/numa_balancing", "0",
	  "pages are unmapped and moved under way", "sysctl kernel.numa_balancing=0" },
	{ "/proc/sys/kernel/nmi_watchdog", "0",
	  "it interrupts CPUs and takes a counter", "sysctl kernel.nmi_watchdog=0" },
	{ "/sys/kernel/mm/ksm/run", "0",
	  "pages are write-protected and merged under way", "echo 0 into it" },
};

#define NR_SETTINGS (sizeof(settings) / sizeof(settings[0]))

void tune_init(struct tune *tune, const char *root)
{
	*tune = (struct tune){ .root = root, .latency = -1 };
}

static char *first_line(const struct tune *tune, const char *path)
{
	char *full = mkctl_printf("%s%s", tune->root, path);
	char *text = file_read_line(full);

	free(full);
	return text;
}

/* 0 or -errno. */
static int put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), ret = 0;
	size_t len = strlen(value);
	ssize_t done;

	if (fd < 0)
		return -errno;
	done = write(fd, value, len);
	if (done != (ssize_t)len)
		ret = done < 0 ? -errno : -EIO;
	close(fd);
	return ret;
}

/* The files of a setting that have another value than @setting wants. */
static void other_files(const struct tune *tune, const struct setting *setting,
			void (*found)(const struct setting *setting,
				      const char *path, const char *value,
				      void *data), void *data)
{
	char *pattern = mkctl_printf("%s%s", tune->root, setting->pattern), *value;
	glob_t files;
	size_t i;

	if (!glob(pattern, 0, NULL, &files)) {
		for (i = 0; i < files.gl_pathc; i++) {
			value = file_read_line(files.gl_pathv[i]);
			if (value && *value && strcmp(value, setting->wanted))
				found(setting, files.gl_pathv[i], value, data);
			free(value);
		}
		globfree(&files);
	}
	free(pattern);
}

struct applying {
	struct tune *tune;
	json_t *tuned;
};

static void set_file(const struct setting *setting, const char *path,
		     const char *value, void *data)
{
	struct applying *applying = data;
	struct tune *tune = applying->tune;
	int ret = put(path, setting->wanted);

	if (ret) {
		mkctl_error("cannot set %s to %s: %s", path, setting->wanted,
			    strerror(-ret));
		return;
	}
	tune->changes = mkctl_grow(tune->changes, tune->nr + 1,
				   sizeof(*tune->changes));
	tune->changes[tune->nr].path = mkctl_printf("%s", path);
	tune->changes[tune->nr++].old = mkctl_printf("%s", value);
	json_array_append_new(applying->tuned,
			      json_pack("{s:s, s:s, s:s}", "path",
					path + strlen(tune->root), "was", value,
					"set", setting->wanted));
}

/* While the file is open with a 0 in it, CPUs wake up at once. */
static void forbid_deep_sleep(struct tune *tune, json_t *tuned)
{
	char *path = mkctl_printf("%s/dev/cpu_dma_latency", tune->root);
	int32_t none = 0;

	tune->latency = open(path, O_WRONLY | O_CLOEXEC);
	if (tune->latency >= 0 &&
	    write(tune->latency, &none, sizeof(none)) != sizeof(none)) {
		mkctl_error("cannot keep CPUs from deep sleep: %s", strerror(errno));
		close(tune->latency);
		tune->latency = -1;
	}
	if (tune->latency >= 0)
		json_array_append_new(tuned,
				      json_pack("{s:s, s:s}", "path",
						"/dev/cpu_dma_latency", "set", "0"));
	free(path);
}

void tune_apply(struct tune *tune, json_t *env)
{
	struct applying applying = { tune, json_array() };
	size_t i;

	for (i = 0; i < NR_SETTINGS; i++)
		other_files(tune, &settings[i], set_file, &applying);
	forbid_deep_sleep(tune, applying.tuned);
	json_object_set_new(env, "tuned", applying.tuned);
}

/* One line, on stderr and into the list; takes @text over. */
static void warn(json_t *list, char *text)
{
	mkctl_error("warning: %s", text);
	json_array_append_new(list, json_string(text));
	free(text);
}

struct warning {
	size_t nr;
	char *value, *path;
};

static void count_file(const struct setting *setting, const char *path,
		       const char *value, void *data)
{
	struct warning *warning = data;

	(void)setting;
	if (warning->nr++)
		return;
	warning->value = mkctl_printf("%s", value);
	warning->path = mkctl_printf("%s", path);
}

static void warn_load(const struct tune *tune, json_t *list)
{
	char *load = first_line(tune, "/proc/loadavg");

	if (load && strtod(load, NULL) > BUSY_LOAD)
		warn(list, mkctl_printf("the load is %.4s: %s", load,
					"other programs take time from it; stop them"));
	free(load);
}

static void warn_siblings(const struct tune *tune, json_t *list)
{
	char *active = first_line(tune, CPU_DIR "/smt/active");

	if (active && !strcmp(active, "1"))
		warn(list, mkctl_printf("SMT is on: %s, or echo off > %s/smt/control",
					"siblings share a core; take one of each core with --cpus",
					CPU_DIR));
	free(active);
}

void tune_warn(const struct tune *tune, json_t *env)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < NR_SETTINGS; i++) {
		struct warning warning = { 0 };
		char *more = NULL;

		other_files(tune, &settings[i], count_file, &warning);
		if (!warning.nr)
			continue;
		if (warning.nr > 1)
			more = mkctl_printf(" (and %zu more)", warning.nr - 1);
		warn(list, mkctl_printf("%s%s is %s: %s; %s, or let --tune set it for the run",
					warning.path + strlen(tune->root),
					more ? more : "", warning.value,
					settings[i].spoils, settings[i].mend));
		free(more);
		free(warning.value);
		free(warning.path);
	}
	warn_siblings(tune, list);
	warn_load(tune, list);
	json_object_set_new(env, "warnings", list);
}

int tune_restore(struct tune *tune)
{
	int ret, failed = 0;

	while (tune->nr) {
		struct tune_change *change = &tune->changes[--tune->nr];

		ret = put(change->path, change->old);
		if (ret) {
			mkctl_error("cannot put %s back to %s: %s; do it by hand",
				    change->path, change->old, strerror(-ret));
			failed = -1;
		}
		free(change->path);
		free(change->old);
	}
	free(tune->changes);
	tune->changes = NULL;
	if (tune->latency >= 0)
		close(tune->latency);
	tune->latency = -1;
	return failed;
}
