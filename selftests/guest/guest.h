/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the test programs of a guest share: the module, its files in debugfs,
 * its threads, the CPUs.
 */
#ifndef MK_SELFTEST_GUEST_H
#define MK_SELFTEST_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define MK_ROOT		"/sys/kernel/debug/multikernel"
#define MK_TEXT_MAX	65536

const char *mk_errname(int ret);

/* Each returns 0 or a negative errno. */
int mk_load(const char *params);
/* Sets the hooks of mirrors while one CPU runs: for tests that mirror. */
int mk_hook(void);
/* The same for the module's events, see steady: for tests that record them. */
int mk_steady(bool on);
int mk_load_hooked(void);
int mk_unload(void);
int mk_unload_soon(void);
bool mk_loaded(void);
const char *mk_module_path(void);

/* Paths are below MK_ROOT unless they begin with a slash. */
const char *mk_path(const char *file);
ssize_t mk_read(const char *file, char *buf, size_t size);
int mk_write(const char *file, const void *data, size_t len);
int mk_put(const char *file, const char *text);
bool mk_acts(const char *file);
int mk_put_u64(const char *file, unsigned long long value);
int mk_get_u64(const char *file, unsigned long long *value);
bool mk_exists(const char *file);

/*
 * Walks every regular file below MK_ROOT, in a stable order. Ends early when the
 * callback returns non-zero, and returns that.
 */
typedef int (*mk_walk_fn)(const char *file, bool writable, void *arg);
int mk_walk(const char *dir, mk_walk_fn fn, void *arg);

/* CPUs of the guest; hotplug. */
int mk_cpus_possible(void);
int mk_cpus_online(void);
bool mk_cpu_online(int cpu);
int mk_cpu_set(int cpu, bool online);
void mk_cpus_all_online(void);
/* Are so many monitors members of the agreement, within half a minute? */
bool mk_members_become(unsigned long long n);
/* Have all CPUs on line the same table, no frame with two types in it? */
bool mk_agreed(void);

/* Threads mk_monitor/N: how many there are, and whether CPU n has one. */
int mk_monitors(void);
bool mk_monitor_of(int cpu);
/* Waits until there are @n of them, at most some seconds. */
bool mk_monitors_become(int n);

double mk_seconds(void);
void mk_sleep_ms(unsigned int ms);

#endif /* MK_SELFTEST_GUEST_H */
