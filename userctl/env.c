// SPDX-License-Identifier: GPL-2.0
/*
 * Where a run was made: everything that makes two runs differ, as one JSON
 * object. What cannot be read is null, so that "not known" is not "none".
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "env.h"
#include "mkctl.h"

#define CPU_DIR		"/sys/devices/system/cpu"
#define NODE_DIR	"/sys/devices/system/node"
#define MODULE_DIR	"/sys/module/multikernel"

static void set(json_t *object, const char *name, json_t *value)
{
	json_object_set_new(object, name, value ? value : json_null());
}

/* Takes @text over; what is not UTF-8 becomes null. */
static json_t *text_value(char *text)
{
	json_t *value = text ? json_string(text) : NULL;

	free(text);
	return value;
}

static json_t *file_text(const char *path)
{
	char *text = file_read_line(path);
	size_t len;

	if (text) {
		len = strlen(text);
		while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
			text[--len] = '\0';
	}
	return text_value(text);
}

static json_t *text_number(const char *text)
{
	long long value;
	char *end;

	if (!text)
		return NULL;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || end == text || (*end && *end != '\n'))
		return NULL;
	return json_integer(value);
}

static json_t *file_number(const char *path)
{
	char *text = file_read_line(path);
	json_t *value = text_number(text);

	free(text);
	return value;
}

static json_t *tree_text(const struct tree *tree, const char *path)
{
	return text_value(tree_read_line(tree, path));
}

static json_t *tree_number(const struct tree *tree, const char *path)
{
	char *text = tree_read_line(tree, path);
	json_t *value = text_number(text);

	free(text);
	return value;
}

/* The choice in brackets: "always [madvise] never". */
static json_t *file_chosen(const char *path)
{
	char *text = file_read_line(path), *open, *close;
	json_t *value = NULL;

	open = text ? strchr(text, '[') : NULL;
	close = open ? strchr(open, ']') : NULL;
	if (close) {
		*close = '\0';
		value = json_string(open + 1);
	}
	free(text);
	return value;
}

/* "name : value" of the first processor in /proc/cpuinfo. */
static json_t *cpuinfo(const char *info, const char *name)
{
	size_t len = strlen(name), blank;
	const char *line;

	for (line = info; line && *line; line += strspn(line, "\n")) {
		blank = len + strspn(line + (strncmp(line, name, len) ? 0 : len), "\t ");
		if (!strncmp(line, name, len) && line[blank] == ':') {
			line += blank + 1;
			line += strspn(line, " ");
			return text_value(mkctl_strndup(line, strcspn(line, "\n")));
		}
		line += strcspn(line, "\n");
	}
	return NULL;
}

static int has_flag(const char *flags, const char *flag)
{
	size_t len = strlen(flag);
	const char *at = flags;

	while ((at = strstr(at, flag))) {
		if ((at == flags || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return 1;
		at += len;
	}
	return 0;
}

static json_t *collect_cpu(void)
{
	static const char *const flags[] = {
		"constant_tsc", "nonstop_tsc", "rdtscp", "monitor", "pcid",
		"invpcid", "la57", "movdir64b", "hypervisor",
	};
	char *info = file_read("/proc/cpuinfo", NULL);
	json_t *cpu = json_object(), *list, *all;
	size_t i;

	set(cpu, "model", cpuinfo(info, "model name"));
	set(cpu, "vendor", cpuinfo(info, "vendor_id"));
	set(cpu, "family", cpuinfo(info, "cpu family"));
	set(cpu, "model_number", cpuinfo(info, "model"));
	set(cpu, "stepping", cpuinfo(info, "stepping"));
	set(cpu, "microcode", cpuinfo(info, "microcode"));
	set(cpu, "mhz", cpuinfo(info, "cpu MHz"));
	set(cpu, "online", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
	set(cpu, "online_list", file_text(CPU_DIR "/online"));
	set(cpu, "possible_list", file_text(CPU_DIR "/possible"));
	set(cpu, "isolated_list", file_text(CPU_DIR "/isolated"));
	all = cpuinfo(info, "flags");
	list = json_array();
	for (i = 0; all && i < sizeof(flags) / sizeof(flags[0]); i++)
		if (has_flag(json_string_value(all), flags[i]))
			json_array_append_new(list, json_string(flags[i]));
	set(cpu, "flags", list);
	json_decref(all);
	free(info);
	return cpu;
}

/* [10, 20, …] of "10 20 …" */
static json_t *numbers(char *text)
{
	json_t *list = json_array();
	char *save = NULL, *word;

	for (word = text ? strtok_r(text, " \t", &save) : NULL; word;
	     word = strtok_r(NULL, " \t", &save))
		json_array_append_new(list, json_integer(atoll(word)));
	free(text);
	return list;
}

/* The number at the end of ".../cpu12". */
static int last_number(const char *path)
{
	const char *digits = path + strlen(path);

	while (digits > path && digits[-1] >= '0' && digits[-1] <= '9')
		digits--;
	return atoi(digits);
}

static int compare_paths(const void *a, const void *b)
{
	int x = last_number(*(char *const *)a), y = last_number(*(char *const *)b);

	return x < y ? -1 : x > y;
}

/* One object per directory that matches @pattern, made by @describe. */
static json_t *each(const char *pattern, json_t *(*describe)(const char *path, int nr))
{
	json_t *list = json_array();
	glob_t found;
	size_t i;

	if (!glob(pattern, 0, NULL, &found)) {
		qsort(found.gl_pathv, found.gl_pathc, sizeof(char *), compare_paths);
		for (i = 0; i < found.gl_pathc; i++)
			json_array_append_new(list, describe(found.gl_pathv[i],
							     last_number(found.gl_pathv[i])));
		globfree(&found);
	}
	return list;
}

/* @dir/@name as a number or, where @text is set, as text. */
static json_t *attribute(const char *dir, const char *name, int text)
{
	char *path = mkctl_printf("%s/%s", dir, name);
	json_t *value = text ? file_text(path) : file_number(path);

	free(path);
	return value;
}

static json_t *describe_node(const char *path, int nr)
{
	json_t *node = json_object();
	char *name, *info, *total;

	set(node, "node", json_integer(nr));
	set(node, "cpus", attribute(path, "cpulist", 1));
	name = mkctl_printf("%s/distance", path);
	set(node, "distance", numbers(file_read_line(name)));
	free(name);
	name = mkctl_printf("%s/meminfo", path);
	info = file_read_line(name);	/* its first line is MemTotal */
	total = info ? strstr(info, "MemTotal:") : NULL;
	set(node, "memory_kb", total ? json_integer(atoll(total + 9)) : NULL);
	free(info);
	free(name);
	return node;
}

static json_t *describe_cpu(const char *path, int nr)
{
	json_t *cpu = json_object();
	char *pattern;
	glob_t found;

	set(cpu, "cpu", json_integer(nr));
	set(cpu, "package", attribute(path, "topology/physical_package_id", 0));
	set(cpu, "core", attribute(path, "topology/core_id", 0));
	set(cpu, "siblings", attribute(path, "topology/thread_siblings_list", 1));
	pattern = mkctl_printf("%s/node[0-9]*", path);
	if (!glob(pattern, 0, NULL, &found)) {
		set(cpu, "node", json_integer(last_number(found.gl_pathv[0])));
		globfree(&found);
	} else {
		set(cpu, "node", NULL);
	}
	free(pattern);
	return cpu;
}

static json_t *describe_cache(const char *path, int nr)
{
	json_t *cache = json_object();

	(void)nr;
	set(cache, "level", attribute(path, "level", 0));
	set(cache, "type", attribute(path, "type", 1));
	set(cache, "size", attribute(path, "size", 1));
	set(cache, "line", attribute(path, "coherency_line_size", 0));
	set(cache, "cpus", attribute(path, "shared_cpu_list", 1));
	return cache;
}

static json_t *collect_topology(void)
{
	json_t *topology = json_object();

	set(topology, "nodes", each(NODE_DIR "/node[0-9]*", describe_node));
	set(topology, "cpus", each(CPU_DIR "/cpu[0-9]*", describe_cpu));
	set(topology, "caches_of_cpu0", each(CPU_DIR "/cpu0/cache/index[0-9]*",
					     describe_cache));
	return topology;
}

static json_t *collect_mitigations(void)
{
	json_t *all = json_object();
	glob_t found;
	size_t i;

	if (!glob(CPU_DIR "/vulnerabilities/*", 0, NULL, &found)) {
		for (i = 0; i < found.gl_pathc; i++)
			set(all, strrchr(found.gl_pathv[i], '/') + 1,
			    file_text(found.gl_pathv[i]));
		globfree(&found);
	}
	return all;
}

static json_t *collect_kernel(void)
{
	json_t *kernel = json_object();
	struct utsname name;

	if (!uname(&name)) {
		set(kernel, "release", json_string(name.release));
		set(kernel, "version", json_string(name.version));
		set(kernel, "machine", json_string(name.machine));
	}
	set(kernel, "command_line", file_text("/proc/cmdline"));
	set(kernel, "tainted", file_number("/proc/sys/kernel/tainted"));
	set(kernel, "thp", file_chosen("/sys/kernel/mm/transparent_hugepage/enabled"));
	set(kernel, "numa_balancing", file_number("/proc/sys/kernel/numa_balancing"));
	set(kernel, "nmi_watchdog", file_number("/proc/sys/kernel/nmi_watchdog"));
	set(kernel, "clocksource",
	    file_text("/sys/devices/system/clocksource/clocksource0/current_clocksource"));
	return kernel;
}

static json_t *collect_power(void)
{
	json_t *power = json_object();

	set(power, "governor", file_text(CPU_DIR "/cpu0/cpufreq/scaling_governor"));
	set(power, "driver", file_text(CPU_DIR "/cpu0/cpufreq/scaling_driver"));
	set(power, "no_turbo", file_number(CPU_DIR "/intel_pstate/no_turbo"));
	set(power, "boost", file_number(CPU_DIR "/cpufreq/boost"));
	set(power, "idle_driver", file_text(CPU_DIR "/cpuidle/current_driver"));
	set(power, "smt_active", file_number(CPU_DIR "/smt/active"));
	set(power, "smt_control", file_text(CPU_DIR "/smt/control"));
	return power;
}

static json_t *collect_module(const struct tree *tree)
{
	json_t *module = json_object(), *values = json_object();
	glob_t found;
	size_t i;

	set(module, "version", tree_text(tree, "version"));
	set(module, "srcversion", file_text(MODULE_DIR "/srcversion"));
	if (!glob(MODULE_DIR "/parameters/*", 0, NULL, &found)) {
		for (i = 0; i < found.gl_pathc; i++)
			set(values, strrchr(found.gl_pathv[i], '/') + 1,
			    file_text(found.gl_pathv[i]));
		globfree(&found);
	}
	set(module, "parameters", values);
	return module;
}

static json_t *collect_clock(const struct tree *tree)
{
	json_t *clock = json_object();

	set(clock, "overhead_cycles", tree_number(tree, "clock/overhead"));
	set(clock, "khz", tree_number(tree, "clock/khz"));
	set(clock, "stable", tree_number(tree, "clock/stable"));
	return clock;
}

json_t *env_collect(const struct tree *tree)
{
	const char *accel = getenv("MK_ACCEL"), *host = getenv("MK_HOST_CPU");
	json_t *env = json_object(), *load;
	char stamp[64] = "";
	double loads[3];
	time_t now = time(NULL);
	struct tm tm;
	int i;

	if (localtime_r(&now, &tm))
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S%z", &tm);
	set(env, "format", json_integer(1));
	set(env, "mkctl", json_string(MKCTL_VERSION));
	set(env, "time", json_string(stamp));
	set(env, "emulated", tree_number(tree, "clock/emulated"));
	set(env, "hypervisor", tree_text(tree, "clock/hypervisor"));
	set(env, "accelerator", accel ? json_string(accel) : NULL);
	/* A guest cannot see its host: who boots it may tell. */
	set(env, "host_cpu", host ? json_string(host) : NULL);
	set(env, "host_cpus", text_number(getenv("MK_HOST_CPUS")));
	set(env, "cpu", collect_cpu());
	set(env, "topology", collect_topology());
	set(env, "kernel", collect_kernel());
	set(env, "mitigations", collect_mitigations());
	set(env, "power", collect_power());
	set(env, "module", collect_module(tree));
	set(env, "clock", collect_clock(tree));
	load = json_array();
	if (getloadavg(loads, 3) == 3)
		for (i = 0; i < 3; i++)
			json_array_append_new(load, json_real(loads[i]));
	set(env, "load_before", load);
	set(env, "runs", json_array());
	return env;
}

int env_write(const json_t *env, const char *path)
{
	char *next = mkctl_printf("%s.tmp", path);
	FILE *file = fopen(next, "we");
	int ret = -1, reason;

	if (file) {
		ret = json_dumpf(env, file, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
		if (fputc('\n', file) == EOF || fflush(file))
			ret = -1;
		if (fclose(file))
			ret = -1;
		if (!ret)
			ret = rename(next, path);
	}
	reason = errno;
	if (ret)
		unlink(next);
	free(next);
	errno = reason;
	return ret;
}

json_t *env_load(const char *path, char *error, size_t error_len)
{
	json_error_t where;
	json_t *env;

	*error = '\0';
	if (access(path, R_OK) && errno == ENOENT)
		return NULL;
	env = json_load_file(path, 0, &where);
	if (!env)
		snprintf(error, error_len,
			 "%s: line %d is not JSON; the tables do without it",
			 path, where.line);
	else if (!json_is_object(env))
		snprintf(error, error_len,
			 "%s is not about a run; the tables do without it", path);
	else
		return env;
	json_decref(env);
	return NULL;
}

/* Text of a file goes to the terminal only if it cannot steer it. */
static const char *plain(const json_t *value)
{
	const char *text = json_string_value(value), *p;

	for (p = text; p && *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return NULL;
	return text;
}

const char *env_text(const json_t *env, const char *path)
{
	char *copy = mkctl_printf("%s", path), *save = NULL, *part;

	for (part = strtok_r(copy, ".", &save); part && env;
	     part = strtok_r(NULL, ".", &save))
		env = json_object_get(env, part);
	free(copy);
	return env ? plain(env) : NULL;
}

char *env_headline(const json_t *env)
{
	const char *model = env_text(env, "cpu.model");
	const char *kernel = env_text(env, "kernel.release");
	const char *host = env_text(env, "host_cpu");
	const char *when = env_text(env, "time");
	const char *modelled = env_text(env, "modelled");
	const json_t *online = json_object_get(json_object_get(env, "cpu"), "online");
	const json_t *nodes = json_object_get(json_object_get(env, "topology"), "nodes");

	if (modelled)
		return mkctl_printf("modelled, not measured: %s, %lld cores, %zu nodes\n%s",
				    modelled, (long long)json_integer_value(online),
				    json_array_size(nodes), when ? when : "unknown time");
	return mkctl_printf("%s%s%s, %lld CPU%s, %zu node%s\nLinux %s, %s",
			    model ? model : "unknown CPU",
			    host ? " on " : "", host ? host : "",
			    (long long)json_integer_value(online),
			    json_integer_value(online) == 1 ? "" : "s",
			    json_array_size(nodes),
			    json_array_size(nodes) == 1 ? "" : "s",
			    kernel ? kernel : "unknown", when ? when : "unknown time");
}

const char *env_machine(const json_t *env)
{
	const char *machine = env_text(env, "accelerator");

	return machine ? machine : env_text(env, "hypervisor");
}

const char *env_status(const json_t *env, const char *test)
{
	const char *name, *status = NULL;
	json_t *runs, *run;
	size_t i;

	runs = json_object_get(env, "runs");
	json_array_foreach(runs, i, run) {
		name = plain(json_object_get(run, "experiment"));
		if (name && !strcmp(name, test))
			status = plain(json_object_get(run, "status"));
	}
	return status;
}

const char *env_counts_only(const json_t *env)
{
	return env_text(env, "counts_only");
}
