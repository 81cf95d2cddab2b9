// SPDX-License-Identifier: GPL-2.0
/*
 * See guest.h.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "kselftest.h"

/* How long a thread or a user of the module may take to go. */
#define MK_PATIENCE	20.0

const char *mk_errname(int ret)
{
	return ret < 0 ? strerror(-ret) : ret ? "more than 0" : "no error";
}

double mk_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void mk_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* --- the module ------------------------------------------------------------ */

/* $MK_MODULE, or what the build left beside the test programs' directory. */
const char *mk_module_path(void)
{
	static char path[PATH_MAX + 128];
	char self[PATH_MAX];
	struct utsname uts;
	ssize_t len;
	int up;

	if (getenv("MK_MODULE"))
		return getenv("MK_MODULE");
	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (len < 0)
		return "multikernel.ko";
	self[len] = '\0';
	for (up = 0; up < 3 && strrchr(self, '/'); up++)
		*strrchr(self, '/') = '\0';
	uname(&uts);
	snprintf(path, sizeof(path), "%s/%s/multikernel.ko", self, uts.release);
	return path;
}

int mk_load(const char *params)
{
	int fd = open(mk_module_path(), O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, params ? params : "", 0) ?
		-errno : 0;
	close(fd);
	return ret;
}

/*
 * Hooks of mirrors are text that changes under running CPUs. QEMU can get that
 * wrong for one that is just about to run it, and then goes on with what stood
 * there before, so other CPUs are off line meanwhile. Which ones, as a mask.
 */
static unsigned long long mk_cpus_away(void)
{
	unsigned long long away = 0;
	int cpu;

	for (cpu = 1; cpu < mk_cpus_possible() && cpu < 64; cpu++)
		if (mk_cpu_online(cpu) && !mk_cpu_set(cpu, false))
			away |= 1ULL << cpu;
	return away;
}

static void mk_cpus_back(unsigned long long away)
{
	int cpu;

	for (cpu = 1; away >> cpu; cpu++)
		if (away >> cpu & 1)
			mk_cpu_set(cpu, true);
}

/* The first attach sets the hooks; they stay until the module goes. */
int mk_hook(void)
{
	unsigned long long away = mk_cpus_away();
	int ret = mk_put_u64("mirror/attach", getpid());

	ret = ret ? ret : mk_put_u64("mirror/detach", getpid());
	mk_cpus_back(away);
	return ret ? ret : mk_members_become(mk_cpus_online()) ? 0 : -ETIMEDOUT;
}

int mk_steady(bool on)
{
	static const char *const files[] = {
		"/sys/kernel/tracing/instances/steady-1/events/multikernel/enable",
		"/sys/kernel/tracing/instances/steady-2/events/multikernel/enable",
	};
	unsigned long long away = mk_cpus_away();
	int ret = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files) && !ret; i++)
		if (mk_exists(files[i]))
			ret = mk_put(files[i], on ? "1" : "0");
	mk_cpus_back(away);
	return ret ? ret : mk_members_become(mk_cpus_online()) ? 0 : -ETIMEDOUT;
}

int mk_load_hooked(void)
{
	int ret = mk_load(NULL);

	return ret ? ret : mk_hook();
}

static int mk_delete(void)
{
	return syscall(SYS_delete_module, "multikernel", O_NONBLOCK) ?
		-errno : 0;
}

static bool mk_hooked(void)
{
	char totals[1024];

	return mk_read("mirror/total", totals, sizeof(totals)) > 0 &&
	       strncmp(totals, "attached 0\n", strlen("attached 0\n"));
}

int mk_unload(void)
{
	unsigned long long away = mk_hooked() ? mk_cpus_away() : 0;
	int ret = mk_delete();

	mk_cpus_back(away);
	return ret;
}

/* Unload, with patience for a user that is on its way out. */
int mk_unload_soon(void)
{
	unsigned long long away = mk_hooked() ? mk_cpus_away() : 0;
	double end = mk_seconds() + MK_PATIENCE;
	int ret;

	while ((ret = mk_delete()) == -EAGAIN && mk_seconds() < end)
		mk_sleep_ms(50);
	mk_cpus_back(away);
	return ret;
}

bool mk_loaded(void)
{
	return !access("/sys/module/multikernel", F_OK);
}

/* --- files ------------------------------------------------------------------ */

const char *mk_path(const char *file)
{
	static __thread char path[PATH_MAX];

	if (*file == '/')
		return file;
	snprintf(path, sizeof(path), "%s/%s", MK_ROOT, file);
	return path;
}

bool mk_exists(const char *file)
{
	return !access(mk_path(file), F_OK);
}

/* The whole file, NUL-terminated; the length, or a negative errno. */
ssize_t mk_read(const char *file, char *buf, size_t size)
{
	int fd = open(mk_path(file), O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, buf + len, size - 1 - len);
		if (n < 0)
			n = -errno;
		else
			len += n;
	} while (n > 0 && len < size - 1);
	buf[len] = '\0';
	close(fd);
	return n < 0 ? n : (ssize_t)len;
}

int mk_write(const char *file, const void *data, size_t len)
{
	int fd = open(mk_path(file), O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int ret = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, data, len);
	if (n < 0)
		ret = -errno;
	else if ((size_t)n != len)
		ret = -EIO;
	close(fd);
	return ret;
}

int mk_put(const char *file, const char *text)
{
	return mk_write(file, text, strlen(text));
}

/* Does a number that is written do something, so that twice is an error? */
bool mk_acts(const char *file)
{
	return !strcmp(file, "agreement/take") ||
	       !strcmp(file, "agreement/give") ||
	       !strcmp(file, "mirror/attach") ||
	       !strcmp(file, "mirror/detach");
}

int mk_put_u64(const char *file, unsigned long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", value);
	return mk_put(file, text);
}

int mk_get_u64(const char *file, unsigned long long *value)
{
	char text[64], *end;
	ssize_t n = mk_read(file, text, sizeof(text));

	if (n < 0)
		return n;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno || end == text || strcmp(end, "\n") ? -EINVAL : 0;
}

int mk_walk(const char *dir, mk_walk_fn fn, void *arg)
{
	struct dirent **names;
	int n, i, ret = 0;

	n = scandir(mk_path(dir), &names, NULL, alphasort);
	if (n < 0)
		return -errno;
	for (i = 0; i < n; i++) {
		char file[PATH_MAX];
		struct stat st;

		if (!ret && names[i]->d_name[0] != '.') {
			snprintf(file, sizeof(file), "%s%s%s", dir,
				 *dir ? "/" : "", names[i]->d_name);
			if (stat(mk_path(file), &st))
				ret = -errno;
			else if (S_ISDIR(st.st_mode))
				ret = mk_walk(file, fn, arg);
			else
				ret = fn(file, st.st_mode & 0222, arg);
		}
		free(names[i]);
	}
	free(names);
	return ret;
}

/* --- CPUs ------------------------------------------------------------------- */

int mk_cpus_possible(void)
{
	return sysconf(_SC_NPROCESSORS_CONF);
}

int mk_cpus_online(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

static const char *mk_cpu_file(int cpu)
{
	static __thread char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online",
		 cpu);
	return path;
}

bool mk_cpu_online(int cpu)
{
	unsigned long long value;

	/* The first CPU has no such file: it is always there. */
	return mk_get_u64(mk_cpu_file(cpu), &value) || value;
}

int mk_cpu_set(int cpu, bool online)
{
	return mk_put(mk_cpu_file(cpu), online ? "1" : "0");
}

void mk_cpus_all_online(void)
{
	int cpu;

	for (cpu = 1; cpu < mk_cpus_possible(); cpu++)
		if (!mk_cpu_online(cpu))
			mk_cpu_set(cpu, true);
}

bool mk_members_become(unsigned long long n)
{
	double end = mk_seconds() + 30;
	unsigned long long members;

	while (mk_get_u64("agreement/members", &members) || members != n) {
		if (mk_seconds() > end)
			return false;
		mk_sleep_ms(50);
	}
	return true;
}

bool mk_agreed(void)
{
	unsigned long long faults;

	return mk_members_become(mk_cpus_online()) &&
	       !mk_get_u64("agreement/check", &faults) && !faults;
}

/* --- threads ---------------------------------------------------------------- */

#define MK_COMM	"mk_monitor/"

static int mk_monitor_walk(int cpu)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int found = 0;

	if (!proc)
		return -errno;
	while ((entry = readdir(proc))) {
		char path[300], comm[64];

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (mk_read(path, comm, sizeof(comm)) < 0)
			continue;	/* it has ended meanwhile */
		if (strncmp(comm, MK_COMM, strlen(MK_COMM)))
			continue;
		if (cpu < 0 || atoi(comm + strlen(MK_COMM)) == cpu)
			found++;
	}
	closedir(proc);
	return found;
}

int mk_monitors(void)
{
	return mk_monitor_walk(-1);
}

bool mk_monitor_of(int cpu)
{
	return mk_monitor_walk(cpu) == 1;
}

bool mk_monitors_become(int n)
{
	double end = mk_seconds() + MK_PATIENCE;

	while (mk_monitors() != n) {
		if (mk_seconds() > end)
			return false;
		mk_sleep_ms(20);
	}
	return true;
}
